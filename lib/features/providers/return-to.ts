import { InputInvalid } from '../../http/errors.ts'

/** Where browsers may go at the end: a path of the app's own, or one of these URLs, with any query. */
export type ReadReturnTo = (given: string | undefined) => string

/** Longer ones would make the state too long for providers. */
const mostLength = 512

/**
 * `home` is where the app is reached; `others` are URLs whose origin and path a destination must have. All is compared
 * as the parser of URLs reads it, and what browsers read in other ways is refused before.
 */
export function createReadReturnTo (home: string, others: string[]): ReadReturnTo {
  const { origin } = new URL(home)
  const allowed = others.map((url) => new URL(url))

  /** @throws {InputInvalid} */
  return (given = '/') => {
    // Browsers drop tabs and line ends, and take a backslash for a slash.
    const isPlain = given.length <= mostLength && /^[!-[\]-~]+$/.test(given)
    if (isPlain && /^\/(?!\/)/.test(given)) {
      const url = new URL(given, origin)
      if (url.origin === origin) return url.href
    }
    const url = isPlain && URL.canParse(given) ? new URL(given) : undefined
    const isAllowed = url && allowed.some((each) => isSame(each, url))
    if (!isAllowed) throw new InputInvalid('body/return_to must be a path, or one of providerFlow.returnTo')
    return url.href
  }
}

/** Schemes of apps have no origin, so the parts are compared. */
function isSame (allowed: URL, { protocol, host, pathname, username, password }: URL): boolean {
  return protocol === allowed.protocol && host === allowed.host && pathname === allowed.pathname &&
    username === '' && password === ''
}

/** The URL with more in its query. */
export function withQuery (href: string, parameters: Record<string, string>): string {
  const url = new URL(href)
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value)
  return url.href
}
