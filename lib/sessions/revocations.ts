import type { RevokedToken } from './revoked-token.ts'
import { TokenRevoked, TokenSuperseded } from './errors.ts'
import type { AccessClaims } from '../tokens/access-token.ts'
import { isExpired } from '../tokens/claims.ts'
import type { SessionSettings } from './options.ts'
import { now, type Moment } from './pulse.ts'

/** What an entry of the log tells. */
export type Ending = Pick<RevokedToken, 'kind' | 'subject' | 'epoch' | 'createdAt'>

/**
 * The access tokens that are over before they expire. Exact, but for those that `mayBeForgotten`: it holds all of them,
 * and no others.
 */
export interface Revocations {
  /** Takes in an entry of the log. Twice does no harm. */
  apply: (ending: Ending) => void
  /** The lowest generation of a session whose tokens are good: 0 where nothing is known of it, Infinity where it is over. */
  floorOf: (sessionId: string) => number
  /** True for an access token that was revoked by itself, or with its session. */
  has: (claims: Pick<AccessClaims, 'sid' | 'jti'>) => boolean
  /** True for an access token whose session goes on with newer ones, after its user has proved who they are. */
  isSuperseded: (claims: Pick<AccessClaims, 'sid' | 'gen'>) => boolean
  /**
   * True for an access token that had expired when something was forgotten, and has not any more: a clock has been put
   * back since, and only the database knows whether the token is over.
   */
  mayBeForgotten: (claims: Pick<AccessClaims, 'exp'>) => boolean
  /** The sessions and tokens that are known, each with its floor, as `floorOf` has it. */
  floors: () => [subject: string, floor: number][]
  /** How many sessions and tokens there are. */
  count: () => number
}

/** Tokens signed by a machine whose clock is ahead live that much longer. */
export const clockSkewSeconds = 60

/** How long something of a token has to be known after its end. */
export function keptForSeconds ({ access, leewaySeconds }: Pick<SessionSettings, 'access' | 'leewaySeconds'>): number {
  return access.expiresInSeconds + leewaySeconds + clockSkewSeconds
}

/**
 * The error for an access token that is over, by itself or with its session, or has given way to newer ones; undefined where
 * nothing is known against it.
 */
export function refusalOf (claims: Pick<AccessClaims, 'sid' | 'jti' | 'gen'>, { has, isSuperseded }: Pick<Revocations, 'has' | 'isSuperseded'>): Error | undefined {
  if (has(claims)) return new TokenRevoked()
  if (isSuperseded(claims)) return new TokenSuperseded()
}

/** What is learned in the same second is kept until the same moment, and that is one object for all of it. */
const wholeSeconds = (ms: number) => Math.ceil(ms / 1000) * 1000

/**
 * `forgetUser` is told of users: their epochs stand with what is known of them. An entry is kept for as long as tokens
 * live here, by the clock that nobody sets and by the one on the wall, from when it was read and from when it was
 * written: no clock that is wrong, here or there, makes its tokens outlive it. One that is put back later may, and
 * `mayBeForgotten` is for that. What was pruned from the log until `prunedUntil`, in ms, counts as forgotten.
 */
export function createRevocations (
  settings: Pick<SessionSettings, 'access' | 'leewaySeconds'>, forgetUser: (id: string) => void, prunedUntil = 0
): Revocations {
  const keptForMs = keptForSeconds(settings) * 1000
  /** Until when what has this `sid` or `jti` is kept, the oldest first. They are written in different ways. */
  const known = new Map<string, Moment>()
  /** Of the sessions among them that go on. */
  const floors = new Map<string, number>()
  let latest: Moment = { steady: 0, wall: 0 }
  /** No token that ends later was forgotten. */
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
