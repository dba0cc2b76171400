import { ask } from '../host/ask.ts'
import type { Cookies } from '../transport/cookies.ts'
import { within } from '../database/patience.ts'
import { msLeft } from '../http/deadline.ts'
import type { Session } from '../sessions/entity.ts'
import { TokenSuperseded } from '../sessions/errors.ts'
import { TokenExpired } from '../tokens/errors.ts'
import type { Csrf } from '../transport/csrf.ts'
import { clientOf, type AnyReply, type AnyRequest } from '../http/request.ts'
import { isOurs } from '../http/our-error.ts'
import type { OwnData, SessionData } from '../sessions/data.ts'
import { isOfReplaced } from '../sessions/replaced.ts'
import type { SessionTransport } from '../sessions/births.ts'
import type { Sessions } from '../sessions/sessions.ts'
import type { SignInSettings } from './options.ts'
import type { Devices } from '../features/throttle/devices.ts'
import { areCustomClaims } from '../tokens/access-token.ts'
import type { RefreshChoice, TokenPair, Tokens } from '../tokens/tokens.ts'
import type { Location, Transport } from '../transport/options.ts'
import type { AccountsUser, PublicFields, PublicUsers } from '../users/public-user.ts'

/** What makes an answer with tokens. */
export interface Issuing {
  settings: SignInSettings
  tokens: Tokens
  publicUsers: PublicUsers
  cookies: Cookies
  csrf: Csrf
  devices: Devices
  ownData: OwnData
}

/** The answer that brings a session's tokens and its user. */
export interface TokenResponse extends TokenPair {
  user: AccountsUser
}

/** The answer for a session whose tokens travel in cookies, and so do not stand in the body. */
export interface CookieResponse extends Pick<TokenPair, 'token_type' | 'expires_in' | 'refresh_expires_in'> {
  /** Goes into the header `X-CSRF-Token` of requests that change something. */
  csrf_token: string
  user: AccountsUser
}

/** An answer that is ready and not sent: what it tells of may still have to be written. */
export interface Grant {
  body: TokenResponse | CookieResponse
  cookies: string[]
}

/** What a login and a floor begin with: a token without a parent. */
const first: RefreshChoice = { parent: null }

/**
 * The tokens of a session, for its client. The claims are the host's, from `claimsOf`. A browser keeps what comes last: the
 * refresh token that it has just shown in a cookie (`isKept`) is not sent to it again, since a slow answer would put it over
 * a newer one.
 */
export function grant ({ tokens, csrf, cookies, publicUsers }: Issuing, session: Session, claims: object, choice = first, isKept = false): Grant {
  const pair = tokens.issue(session, claims, choice)
  const user = publicUsers.of(session.user)
  if (session.transport === 'body') return { body: { ...pair, user }, cookies: [] }

  const value = csrf.valueFor(session.id, session.ver)
  const { token_type: type, expires_in: seconds, refresh_expires_in: refreshSeconds } = pair
  return {
    body: { token_type: type, expires_in: seconds, refresh_expires_in: refreshSeconds, csrf_token: value, user },
    cookies: cookies.bring(pair, value, session.transport === 'cookie', isKept),
  }
}

/** The tokens of a session of somebody who has just given a password: their browser is known from now on. */
export function welcome (issuing: Issuing, session: Session, claims: object): Grant {
  const { body, cookies } = grant(issuing, session, claims)
  return { body, cookies: [...cookies, ...issuing.devices.cookiesFor(session)] }
}

/** Sends a grant, once all that it tells of is stored. Without cookies it needs no reply. */
export function deliver (reply: AnyReply | undefined, { body, cookies }: Grant): Grant['body'] {
  if (reply) setCookies(reply, cookies)
  return body
}

/**
 * Adds to the cookies that others set, whether they use @fastify/cookie or not. Its `reply.setCookie` would keep ours back
 * for a hook, which does not run where another hook fails or the reply is hijacked, and read the request as the host does.
 */
export function setCookies (reply: AnyReply, cookies: string[]): void {
  for (const cookie of cookies) reply.header('set-cookie', cookie)
}

