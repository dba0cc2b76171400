import type { TProperties, TSchema } from '@sinclair/typebox'
import type { ErrorObject } from 'ajv'

/** An error of a schema as a sentence that names the option. */
export function sentence ({ instancePath, keyword, params, message, parentSchema }: ErrorObject): string {
  const path = instancePath.slice(1).replaceAll('/', '.')
  const name = withVariable(path, parentSchema)

  switch (keyword) {
    case 'additionalProperties': return `${path ? `${path}.` : ''}${params.additionalProperty} is not an option`
    case 'holds': return `${name} must ${parentSchema!.must}`
    case 'enum': return `${name} must be one of ${params.allowedValues.join(', ')}`
    default: return `${name} ${message}`
  }
}

/** The name of the option at `path` of `options`, with the variable that may have brought its value. */
export function named (options: TProperties, path: string): string {
  const whole: Partial<TSchema> = { properties: options }
  const part = path.split('.').reduce(({ properties }, name) => properties[name], whole)
  return withVariable(path, part)
}

function withVariable (path: string, part: Partial<TSchema> = {}): string {
  return part.env ? `${path} (or ${part.env})` : path
}
