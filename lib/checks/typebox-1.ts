import { Type, type TSchema } from '@sinclair/typebox'
import { mapParts, type Part } from './schema-parts.ts'

/** A schema of the package `typebox` 1, by the marks that its types declare. */
export type TypeBox1Schema = { '~kind': string } | { '~unsafe': unknown }

/** Marks of a schema that checks or changes values by code, beyond JSON Schema. */
const codeMarks = ['~refine', '~codec']

export function isTypeBox1 (value: object): boolean {
  return '~kind' in value || '~unsafe' in value
}

/**
 * A copy of a schema of `typebox` 1 as `@sinclair/typebox` 0.34 would have made it. Both are JSON Schema; the older one
 * marks its schemas by symbols, the newer by names, which are not enumerable unless its settings say so.
 */
export function fromTypeBox1 (schema: object): TSchema {
  const copy = Type.Unsafe(plain(schema as Part))
  return '~optional' in schema ? Type.Optional(copy) : copy
}

function plain (schema: Part): Part {
  const keywords = Object.entries(mapParts(schema, plain)).filter(([keyword]) => !keyword.startsWith('~'))
  const marks = codeMarks.filter((mark) => mark in schema).map((mark) => [mark, true])
  return Object.fromEntries([...keywords, ...marks])
}
