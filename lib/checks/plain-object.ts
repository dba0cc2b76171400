/**
 * True for an object as a literal or JSON gives it, and not an instance of a class, whatever realm it is of: under
 * Jest, or in another context of node:vm, `structuredClone` gives objects with another `Object.prototype`.
 */
export function isPlainObject (value: unknown): value is Record<string, unknown> {
  if (value === null || typeof value !== 'object') return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}
