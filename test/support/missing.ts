/** What Node says of a package that is not installed. */
export function missing (name: string): Error {
  return Object.assign(new Error(`Cannot find package '${name}' imported from /app/server.js`), {
    code: 'ERR_MODULE_NOT_FOUND',
  })
}
