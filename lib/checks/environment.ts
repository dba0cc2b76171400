import type { TSchema } from '@sinclair/typebox'
import { isPlainObject } from './plain-object.ts'

/**
 * The options with what the environment says where they say nothing. An empty variable counts as none, and so does that
 * of an option in whose stead another is given.
 */
export function withEnvironment<Given extends object> (
  { properties }: TSchema, given: Given, env: NodeJS.ProcessEnv
): Given {
  const parts = Object.entries<TSchema>(properties)
  const givenFor = (name: string) => (given as Record<string, unknown>)[name]
  const replaced = parts.filter(([name]) => givenFor(name) !== undefined).map(([, { insteadOf }]) => insteadOf)

  const asked = parts.filter(([name]) => !replaced.includes(name))
  const values = asked.map(([name, part]) => [name, valueOf(part, givenFor(name), env)])
  return { ...given, ...Object.fromEntries(values.filter(([, value]) => value !== undefined)) }
}

function valueOf (part: TSchema, given: unknown, env: NodeJS.ProcessEnv): unknown {
  if (part.env) return given === undefined ? fromText(part, env[part.env]) : given
  if (!('properties' in part)) return given
  // A group without a default is off: no variable turns it on.
  const isOn = given === true || isPlainObject(given) || (given === undefined && 'default' in part)
  if (!isOn) return given
  const group = withEnvironment(part, isPlainObject(given) ? given : {}, env)
  return Object.keys(group).length > 0 ? group : given
}

/** In the environment everything is text: there, digits alone are seconds. */
function fromText (part: TSchema, text: string | undefined): number | string | undefined {
  return 'duration' in part && /^\d+$/.test(text ?? '') ? Number(text) : text || undefined
}
