import { createHmac, randomBytes } from 'node:crypto'
import { Type, type Static } from '@sinclair/typebox'
import { claimsOf, Counter, numericDate, sharedClaims, type Parties, type TokenSubject } from './claims.ts'

/** 96 random bits that make each refresh token one of its kind. */
const Branch = Type.String({ pattern: '^[\\w-]{16}$' })

const ParentSchema = Type.Union([Type.Object({ gen: Counter, br: Branch }, { additionalProperties: false }), Type.Null()])

/** The generation and the branch of the token that was rotated to make another; null for what a proof of who one is has made. */
export type Parent = Static<typeof ParentSchema>

export const RefreshClaimsSchema = Type.Object({ ...sharedClaims, br: Branch, pa: ParentSchema })

/** The payload of a refresh token: nothing personal. Times are seconds since 1970. */
export type RefreshClaims = Static<typeof RefreshClaimsSchema>

/** What follows the audience of access tokens in that of refresh tokens: who looks at key, issuer and audience alone takes no one for the other. */
export const refreshSuffix = '/refresh'

/**
 * The claims of a new refresh token of the session's current generation, like none that was given out before: its `jti`
 * follows from its branch and the session's salt, so no token is ever stored.
 */
export function refreshClaims (subject: TokenSubject, parties: Parties, expiresInSeconds: number, pa: Parent): RefreshClaims {
  const { iss, aud, sub, sid, gen, ver } = claimsOf(subject, parties)
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

/** The `jti` of one generation and branch: whoever forges it needs the signing key and the session's row. */
export function refreshId (salt: string, gen: number, br: string): string {
  return createHmac('sha256', salt).update(`rt\0${gen}\0${br}`).digest('base64url')
}
