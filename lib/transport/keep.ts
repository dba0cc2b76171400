import type { AnyReply, AnyRequest } from '../http/request.ts'
import { isOurs } from '../http/our-error.ts'
import type { Session } from '../sessions/entity.ts'
import { TokenSuperseded } from '../sessions/errors.ts'
import { isOfReplaced } from '../sessions/replaced.ts'
import { TokenExpired } from '../tokens/errors.ts'
import type { Cookies } from './cookies.ts'
import type { Csrf } from './csrf.ts'
import type { Location, TransportSettings } from './options.ts'

/** When browsers may be given the cookies of a session, and when they are to forget them. */
export interface Keeping {
  /**
   * Checks a request without cookies that is answered with cookies: another site could put somebody else's session into
   * a browser by it.
   * @throws {CsrfFailed}
   */
  requireOwnSite: (request: AnyRequest, session: Pick<Session, 'transport'>, location: Location) => void
  /** Clears the cookies of a session that is over, unless a page of another origin asks for it. */
  forget: (request: AnyRequest, reply: AnyReply) => void
  /**
   * Clears cookies whose token is refused for good, which a browser would send for ever; unless another site has sent
   * them. Not for a token that newer ones have replaced, since the browser may have those by now, and they would be
   * cleared. And not for one that has expired, since this clock may be wrong, and browsers forget expired cookies by
   * themselves.
   */
  clearRefused: (request: AnyRequest, reply: AnyReply, location: Location, error: unknown) => void
}

export function createKeeping (cookies: Cookies, csrf: Csrf, { transport }: TransportSettings): Keeping {
  return {
    requireOwnSite (request, session, location) {
      if (session.transport !== 'body' && location !== 'cookie') csrf.requireOwnSite(request)
    },

    forget (request, reply) {
      if (transport !== 'body' && !csrf.isForeign(request)) setCookies(reply, cookies.clear())
    },

    clearRefused (request, reply, location, error) {
      if (location !== 'cookie' || csrf.isForeign(request) || !isOurs(error) || error.statusCode !== 401) return
      if (error instanceof TokenExpired || error instanceof TokenSuperseded || isOfReplaced(error)) return
      setCookies(reply, cookies.clear())
    },
  }
}

/** Under this key an error keeps cookies that go with it. */
export const cookiesOfError = Symbol('cookies of an error')

/** An `onError` hook that sends the cookies of an error. */
export async function bringCookies (_: unknown, reply: AnyReply, error: Error) {
  setCookies(reply, (error as { [cookiesOfError]?: string[] })[cookiesOfError] ?? [])
}

/**
 * Adds cookies to those that others set, by @fastify/cookie or otherwise. Its `reply.setCookie` would keep ours for a
 * hook, which does not run where another hook fails or the reply is hijacked, and would depend on the host's options.
 */
export function setCookies (reply: AnyReply, cookies: string[]): void {
  for (const cookie of cookies) reply.header('set-cookie', cookie)
}
