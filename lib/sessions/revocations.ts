import type { RevokedToken } from './revoked-token.ts'
import { TokenRevoked, TokenSuperseded } from './errors.ts'
import type { AccessClaims } from '../tokens/claims.ts'
import { isExpired } from '../tokens/tokens.ts'
import type { SessionSettings } from './options.ts'
import { now, type Moment } from './poll.ts'

/** An entry of the log, as far as other processes need it. */
export type Ending = Pick<RevokedToken, 'kind' | 'subject' | 'epoch' | 'createdAt'>

/**
 * Knows all access tokens that are over before they expire, and no others. Only of those that `mayBeForgotten` is true
 * for it does not know.
 */
export interface Revocations {
  /** Takes in an entry of the log, which may come more than once. */
  apply: (ending: Ending) => void
  /**
   * The lowest generation of a session whose tokens are good: 0 where nothing is known of it, Infinity where it is
   * over.
   */
  floorOf: (sessionId: string) => number
  /** True for an access token that was revoked by itself, or with its session. */
  has: (claims: Pick<AccessClaims, 'sid' | 'jti'>) => boolean
  /** True for an access token whose session goes on with newer ones, since the password was given again. */
  isSuperseded: (claims: Pick<AccessClaims, 'sid' | 'gen'>) => boolean
  /**
   * True for an access token that had expired by the time that something was forgotten, but has not expired now: the
   * clock has been set back since, and only the database knows whether the token is over.
   */
  mayBeForgotten: (claims: Pick<AccessClaims, 'exp'>) => boolean
  /** The sessions and tokens that are known, each with the floor that `floorOf` gives. */
  floors: () => [subject: string, floor: number][]
  /** How many sessions and tokens there are. */
  count: () => number
}

/** So much may the clock of another machine be ahead, so its tokens live that much longer. */
export const clockSkewSeconds = 60

/** How long a revocation has to be known: until the tokens that it ends have all expired. */
export function keptForSeconds ({ access, leewaySeconds }: Pick<SessionSettings, 'access' | 'leewaySeconds'>): number {
  return access.expiresInSeconds + leewaySeconds + clockSkewSeconds
}

/**
 * The error for an access token that is over, by itself or with its session, or has given way to newer ones; undefined
 * where nothing is known against it.
 */
export function refusalOf (
  claims: Pick<AccessClaims, 'sid' | 'jti' | 'gen'>, { has, isSuperseded }: Pick<Revocations, 'has' | 'isSuperseded'>
): Error | undefined {
  if (has(claims)) return new TokenRevoked()
  if (isSuperseded(claims)) return new TokenSuperseded()
}

/** Rounded up, so that all that is read in one second is kept until one `Moment`, and shares the object. */
const wholeSeconds = (ms: number) => Math.ceil(ms / 1000) * 1000

/**
 * `forgetUser` is called for entries of users, whose epochs are remembered with the users. Other entries are kept for
 * as long as tokens live in this process, by both clocks, counted from when they were read and from when they were
 * written: so no clock that is wrong, here or in the process that wrote them, makes tokens outlive them. A clock that
 * is set back later may, and `mayBeForgotten` is for that. What was pruned from the log until `prunedUntil`, in ms,
 * counts as forgotten.
 */
export function createRevocations (
  settings: Pick<SessionSettings, 'access' | 'leewaySeconds'>, forgetUser: (id: string) => void, prunedUntil = 0
): Revocations {
  const keptForMs = keptForSeconds(settings) * 1000
  /** Until when each `sid` or `jti` is kept, the oldest first. No `jti` has the form of a `sid`. */
  const known = new Map<string, Moment>()
  /** The floors of the sessions among them that go on. */
  const floors = new Map<string, number>()
  let latest: Moment = { steady: 0, wall: 0 }
  /** No token that expires later was forgotten. */
  let forgottenUntil = prunedUntil

  function keep (subject: string, writtenAt: Date, readAt: Moment): void {
    const steady = wholeSeconds(readAt.steady + keptForMs)
    const wall = wholeSeconds(Math.max(readAt.wall, writtenAt.getTime()) + keptForMs)
    if (steady !== latest.steady || wall !== latest.wall) latest = { steady, wall }
    known.delete(subject)
    known.set(subject, latest)
  }

  function forgetExpired (moment: Moment): void {
    for (const [subject, until] of known) {
      if (until.steady > moment.steady) break
      known.delete(subject)
      if (until.wall > moment.wall) {
        known.set(subject, { steady: moment.steady + keptForMs, wall: until.wall })
      } else {
        floors.delete(subject)
        forgottenUntil = Math.max(forgottenUntil, until.wall)
      }
    }
  }

  const floorOf = (sessionId: string) => known.has(sessionId) ? floors.get(sessionId) ?? Infinity : 0

  return {
    apply ({ kind, subject, epoch, createdAt }) {
      const readAt = now()
      forgetExpired(readAt)
      if (kind === 'user') return forgetUser(subject)
      // Floors only rise, in whatever order the log is read.
      const floor = Math.max(floorOf(subject), epoch ?? Infinity)
      if (floor < Infinity) floors.set(subject, floor)
      else floors.delete(subject)
      keep(subject, createdAt, readAt)
    },
    floorOf,
    has: ({ sid, jti }) => floorOf(sid) === Infinity || known.has(jti),
    isSuperseded: ({ sid, gen }) => floors.size > 0 && gen < (floors.get(sid) ?? 0),
    mayBeForgotten: (claims) => isExpired(claims, settings.leewaySeconds, forgottenUntil),
    floors: () => [...known.keys()].map((subject) => [subject, floorOf(subject)]),
    count: () => known.size,
  }
}
