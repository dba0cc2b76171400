import cookie from '@fastify/cookie'
import type { FastifyInstance } from 'fastify'
import { loopback } from '../checks/loopback.ts'
import { sessionCookieKinds, type CookieKind } from './cookie-names.ts'
import { TokenTooLarge } from '../tokens/errors.ts'
import type { AnyRequest } from '../http/request.ts'
import type { TokenPair } from '../tokens/tokens.ts'
import type { TransportSettings } from './options.ts'

/** Lines for the `Set-Cookie` header. */
export interface Cookies {
  /**
   * The cookies that bring a session to a browser, which forgets them with its window unless they are `persistent`. A
   * browser that has the refresh token already (`hasRefresh`) gets a new access token alone.
   * @throws {TokenTooLarge} for a cookie that browsers would drop without a word
   */
  bring: (pair: TokenPair, csrf: string, persistent: boolean, hasRefresh: boolean) => string[]
  /** The cookie by which a browser is known from now on: no logout takes it back. */
  mark: (value: string, persistent: boolean) => string
  /**
   * A cookie of something that is half done, or of a browser that is remembered, for as long as that is good. Of those
   * that a browser may have several of, `tag` tells one from another.
   */
  keep: (kind: HalfDoneKind, value: string, seconds: number, tag?: string) => string
  /** Takes such a cookie back. */
  drop: (kind: Exclude<HalfDoneKind, 'challenge'>, tag?: string) => string
  /** Says once in the log that the browser of this request will drop the cookies without a word. */
  warnOfLoss: (request: Pick<AnyRequest, 'headers'>) => void
  /**
   * Says once in the log that a request for new tokens has brought other cookies of a session and not that of the
   * refresh token: the path of that cookie is not the path by which the browser knows our routes.
   */
  warnOfPath: (request: Pick<AnyRequest, 'headers'>) => void
  /**
   * Clears the cookies of a session: a browser forgets one only when its attributes are repeated (RFC 6265bis §5.7).
   */
  clear: () => string[]
  /** The value of the first cookie with that exact name. Undefined for an empty one. */
  read: (request: Pick<AnyRequest, 'headers'>, kind: CookieKind, tag?: string) => string | undefined
}

type HalfDoneKind = 'challenge' | 'ticket' | 'remember' | 'flow'

/** RFC 6265bis §5.6: name and value together. */
const mostBytes = 4096

/** RFC 6265bis §5.5: no browser keeps a cookie longer than 400 days. */
export const mostSeconds = 400 * 86400

export async function createCookies (app: FastifyInstance, { cookies: settings }: TransportSettings): Promise<Cookies> {
  const { parseCookie, serializeCookie } = await openLibrary(app)
  const { domain, sameSite, secure, partitioned } = settings
  let hasWarnedOfLoss = false
  let hasWarnedOfPath = false

  function line (kind: CookieKind, value: string, life: { maxAge?: number, expires?: Date }, tag?: string): string {
    const { path } = settings[kind]
    const name = nameOf(kind, tag)
    if (name.length + value.length > mostBytes) throw new TokenTooLarge()
    const httpOnly = kind !== 'csrf'
    const attributes = { path, sameSite, secure, partitioned, httpOnly, ...domain && { domain }, ...life }
    // It comes along when another site sends the browser back, and never with what that site asks for by itself.
    if (kind === 'flow') attributes.sameSite = 'lax'
    return serializeCookie(name, value, attributes)
  }

  const cleared = (kind: CookieKind, tag?: string) => line(kind, '', { maxAge: 0, expires: new Date(0) }, tag)

  function nameOf (kind: CookieKind, tag: string | undefined): string {
    return tag === undefined ? settings[kind].name : `${settings[kind].name}-${tag}`
  }

  function read ({ headers }: Pick<AnyRequest, 'headers'>, kind: CookieKind, tag?: string): string | undefined {
    return parseCookie(headers.cookie ?? '')[nameOf(kind, tag)] || undefined
  }

  return {
    bring (pair, csrf, persistent, hasRefresh) {
      const lifeOf = (seconds: number) => persistent ? { maxAge: Math.min(seconds, mostSeconds) } : {}
      const access = line('access', pair.access_token, lifeOf(pair.expires_in))
      if (hasRefresh) return [access]
      return [
        access,
        line('refresh', pair.refresh_token, lifeOf(pair.refresh_expires_in)),
        line('csrf', csrf, lifeOf(pair.refresh_expires_in)),
      ]
    },
    mark: (value, persistent) => line('device', value, persistent ? { maxAge: mostSeconds } : {}),
    keep: (kind, value, seconds, tag) => line(kind, value, { maxAge: Math.min(seconds, mostSeconds) }, tag),
    drop: cleared,
    warnOfLoss ({ headers: { origin } }) {
      if (hasWarnedOfLoss || !secure || !origin?.startsWith('http://') || loopback.test(origin)) return
      hasWarnedOfLoss = true
      app.log.warn('A page on plain HTTP has logged in: its browser drops the cookies, which need TLS. ' +
        'For tests in a network without it there is cookies.secure: false')
    },
    warnOfPath (request) {
      const { path } = settings.refresh
      if (hasWarnedOfPath || path === '/' || !(read(request, 'access') ?? read(request, 'csrf'))) return
      hasWarnedOfPath = true
      app.log.warn('A refresh has brought cookies of a session, but not that of the refresh token, ' +
        `which browsers send to ${path} alone. ` +
        'Where a proxy before the app takes a part of the path away, ' +
        'put the path that browsers ask for into cookies.refresh.path and cookies.device.path')
    },
    clear: () => sessionCookieKinds.map((kind) => cleared(kind)),
    read,
  }
}

type Library = Pick<FastifyInstance, 'parseCookie' | 'serializeCookie'>

/**
 * Registers @fastify/cookie in a scope of its own, also where the host has registered it: the host's `parseOptions` are
 * for the host's cookies.
 */
async function openLibrary (app: FastifyInstance): Promise<Library> {
  let library!: Library
  await app.register(async (child) => {
    // No request comes to this scope, and Fastify refuses names that the host has given to something already.
    for (const name of ['decorateRequest', 'decorateReply']) Object.defineProperty(child, name, { value: () => child })
    await child.register(cookie, { hook: false })
    const { parseCookie, serializeCookie } = child
    library = { parseCookie, serializeCookie }
  })
  return library
}
