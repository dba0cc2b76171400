import { parseSetCookie } from 'cookie'
import { bearer, decode } from '../../test/support/build.ts'
import type { Answer, Speaker } from '../../test/whole/processes/process.ts'

export type Transport = 'body' | 'cookie'

/** The tokens of one session, as they are at some time. */
export interface Tokens {
  access: string
  refresh: string
}

/** One store for the tokens of a session: a variable of a client, or the cookies of a browser. */
export interface Holder {
  readonly transport: Transport
  readonly id: string
  /** The generation of the refresh token that is held. */
  readonly gen: number
  readonly tokens: Tokens
  /** Keeps what an answer brought, unless it is of an older generation than what is held. */
  take: (answer: Answer) => void
  /** Asks for something by an access token: the one that is held, or another. */
  ask: (server: Speaker, method: string, path: string, body?: object, tokens?: Tokens) => Promise<Answer>
  /** Shows a refresh token, the one that is held or another, and takes nothing. */
  show: (server: Speaker, path: '/auth/refresh' | '/auth/logout', tokens?: Tokens) => Promise<Answer>
}

/** What a page of the app's own origin sends, and a browser adds to it. */
function cookieHeaders (cookies: Record<string, string>): Record<string, string> {
  return {
    'sec-fetch-site': 'same-origin',
    cookie: Object.entries(cookies)
      .map(([name, value]) => `${name}=${value}`)
      .join('; '),
  }
}

/** What an answer brought, in its body or in cookies; a cookie that is taken back is none. */
function broughtBy ({ body, cookies }: Answer): Partial<Tokens> {
  const set = cookies.map((line) => parseSetCookie(line)).filter(({ maxAge }) => maxAge !== 0)
  const valueOf = (name: string) => set.find((cookie) => cookie.name === name)?.value
  const [access, refresh] = [
    body.access_token ?? valueOf('__Host-access'),
    body.refresh_token ?? valueOf('__Secure-refresh'),
  ]
  return { ...(access && { access }), ...(refresh && { refresh }) }
}

/** Holds what a registration or a login has brought. */
export function createHolder (transport: Transport, beginning: Answer): Holder {
  let tokens = broughtBy(beginning) as Tokens
  const genOf = (token: string): number => decode(token).payload.gen

  return {
    transport,
    id: decode(tokens.refresh).payload.sid,
    get gen () { return genOf(tokens.refresh) },
    get tokens () { return tokens },

    take (answer) {
      const brought = { ...tokens, ...broughtBy(answer) }
      if (genOf(brought.refresh) >= genOf(tokens.refresh)) tokens = brought
    },

    ask: (server, method, path, body, { access } = tokens) => transport === 'body'
      ? server.ask(method, path, undefined, body, bearer(access))
      : server.ask(method, path, undefined, body, cookieHeaders({ '__Host-access': access })),

    show: (server, path, { refresh } = tokens) => transport === 'body'
      ? server.ask('POST', path, undefined, { refresh_token: refresh })
      : server.ask('POST', path, undefined, undefined, cookieHeaders({ '__Secure-refresh': refresh })),
  }
}
