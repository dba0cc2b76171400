import { Type, type Static, type TObject } from '@sinclair/typebox'

/** RFC 7519 §2: seconds since 1970, up to the year 9999. */
export const NumericDate = Type.Number({ minimum: 0, maximum: 253402300799 })

export const Counter = Type.Integer({ minimum: 0, maximum: 2 ** 31 - 1 })
const idForm = '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
const Id = Type.String({ pattern: idForm })

/** The claims of both kinds of token. All are required but `nbf`, which we honour and do not write. */
export const sharedClaims = {
  iss: Type.String(),
  aud: Type.Union([Type.String(), Type.Array(Type.String())]),
  /** The user. */
  sub: Id,
  /** The session. */
  sid: Id,
  /** The generation of the session's chain of refresh tokens. */
  gen: Counter,
  /** The user's epoch at the login. */
  ver: Counter,
  jti: Type.String({ pattern: '^[\\w-]{16,64}$' }),
  iat: NumericDate,
  nbf: Type.Optional(NumericDate),
  exp: NumericDate,
}

export type SharedClaims = Static<TObject<typeof sharedClaims>>

/** The session that tokens are made for. */
export interface TokenSubject {
  id: string
  user: { id: string }
  ver: number
  salt: string
  gen: number
  authTime: Date
  refreshExpiresAt: Date
  absoluteExpiresAt: Date
}

/** The issuer of tokens, and their audiences: the first is written, each is accepted. */
export interface Parties {
  issuer: string
  audiences: string[]
}

/** So much may the clocks of other machines be ahead. */
const mostSecondsAhead = 60

/** The claims that access and refresh tokens of a session have in common. */
export function sessionClaims ({ id, user, gen, ver }: TokenSubject, { issuer, audiences }: Parties) {
  return { iss: issuer, aud: audiences[0]!, sub: user.id, sid: id, gen, ver }
}

/**
 * True when the claims are ones that we could have written, whenever (RFC 8725 §3.8-3.10). A life longer than the
 * configured one is refused too: it catches milliseconds taken for seconds.
 */
export function areOurs (
  claims: SharedClaims & { auth_time?: number }, { issuer, audiences }: Parties, mostSeconds: number
): boolean {
  const { iss, aud, iat, exp, auth_time: authTime = iat } = claims

  return iss === issuer && [aud].flat().some((party) => audiences.includes(party)) &&
    authTime <= iat + mostSecondsAhead && exp >= iat && exp - iat <= mostSeconds
}

/** True from the time of `nbf` on. */
export function hasBegun ({ nbf = 0 }: Pick<SharedClaims, 'nbf'>, leewaySeconds: number): boolean {
  return nbf <= Date.now() / 1000 + leewaySeconds
}

/** True for a token from the future: either our clock is behind, or that of its writer was ahead. */
export function isAhead ({ iat }: Pick<SharedClaims, 'iat'>): boolean {
  return iat > Date.now() / 1000 + mostSecondsAhead
}

/** True for what has the form of an id of users and sessions. Of anything else no database is asked. */
export function isId (id: unknown): boolean {
  return typeof id === 'string' && new RegExp(idForm).test(id)
}

/** RFC 7519 §4.1.4: in the second of `exp` the token is over. */
export function isExpired ({ exp }: { exp: number }, leewaySeconds: number, now = Date.now()): boolean {
  return now / 1000 >= exp + leewaySeconds
}

export function numericDate (date: Date): number {
  return Math.floor(date.getTime() / 1000)
}
