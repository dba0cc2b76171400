import { randomBytes } from 'node:crypto'
import { Type, type Static } from '@sinclair/typebox'
import type { AccountsTypes } from '../host/types.ts'
import {
  NumericDate, numericDate, sessionClaims, sharedClaims, type Parties, type SharedClaims, type TokenSubject
} from './claims.ts'

export const AccessClaimsSchema = Type.Object({
  ...sharedClaims,
  /** When the password was last checked. A refresh keeps it. */
  auth_time: NumericDate,
})

/** The payload of an access token (RFC 9068): nothing personal. Times are seconds since 1970. */
export type AccessClaims = Static<typeof AccessClaimsSchema>

/**
 * The claims of any token of ours. Only access tokens have `auth_time`, and the claims that the option `claims` adds.
 */
export type TokenClaims =
  SharedClaims & { auth_time?: number } & (AccountsTypes extends { claims: infer Custom } ? Custom : {})

/** The claims that are ours to write, and names that would make an object something else. */
const reserved = [...Object.keys(AccessClaimsSchema.properties), '__proto__']

/** True for an object that a host may add to the claims. */
export function areCustomClaims (claims: unknown): claims is Record<string, unknown> {
  const isObject = typeof claims === 'object' && claims !== null && !Array.isArray(claims)
  return isObject && !Object.keys(claims).some((name) => reserved.includes(name))
}

/** The claims of a new access token, which ends no later than its session. */
export function accessClaims (
  subject: TokenSubject, custom: object, parties: Parties, expiresInSeconds: number
): AccessClaims {
  const iat = Math.floor(Date.now() / 1000)

  return {
    ...custom,
    ...sessionClaims(subject, parties),
    jti: randomBytes(16).toString('base64url'),
    iat,
    exp: Math.min(iat + expiresInSeconds, numericDate(subject.absoluteExpiresAt)),
    // The row may have been written by a clock that was ahead, and no token may have a password checked after its
    // `iat`.
    auth_time: Math.min(numericDate(subject.authTime), iat),
  }
}
