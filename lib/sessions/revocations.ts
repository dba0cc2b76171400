import type { RevokedToken } from '../entities/revoked-token.ts'
import type { AccessClaims } from '../tokens/access-token.ts'

/** What an entry of the log tells. */
export type Ending = Pick<RevokedToken, 'kind' | 'subject' | 'expiresAt'>

/** The access tokens that are over before they expire. Exact: it holds all of them, and no others. */
export interface Revocations {
  /** Takes in an entry of the log. Twice does no harm. */
  apply: (ending: Ending) => void
  /** True for an access token that was revoked by itself, or with its session. */
  has: (claims: Pick<AccessClaims, 'sid' | 'jti'>) => boolean
  /** How many entries there are. */
  count: () => number
}

/** `forgetUser` is told of users: their epochs stand with what is known of them. */
export function createRevocations (forgetUser: (id: string) => void): Revocations {
  /** When nothing that bears the `sid` or the `jti` can be alive any more, in ms since 1970. They are written in different ways. */
  const over = new Map<string, number>()

  /** All entries live as long, so the oldest come first. */
  function forgetExpired (): void {
    const now = Date.now()
    for (const [subject, expiresAt] of over) {
      if (expiresAt > now) return
      over.delete(subject)
    }
  }

  return {
    apply ({ kind, subject, expiresAt }) {
      forgetExpired()
      if (kind === 'user') forgetUser(subject)
      else over.set(subject, expiresAt.getTime())
    },
    has: ({ sid, jti }) => over.has(sid) || over.has(jti),
    count: () => over.size,
  }
}