/** What the host gives to a session of this user that is to begin. Asked before anything is written: it may fail. */
export async function beginningBy (issuing: Issuing, user: PublicFields, request?: AnyRequest, given?: SessionData | null) {
  const data = given === undefined ? await issuing.ownData.forNew(user, request) : given
  return { data, claims: await claimsOf(issuing, { user, data }, request) }
}

/**
 * What the host adds to the access tokens of a session. Asked before anything is written: it may fail.
 * @throws {Unavailable} where it takes longer than a request may
 */
export async function claimsOf (
  { settings: { claims }, publicUsers, ownData }: Issuing, { user, data }: { user: PublicFields, data: unknown }, request?: AnyRequest
): Promise<object> {
  if (!claims) return {}
  return within(msLeft(), ask(async () => {
    const custom = await claims(structuredClone(publicUsers.of(user)), request, { data: ownData.of({ data }) }) ?? {}
    // As it will stand in the token: what JSON cannot say fails here, where nothing is written yet.
    const written: unknown = JSON.parse(JSON.stringify(custom))
    if (!areCustomClaims(written)) throw new TypeError('claims() must give an object without names of claims that are reserved')
    return written
  }))
}

/**
 * Ends the session whose cookies were shown by a request that has begun another one in cookies (ASVS 5 7.2.4): the browser
 * has no other way back to it. It may be another user's, so it ends by itself, once the new one is stored.
 */
export async function endReplaced (
  { cookies, tokens, sessions }: Pick<Issuing, 'cookies' | 'tokens'> & { sessions: Sessions }, request: AnyRequest, transport: SessionTransport
): Promise<void> {
  if (transport === 'body') return
  for (const kind of ['refresh', 'access'] as const) {
    const shown = cookies.read(request, kind)
    if (shown === undefined) continue
    const token = unlessRefused(() => tokens.verifyEvenExpired(shown, [kind]))
    if (token) return sessions.replace(token, clientOf(request))
  }
}

/** Nothing for a token that is none of ours: all that its check throws is a refusal. */
function unlessRefused<Token> (verify: () => Token): Token | undefined {
  try {
    return verify()
  } catch {}
}

/** Where and how a session of this request begins. */
export function beginningOf ({ settings, cookies, csrf }: Issuing, request: AnyRequest, wish: { transport?: Transport, remember?: boolean }) {
  const { transport: wanted = settings.transport === 'cookie' ? 'cookie' : 'body', remember = settings.cookies.persistent } = wish
  if (wanted === 'cookie') {
    csrf.requireOwnSite(request)
    cookies.warnOfLoss(request)
  }
  return { ...clientOf(request), transport: transportOf(wanted, remember) }
}

export function transportOf (transport: Transport, persistent: boolean): SessionTransport {
  if (transport === 'body') return 'body'
  return persistent ? 'cookie' : 'session-cookie'
}

/**
 * For an answer in cookies to a request that has shown none: it might put somebody else's session into a browser.
 * @throws {CsrfFailed}
 */
export function requireOwnSite ({ csrf }: Issuing, request: AnyRequest, { transport }: Pick<Session, 'transport'>, location: Location): void {
  if (transport !== 'body' && location !== 'cookie') csrf.requireOwnSite(request)
}

/** Takes the cookies of a session that is over out of a browser, unless a page of another origin asks for it. */
export function forget ({ settings, cookies, csrf }: Issuing, request: AnyRequest, reply: AnyReply): void {
  if (settings.transport !== 'body' && !csrf.isForeign(request)) setCookies(reply, cookies.clear())
}

/**
 * Takes cookies back whose token is refused for good, unless another site has sent them: a browser would send them for ever.
 * Where newer ones are on their way to it, or there already, those would go. And that a token has expired is told by a
 * clock alone, which may be wrong: the browser forgets an expired cookie by itself.
 */
export function clearRefused ({ cookies, csrf }: Issuing, request: AnyRequest, reply: AnyReply, location: Location, error: unknown): void {
  if (location !== 'cookie' || csrf.isForeign(request) || !isOurs(error) || error.statusCode !== 401) return
  if (error instanceof TokenExpired || error instanceof TokenSuperseded || isOfReplaced(error)) return
  setCookies(reply, cookies.clear())
}
