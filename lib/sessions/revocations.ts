import type { RevokedToken } from '../entities/revoked-token.ts'
import type { Settings } from '../settings.ts'
import type { AccessClaims } from '../tokens/access-token.ts'

/** What an entry of the log tells. */
export type Ending = Pick<RevokedToken, 'kind' | 'subject'>

/** The access tokens that are over before they expire. Exact: it holds all of them, and no others. */
export interface Revocations {
  /** Takes in an entry of the log. Twice does no harm. */
  apply: (ending: Ending) => void
  /** True for an access token that was revoked by itself, or with its session. */
  has: (claims: Pick<AccessClaims, 'sid' | 'jti'>) => boolean
  /** How many entries there are. */
  count: () => number
}

/** Tokens signed by a machine whose clock is ahead live that much longer. */
export const clockSkewSeconds = 60

/** How long something of a token has to be known after its end. */
export function keptForSeconds ({ access, leewaySeconds }: Pick<Settings, 'access' | 'leewaySeconds'>): number {
  return access.expiresInSeconds + leewaySeconds + clockSkewSeconds
}

/**
 * `forgetUser` is told of users: their epochs stand with what is known of them. An entry is kept for as long as tokens live
 * here, from now on: its own times are those of another process, with clocks and settings of its own, and a clock that
 * steps there and back must not bring tokens back to life.
 */
export function createRevocations (settings: Pick<Settings, 'access' | 'leewaySeconds'>, forgetUser: (id: string) => void): Revocations {
  const keptForMs = keptForSeconds(settings) * 1000
  /** Until when an entry with this `sid` or `jti` is kept, on the clock that never steps. They are written in different ways. */
  const over = new Map<string, number>()

  /** All entries are kept as long, so the oldest come first. */
  function forgetExpired (): void {
    const now = performance.now()
    for (const [subject, keptUntil] of over) {
      if (keptUntil > now) return
      over.delete(subject)
    }
  }

  return {
    apply ({ kind, subject }) {
      forgetExpired()
      if (kind === 'user') forgetUser(subject)
      else over.set(subject, performance.now() + keptForMs)
    },
    has: ({ sid, jti }) => over.has(sid) || over.has(jti),
    count: () => over.size,
  }
}
