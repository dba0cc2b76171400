/** What runtimes and test runners say of a package that is not installed. */
const codes = ['ERR_MODULE_NOT_FOUND', 'MODULE_NOT_FOUND']

/**
 * True for the error of an import of the package `name` when that is what is not there, and not a package that it needs
 * in its turn, or a file that a bundler has lost.
 */
export function isMissing (error: unknown, name: string): boolean {
  const { code, message } = (error ?? {}) as { code?: unknown, message?: unknown }
  return codes.includes(String(code)) && new RegExp(`(?<![\\w/-])${name}(?![\\w/-])`).test(String(message).split('\n')[0]!)
}
