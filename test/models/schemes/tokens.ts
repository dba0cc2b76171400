// @ts-nocheck
import { refreshClaims, type RefreshClaims } from '../../../lib/tokens/refresh-token.ts'
import type { AccessToken, Answer, Refusal } from './scheme.ts'

export interface ShownToken extends AccessToken {
  gen: number
  ver: number
  iat: number
}

const parties = { issuer: 'model', audiences: ['model'] }
const mostSecondsAhead = 60

/** The tokens of a session as it is, with an access token from now on. */
export function answerOf (session: Parameters<typeof refreshClaims>[0], now: number, exp: number): Answer<RefreshClaims, ShownToken> {
  const { gen, ver } = session
  return { refresh: refreshClaims(session, parties), access: { gen, ver, iat: Math.floor(now / 1000), exp } }
}

/** What a token says of itself: `verify` in `lib/tokens/`, its signature aside. */
export function reject ({ iat, exp }: { iat: number, exp: number }, now: number, lifetimeSeconds: number): Refusal | undefined {
  if (iat > now / 1000 + mostSecondsAhead || exp - iat > lifetimeSeconds) return 'INVALID'
  if (now / 1000 >= exp) return 'EXPIRED'
}
