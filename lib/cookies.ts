import { parseCookie, stringifySetCookie } from 'cookie'
import { cookieKinds, type CookieKind } from './cookie-names.ts'
import { TokenTooLarge } from './errors.ts'
import type { AnyRequest } from './options.ts'
import type { Settings } from './settings.ts'
import type { TokenPair } from './tokens/tokens.ts'

/** Lines for the `Set-Cookie` header. */
export interface Cookies {
  /**
   * The cookies that bring a session to a browser. Those that are not persistent are forgotten with the window.
   * @throws {TokenTooLarge} for a cookie that browsers drop without a word
   */
  bring: (pair: TokenPair, csrf: string, persistent: boolean) => string[]
  /** The same cookies, over: a browser forgets one only when its attributes are repeated (RFC 6265bis §5.7). */
  clear: () => string[]
  /** The value of the first cookie with that exact name, or nothing. */
  read: (request: Pick<AnyRequest, 'headers'>, kind: CookieKind) => string | undefined
}

/** RFC 6265bis §5.6: name and value together. */
const mostBytes = 4096

/** RFC 6265bis §5.5: no browser keeps a cookie longer than 400 days. */
const mostSeconds = 400 * 86400

export function createCookies ({ cookies: settings }: Settings): Cookies {
  const { domain, sameSite, secure, partitioned } = settings

  function line (kind: CookieKind, value: string, life: { maxAge?: number, expires?: Date }): string {
    const { name, path } = settings[kind]
    if (name.length + value.length > mostBytes) throw new TokenTooLarge()
    return stringifySetCookie({ name, value, path, sameSite, secure, partitioned, httpOnly: kind !== 'csrf', ...domain && { domain }, ...life })
  }

  return {
    bring (pair, csrf, persistent) {
      const lifeOf = (seconds: number) => persistent ? { maxAge: Math.min(seconds, mostSeconds) } : {}
      return [
        line('access', pair.access_token, lifeOf(pair.expires_in)),
        line('refresh', pair.refresh_token, lifeOf(pair.refresh_expires_in)),
        line('csrf', csrf, lifeOf(pair.refresh_expires_in)),
      ]
    },
    clear: () => cookieKinds.map((kind) => line(kind, '', { maxAge: 0, expires: new Date(0) })),
    read: ({ headers }, kind) => parseCookie(headers.cookie ?? '')[settings[kind].name] || undefined,
  }
}
