import { Kind, TransformKind } from '@sinclair/typebox'
import { faultOf } from './field-schema.ts'
import { partsOf, type Part } from './schema-parts.ts'

/** What keeps a schema that an app gives, as the option `name`, from being one of ours; undefined if nothing does. */
export function schemaProblem (name: string, schema: Part): string | undefined {
  if (!(Kind in schema)) return `${name} must be a schema of TypeBox, @sinclair/typebox 0.34 or typebox 1`
  if (holdsCode(schema)) {
    return `${name} must be JSON Schema alone: ` +
      'what it checks or changes by code (Refine, Codec, Transform) would be passed over'
  }
  const fault = faultOf(schema)
  return fault && `${name} ${fault}`
}

function holdsCode (part: Part): boolean {
  const isCode = '~refine' in part || '~codec' in part || TransformKind in part
  return isCode || partsOf(part).some(([, inner]) => holdsCode(inner))
}
