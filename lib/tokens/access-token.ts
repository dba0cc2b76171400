import { randomBytes } from 'node:crypto'
import { Type, type Static } from '@sinclair/typebox'
import { claimsOf, NumericDate, numericDate, sharedClaims, type Parties, type TokenSubject } from './claims.ts'

export const AccessClaimsSchema = Type.Object({
  ...sharedClaims,
  /** When the password was last checked. A refresh keeps it. */
  auth_time: NumericDate,
})

/** The payload of an access token (RFC 9068): nothing personal. Times are seconds since 1970. */
export type AccessClaims = Static<typeof AccessClaimsSchema>

/** The claims of a new access token, which ends no later than its session. */
export function accessClaims (subject: TokenSubject, parties: Parties, expiresInSeconds: number): AccessClaims {
  const iat = Math.floor(Date.now() / 1000)

  return {
    ...claimsOf(subject, parties),
    jti: randomBytes(16).toString('base64url'),
    iat,
    exp: Math.min(iat + expiresInSeconds, numericDate(subject.absoluteExpiresAt)),
    auth_time: numericDate(subject.authTime),
  }
}
