import { createHmac } from 'node:crypto'
import { Type, type Static } from '@sinclair/typebox'
import { claimsOf, numericDate, sharedClaims, type Parties, type TokenSubject } from './claims.ts'

export const RefreshClaimsSchema = Type.Object(sharedClaims)

/** The payload of a refresh token: nothing personal. Times are seconds since 1970. */
export type RefreshClaims = Static<typeof RefreshClaimsSchema>

/**
 * The claims of the session's current refresh token. They follow from its row alone, so the same token can be made
 * again for a client that lost it, though none is stored.
 */
export function refreshClaims (subject: TokenSubject, parties: Parties): RefreshClaims {
  return {
    ...claimsOf(subject, parties),
    jti: refreshId(subject.salt, subject.gen),
    iat: numericDate(subject.rotatedAt),
    exp: numericDate(subject.refreshExpiresAt),
  }
}

/** The `jti` of one generation: whoever forges it needs the signing key and the session's row. */
export function refreshId (salt: string, gen: number): string {
  return createHmac('sha256', salt).update(`rt${gen}`).digest('base64url')
}
