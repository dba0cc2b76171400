import type { TObject, TSchema } from '@sinclair/typebox'
import { Ajv, type ErrorObject } from 'ajv'
import { isPlainObject } from './plain-object.ts'

/**
 * Finds everything that is wrong. Options are checked once, so to optimize the code would cost more than it saves. What
 * `Condition` and `Words` of kinds.ts say of an option stands beside JSON Schema's own keywords.
 */
const ajv = new Ajv({
  allErrors: true, verbose: true, allowUnionTypes: true, validateSchema: false, meta: false, code: { optimize: false },
})
ajv.addKeyword({ keyword: 'holds', validate: (holds: (value: unknown) => boolean, value: unknown) => holds(value) })
ajv.addVocabulary(['must', 'usual', 'env', 'tsType', 'duration', 'kept', 'insteadOf', 'route'])

/**
 * All that is wrong with the options that are given. Groups of options are walked here, and the schema of a single one
 * is compiled when it is first given: to compile them all takes longer than anything else of ours when an app starts,
 * and what is not given has its default, which is right.
 */
export function faultsIn (schema: TSchema, given: unknown, path = ''): ErrorObject[] {
  if (!isGroup(schema) || !isPlainObject(given)) return faultsOf(schema, given, path)

  const unknown = Object.keys(given).filter((name) => !Object.hasOwn(schema.properties, name))
  const known = Object.entries(schema.properties).filter(([name]) => given[name] !== undefined)
  const fault = { keyword: 'additionalProperties', instancePath: path, schemaPath: '' }
  return [
    ...unknown.map((name) => ({ ...fault, params: { additionalProperty: name } })),
    ...known.flatMap(([name, part]) => faultsIn(part, given[name], `${path}/${name}`)),
  ]
}

/**
 * The options with the defaults of those that are not given, in groups too; `true` is a group that is given, with
 * nothing in it. What is wrong stays as it is.
 */
export function filled (schema: TSchema, given: unknown = structuredClone(schema.default)): unknown {
  if (isGroup(schema) && given === true) return filled(schema, {})
  if (!isGroup(schema) || !isPlainObject(given)) return given

  const parts = Object.entries(schema.properties).map(([name, part]) => [name, filled(part, given[name])] as const)
  return { ...given, ...Object.fromEntries(parts.filter(([, value]) => value !== undefined)) }
}

/** Options that stand in each other's stead, of which both are given. */
export function rivalsIn ({ properties }: TObject, given: unknown, path = ''): string[] {
  if (!isPlainObject(given)) return []
  return Object.entries(properties).filter(([name]) => given[name] !== undefined).flatMap(([name, part]) => {
    if (isGroup(part)) return rivalsIn(part, given[name], `${path}${name}.`)
    if (!part.insteadOf || given[part.insteadOf] === undefined) return []
    return [`${path}${name} and ${path}${part.insteadOf} are two ways to one thing: give one of them`]
  })
}

function isGroup (schema: TSchema): schema is TObject {
  return 'properties' in schema
}

function faultsOf (schema: TSchema, given: unknown, path: string): ErrorObject[] {
  if (ajv.validate(schema, given)) return []
  return ajv.errors!.map((error) => ({ ...error, instancePath: `${path}${error.instancePath}` }))
}
