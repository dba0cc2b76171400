import { createHmac, randomBytes } from 'node:crypto'
import { Type, type Static, type TObject } from '@sinclair/typebox'
import type { AccountsTypes } from '../host/types.ts'
import { levels, type Level, type Proved } from './levels.ts'

/** RFC 7519 §2: seconds since 1970, up to the year 9999. */
const NumericDate = Type.Number({ minimum: 0, maximum: 253402300799 })

const Counter = Type.Integer({ minimum: 0, maximum: 2 ** 31 - 1 })
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
  /** The epoch of the user at the login. */
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
  acr: string
  amr: string[] | null
  /** The admin who has borrowed it, where one has. */
  actorId?: string | null
  refreshExpiresAt: Date
  absoluteExpiresAt: Date
}

/** The issuer of tokens, and their audiences: the first is written, each is accepted. */
export interface Parties {
  issuer: string
  audiences: string[]
}

/** The claims that access and refresh tokens of a session have in common. */
function sessionClaims ({ id, user, gen, ver }: TokenSubject, { issuer, audiences }: Parties) {
  return { iss: issuer, aud: audiences[0]!, sub: user.id, sid: id, gen, ver }
}

/** True for what has the form of an id of users and sessions. Of anything else no database is asked. */
export function isId (id: unknown): boolean {
  return typeof id === 'string' && new RegExp(idForm).test(id)
}

export function numericDate (date: Date): number {
  return Math.floor(date.getTime() / 1000)
}

export const AccessClaimsSchema = Type.Object({
  ...sharedClaims,
  /** When the user last proved everything that the account requires. A refresh keeps it. */
  auth_time: NumericDate,
})

/** What access tokens say too where there are second factors or passkeys. A token of before has neither. */
const levelClaims = {
  acr: Type.Optional(Type.Unsafe<Level>({ enum: [...levels] })),
  amr: Type.Optional(Type.Array(Type.String({ maxLength: 16 }), { maxItems: 8 })),
}

/** The claims of access tokens where there are levels. */
export const LeveledClaimsSchema = Type.Object({ ...AccessClaimsSchema.properties, ...levelClaims })

/** Who acts with a token that is not theirs (RFC 8693 §4.1). */
const ActorSchema = Type.Object({ sub: Id }, { additionalProperties: false })

/**
 * The claims of access tokens of borrowed sessions, where admins may borrow some: with the admin, and without anything
 * that says that the user has proved who they are.
 */
export const BorrowedClaimsSchema = Type.Object({
  ...sharedClaims, act: ActorSchema, auth_time: Type.Optional(Type.Never()),
})

/** The claims of a borrowed session's access tokens where there are levels too. */
export const BorrowedLeveledClaimsSchema = Type.Object({
  ...BorrowedClaimsSchema.properties, acr: Type.Optional(Type.Never()), amr: Type.Optional(Type.Never()),
})

/**
 * The payload of an access token (RFC 9068): nothing personal. Times are seconds since 1970. `acr` and `amr` are ours
 * only where there are levels, and `act` only where admins may borrow sessions; elsewhere they are the host's. A token
 * has `act` or `auth_time`.
 */
export type AccessClaims = Omit<Static<typeof LeveledClaimsSchema>, 'auth_time'> & {
  auth_time?: number
  act?: Static<typeof ActorSchema>
}

/**
 * The claims of any token of ours. Only access tokens have `auth_time`, or in a borrowed session `act`, and the claims
 * that the option `claims` adds.
 */
export type TokenClaims =
  SharedClaims & { auth_time?: number, act?: { sub: string } } &
  (AccountsTypes extends { claims: infer Custom } ? Custom : {})

/** The claims that are ours to write, and names that would make an object something else. */
const reserved = [...Object.keys(AccessClaimsSchema.properties), '__proto__']

/** Which claims are ours beside those that every app has. */
export interface OwnClaims {
  hasLevels: boolean
  lendsSessions: boolean
}

