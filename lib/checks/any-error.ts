/**
 * True for an error of any realm: under Jest, or in another context of node:vm, those of Node, of a native package and
 * of `structuredClone` are instances of another `Error`. Those of @fastify/error and better-sqlite3 are no native
 * errors, so `isNativeError` would not know them.
 */
export function isError (value: unknown): value is Error {
  for (let link = value; link !== null && typeof link === 'object'; link = Object.getPrototypeOf(link)) {
    if (Object.hasOwn(link, 'constructor') && link.constructor?.name === 'Error') return true
  }
  return false
}

/** The properties of whatever was thrown: none for what is no object. */
export function propertiesOf (thrown: unknown): Record<string, unknown> {
  return Object(thrown)
}
