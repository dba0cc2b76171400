import type { FastifyInstance, InjectOptions } from 'fastify'
import { parseSetCookie, type SetCookie } from 'cookie'

type Method = 'GET' | 'POST' | 'PUT' | 'HEAD' | 'DELETE' | 'OPTIONS'
type Answer = Awaited<ReturnType<FastifyInstance['inject']>>

/** What an answer sets, by name. */
export function setBy (answer: Answer): Record<string, SetCookie> {
  return Object.fromEntries(
    [answer.headers['set-cookie'] ?? []].flat().map((line) => [line.split('=', 1)[0]!, parseSetCookie(line)])
  )
}

/** The `Cookie` header that brings all of these back. */
export function cookieHeader (cookies: Record<string, SetCookie>): string {
  return Object.values(cookies).map(({ name, value }) => `${name}=${value}`).join('; ')
}

/** RFC 6265 §5.1.4. */
function isSentTo (path: string, url: string): boolean {
  const { pathname } = new URL(url, 'https://localhost')
  return pathname === path || pathname.startsWith(path.endsWith('/') ? path : `${path}/`)
}

/**
 * Keeps the cookies that an app sets, forgets those it takes back under the very same attributes, and sends each to its
 * path.
 */
export function browser (app: FastifyInstance) {
  const jar = new Map<string, SetCookie>()

  /** An answer that is under way: what it sets is kept when it is taken in. */
  async function ask (
    method: Method,
    url: string,
    payload?: InjectOptions['payload'],
    headers: Record<string, string> = {}
  ) {
    const sent = [...jar.values()]
      .filter(({ path = '/' }) => isSentTo(path, url))
      .map(({ name, value }) => `${name}=${value}`)
    const answer = await app.inject({
      method,
      url,
      headers: { ...(sent.length > 0 && { cookie: sent.join('; ') }), ...headers },
      ...(payload === undefined ? {} : { payload }),
    })
    return { answer, take: () => keep(Object.values(setBy(answer))) }
  }

  function keep (cookies: SetCookie[]): void {
    for (const cookie of cookies) {
      const { name, domain, path, partitioned } = cookie
      const place = JSON.stringify([name, domain, path, partitioned])
      if (cookie.maxAge === 0) jar.delete(place)
      else jar.set(place, cookie)
    }
  }

  async function send (...request: Parameters<typeof ask>) {
    const { answer, take } = await ask(...request)
    take()
    return answer
  }

  return {
    ask,
    send,
    get: (url: string, headers?: Record<string, string>) => send('GET', url, undefined, headers),
    /** As a page of the app's own origin does it. */
    post: (url: string, payload?: InjectOptions['payload'], headers: Record<string, string> = {}) =>
      send('POST', url, payload, { 'sec-fetch-site': 'same-origin', ...headers }),
    names: () => [...jar.values()].map(({ name }) => name),
    /** The value of a kept cookie, by the end of its name. */
    valueOf: (end: string) => [...jar.values()].find(({ name }) => name.endsWith(end))?.value,
  }
}
