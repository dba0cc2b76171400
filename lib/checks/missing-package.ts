/** What runtimes and test runners say of a package that is not installed. */
const codes = ['ERR_MODULE_NOT_FOUND', 'MODULE_NOT_FOUND']

/**
 * True for the error of an import when the package `name` itself is missing, and not a package that it needs in its
 * turn, or a file that a bundler has lost.
 */
export function isMissing (error: unknown, name: string): boolean {
  const { code, message } = (error ?? {}) as { code?: unknown, message?: unknown }
  const [firstLine] = String(message).split('\n') as [string]
  return codes.includes(String(code)) && new RegExp(`(?<![\\w/-])${name}(?![\\w/-])`).test(firstLine)
}
