import { Kind, type TSchema } from '@sinclair/typebox'
import { isPlainObject } from './plain-object.ts'
import { fromTypeBox1, isTypeBox1 } from './typebox-1.ts'

/**
 * A deep copy of plain objects, so that filling in defaults never writes into what the caller holds. Other objects, a
 * Map or a Date, are no groups of options: they become null, which the schemas refuse.
 */
export function copied (part: TSchema | undefined, value: unknown): unknown {
  // A schema stays what it is: TypeBox marks its own by symbols, which a copy would lose.
  if (value === null || typeof value !== 'object' || part?.kept || Kind in value) return value
  if (isTypeBox1(value)) return fromTypeBox1(value)
  if (Array.isArray(value)) return value.map((inner) => copied(undefined, inner))
  if (!isPlainObject(value)) return null
  const copies = Object.entries(value).map(([name, inner]) => [name, copied(part?.properties?.[name], inner)])
  return Object.fromEntries(copies)
}

/** The values of all options that `Kept` marks: they stay the host's own objects. */
export function keptIn (part: TSchema, value: unknown): unknown[] {
  if (part.kept) return [value]
  if (!('properties' in part) || !isPlainObject(value)) return []
  return Object.entries<TSchema>(part.properties).flatMap(([name, inner]) => keptIn(inner, value[name]))
}
