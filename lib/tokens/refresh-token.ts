import { createHmac, randomBytes } from 'node:crypto'
import { Type, type Static } from '@sinclair/typebox'
import { Counter, numericDate, sessionClaims, sharedClaims, type Parties, type TokenSubject } from './claims.ts'

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
