import type { AnyReply, AnyRequest } from '../http/request.ts'
import { isOurs } from '../http/our-error.ts'
import type { Session } from '../sessions/entity.ts'
import { TokenSuperseded } from '../sessions/errors.ts'
import { isOfReplaced } from '../sessions/replaced.ts'
import { TokenExpired } from '../tokens/errors.ts'
import type { Cookies } from './cookies.ts'
import type { Csrf } from './csrf.ts'
import type { Location, TransportSettings } from './options.ts'

/** What browsers are to keep of a session, and to forget. */
export interface Keeping {
  /**
   * For an answer in cookies to a request that has shown none: it might put somebody else's session into a browser.
   * @throws {CsrfFailed}
   */
  requireOwnSite: (request: AnyRequest, session: Pick<Session, 'transport'>, location: Location) => void
  /** Takes the cookies of a session that is over out of a browser, unless a page of another origin asks for it. */
  forget: (request: AnyRequest, reply: AnyReply) => void
  /**
   * Takes cookies back whose token is refused for good, unless another site has sent them: a browser would send them for
   * ever. Where newer ones are on their way to it, or there already, those would go. And that a token has expired is told
   * by a clock alone, which may be wrong: the browser forgets an expired cookie by itself.
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

/**
 * Adds to the cookies that others set, whether they use @fastify/cookie or not. Its `reply.setCookie` would keep ours back
 * for a hook, which does not run where another hook fails or the reply is hijacked, and read the request as the host does.
 */
export function setCookies (reply: AnyReply, cookies: string[]): void {
  for (const cookie of cookies) reply.header('set-cookie', cookie)
}