/** True for an object that a host may add to the claims. */
export function areCustomClaims (
  claims: unknown, { hasLevels, lendsSessions }: OwnClaims
): claims is Record<string, unknown> {
  const isObject = typeof claims === 'object' && claims !== null && !Array.isArray(claims)
  const ours = [...reserved, ...hasLevels ? Object.keys(levelClaims) : [], ...lendsSessions ? ['act'] : []]
  return isObject && !Object.keys(claims).some((name) => ours.includes(name))
}

/** Who has borrowed the session of these claims. Undefined where nobody has, as ever where no session is lent. */
export function actorOf ({ act }: Pick<AccessClaims, 'act'>, lendsSessions: boolean): string | undefined {
  return lendsSessions ? act?.sub : undefined
}

/** What a session or a token says of how it was proved who has it. What says nothing counts least. */
export function provedBy ({ acr, amr }: { acr?: string | undefined, amr?: string[] | null | undefined }): Proved {
  return { acr: levels.find((level) => level === acr) ?? 'aal1', amr: amr ?? [] }
}

/** The claims of a new access token, which ends no later than its session. */
export function accessClaims (
  subject: TokenSubject, custom: object, parties: Parties & { hasLevels: boolean }, expiresInSeconds: number
): AccessClaims {
  const iat = Math.floor(Date.now() / 1000)

  return {
    ...custom,
    ...sessionClaims(subject, parties),
    jti: randomBytes(16).toString('base64url'),
    iat,
    exp: Math.min(iat + expiresInSeconds, numericDate(subject.absoluteExpiresAt)),
    ...subject.actorId ? { act: { sub: subject.actorId } } : authenticated(subject, parties, iat),
  }
}

/** What is known of how the user of a session has proved who they are. */
function authenticated (subject: TokenSubject, { hasLevels }: { hasLevels: boolean }, iat: number) {
  return {
    // The row may have been written by a clock that was ahead, and no token may have a password checked after its
    // `iat`.
    auth_time: Math.min(numericDate(subject.authTime), iat),
    ...hasLevels && provedBy(subject),
  }
}

/** 96 random bits, by which no two refresh tokens are the same. */
const Branch = Type.String({ pattern: '^[\\w-]{16}$' })

const ParentSchema = Type.Union([
  Type.Object({ gen: Counter, br: Branch }, { additionalProperties: false }),
  Type.Null(),
])

/** The generation and the branch of the token that was rotated into this one; null for one that a password has made. */
export type Parent = Static<typeof ParentSchema>

export const RefreshClaimsSchema = Type.Object({ ...sharedClaims, br: Branch, pa: ParentSchema })

/** The payload of a refresh token: nothing personal. Times are seconds since 1970. */
export type RefreshClaims = Static<typeof RefreshClaimsSchema>

/**
 * What the audience of refresh tokens ends in, after that of access tokens: so whoever verifies key, issuer and
 * audience alone never takes a refresh token for an access token.
 */
export const refreshSuffix = '/refresh'

/**
 * The claims of a new refresh token of the session's current generation. Its branch is random, and its `jti` follows
 * from that and the session's salt: so no two tokens are the same, and none is ever stored.
 */
export function refreshClaims (
  subject: TokenSubject, parties: Parties, expiresInSeconds: number, pa: Parent
): RefreshClaims {
  const { iss, aud, sub, sid, gen, ver } = sessionClaims(subject, parties)
  const br = randomBytes(12).toString('base64url')
  const iat = Math.floor(Date.now() / 1000)

  return {
    iss,
    aud: `${aud}${refreshSuffix}`,
    sub,
    sid,
    gen,
    br,
    pa,
    ver,
    jti: refreshId(subject.salt, gen, br),
    iat,
    // The clock that made the row may be ahead of this one, and no life is longer than the configured one.
    exp: Math.min(numericDate(subject.refreshExpiresAt), iat + expiresInSeconds),
  }
}

/** The `jti` of one generation and branch: to forge one takes the signing key and the session's row. */
export function refreshId (salt: string, gen: number, br: string): string {
  return createHmac('sha256', salt).update(`rt\0${gen}\0${br}`).digest('base64url')
}
