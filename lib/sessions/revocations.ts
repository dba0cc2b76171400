import type { RevokedToken } from '../entities/revoked-token.ts'
import { TokenRevoked, TokenSuperseded } from '../errors.ts'
import type { Settings } from '../settings.ts'
import type { AccessClaims } from '../tokens/access-token.ts'

/** What an entry of the log tells. */
export type Ending = Pick<RevokedToken, 'kind' | 'subject' | 'epoch'>

/** The access tokens that are over before they expire. Exact: it holds all of them, and no others. */
export interface Revocations {
  /** Takes in an entry of the log. Twice does no harm. */
  apply: (ending: Ending) => void
  /** The lowest generation of a session whose tokens are good: 0 where nothing is known of it, Infinity where it is over. */
  floorOf: (sessionId: string) => number
  /** True for an access token that was revoked by itself, or with its session. */
  has: (claims: Pick<AccessClaims, 'sid' | 'jti'>) => boolean
  /** True for an access token whose session goes on with newer ones, after its user has proved who they are. */
  isSuperseded: (claims: Pick<AccessClaims, 'sid' | 'gen'>) => boolean
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
 * The error for an access token that is over, by itself or with its session, or has given way to newer ones; undefined where
 * nothing is known against it.
 */
export function refusalOf (claims: Pick<AccessClaims, 'sid' | 'jti' | 'gen'>, { has, isSuperseded }: Pick<Revocations, 'has' | 'isSuperseded'>): Error | undefined {
  if (has(claims)) return new TokenRevoked()
  if (isSuperseded(claims)) return new TokenSuperseded()
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
  /** The floors of sessions that go on, and until when they are kept. */
  const floors = new Map<string, { floor: number, keptUntil: number }>()

  /** All entries are kept as long, so the oldest come first. */
  function forgetExpired (): void {
    const now = performance.now()
    for (const [subject, keptUntil] of over) {
      if (keptUntil > now) break
      over.delete(subject)
    }
    for (const [subject, { keptUntil }] of floors) {
      if (keptUntil > now) break
      floors.delete(subject)
    }
  }

  /** Floors only rise, in whatever order the log is read. */
  function raise (sessionId: string, floor: number): void {
    const known = floors.get(sessionId)?.floor ?? 0
    floors.delete(sessionId)
    floors.set(sessionId, { floor: Math.max(known, floor), keptUntil: performance.now() + keptForMs })
  }

  const floorOf = (sessionId: string) => over.has(sessionId) ? Infinity : floors.get(sessionId)?.floor ?? 0

  return {
    apply ({ kind, subject, epoch }) {
      forgetExpired()
      if (kind === 'user') forgetUser(subject)
      else if (epoch !== null) raise(subject, epoch)
      else over.set(subject, performance.now() + keptForMs)
    },
    floorOf,
    has: ({ sid, jti }) => over.has(sid) || over.has(jti),
    isSuperseded: ({ sid, gen }) => floors.size > 0 && gen < (floors.get(sid)?.floor ?? 0),
    count: () => over.size + floors.size,
  }
}
