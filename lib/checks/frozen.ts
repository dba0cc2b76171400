import { Kind } from '@sinclair/typebox'
import { isPlainObject } from './plain-object.ts'

/** Makes a value that many requests share unchangeable, to its depths: what one handler wrote in it, all would see. */
export function frozen<Value> (value: Value): Value {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  Object.values(Object.freeze(value)).forEach(frozen)
  return value
}

/** Makes plain data unchangeable, to its depths. Other objects, schemas and what is in `spared` stay as they are. */
export function frozenData<Value> (value: Value, spared: unknown[]): Value {
  const isData = Array.isArray(value) || (isPlainObject(value) && !(Kind in value))
  if (!isData || spared.includes(value)) return value
  Object.values(Object.freeze(value)).forEach((inner) => frozenData(inner, spared))
  return value
}
