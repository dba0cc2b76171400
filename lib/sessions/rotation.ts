import { isEqual } from '../secrets/equal.ts'
import { refreshId, type RefreshClaims } from '../tokens/refresh-token.ts'

/** What a session's row says, as far as a refresh token is judged by it. */
export interface SessionState {
  ver: number
  salt: string
  gen: number
  /** The generation that was rotated to make the current one, or one before it; null after a login and a floor. */
  prevGen: number | null
  /** The branch of the token that was rotated. Null is no token's. */
  prevBranch: string | null
  confirmedGen: number
  /** A proof of who one is has made this generation, and every earlier token void. */
  floorGen: number
  /** When the current generation was last given to somebody, as long as nobody had shown it. Never before it was made. */
  answeredAt: Date
  refreshExpiresAt: Date
  absoluteExpiresAt: Date
  revokedAt: Date | null
  user: { id: string, epoch: number, disabledAt: Date | null }
}

/** What of a refresh token it is judged by. */
export type Presented = Pick<RefreshClaims, 'sub' | 'jti' | 'gen' | 'br' | 'iat'>

export interface RotationPolicy {
  /** For how long after an answer a spent token is answered with a sibling of its successor. 0: every token works once. */
  windowSeconds: number
  /** Until when a lost answer may be asked for again after the window. */
  replay: 'until-confirmed' | 'until-superseded'
}

export type Verdict = 'DEAD' | 'FORGED' | 'OLD' | 'ADOPT' | 'SAME' | 'ROTATE' | 'SKIP' | 'REUSE'

/** What a token was found to be, and the session that it was judged by. */
export interface Judgement<Row extends SessionState = SessionState> {
  session: Row | null
  verdict: Verdict
}

/** An age that is further below zero comes from a clock that cannot be believed. */
const mostMsAhead = 60_000

/**
 * Judges a refresh token by its session's row, and by the floor that this process knows from the log: the lowest generation
 * that is still good, Infinity for a session that is over. It reads nothing and writes nothing; the first row that fits is
 * the verdict. No two answers hold the same token, so a copy that somebody else makes use of is another token soon; whichever
 * of two siblings is used later then ends the session.
 *
 * | what was presented                                                                                       | verdict |
 * | -------------------------------------------------------------------------------------------------------- | ------- |
 * | no session, an ended or expired one; a user who is gone, disabled or logged out everywhere               | DEAD    |
 * | a `jti` that this session never gave to that generation and branch, or another user                      | FORGED  |
 * | a generation below the floor: a proof of who one is has made newer ones                                  | OLD     |
 * | a generation after the row's: the database lost our last commits                                         | ADOPT   |
 * | the current generation, itself issued less than two windows ago: a second tab, a retry                   | SAME    |
 * | the current generation                                                                                   | ROTATE  |
 * | the very token that was rotated, less than a window after the last answer to it                          | SAME    |
 * | the same, after the window, and nobody ever showed the current generation: the answer was lost           | SKIP    |
 * | anything older, what a SKIP made void, and the siblings of what was rotated                              | REUSE   |
 */
export function decide (
  session: SessionState | null, token: Presented, now: Date, { windowSeconds, replay }: RotationPolicy, floor = 0
): Verdict {
  if (!session || floor === Infinity || isOver(session, now)) return 'DEAD'
  if (!isGenuine(session, token)) return 'FORGED'

  const { gen, prevGen, prevBranch, confirmedGen, floorGen, answeredAt } = session
  if (token.gen < Math.max(floorGen, floor)) return 'OLD'
  if (token.gen > gen) return 'ADOPT'

  const windowMs = windowSeconds * 1000
  const isWithin = (since: number, ms: number) => now.getTime() - since >= -mostMsAhead && now.getTime() - since < ms
  if (token.gen === gen) {
    // The second of `iat` counts whole.
    return windowMs > 0 && gen > 0 && isWithin(token.iat * 1000, 1000 + 2 * windowMs) ? 'SAME' : 'ROTATE'
  }
  if (windowMs === 0 || token.gen !== prevGen || token.br !== prevBranch) return 'REUSE'
  if (isWithin(answeredAt.getTime(), windowMs)) return 'SAME'
  return replay === 'until-superseded' || confirmedGen < gen ? 'SKIP' : 'REUSE'
}

/** True when nothing of the session may be used any more. */
export function isOver (session: SessionState, now: Date): boolean {
  // Asked this way round, what cannot be compared is over: every comparison with an unreadable date is false.
  const goesOn = session.revokedAt === null && session.user.disabledAt === null && session.ver >= session.user.epoch &&
    session.refreshExpiresAt > now && session.absoluteExpiresAt > now
  return !goesOn
}

/** True for a generation between the last two that were answered with: a SKIP took its answer for lost. */
export function isVoid ({ gen, prevGen }: Pick<SessionState, 'gen' | 'prevGen'>, presented: number): boolean {
  return prevGen !== null && prevGen < presented && presented < gen
}

/** True for a token that this session gave out, in whatever generation. */
export function isGenuine ({ salt, user }: Pick<SessionState, 'salt' | 'user'>, { sub, jti, gen, br }: Pick<Presented, 'sub' | 'jti' | 'gen' | 'br'>): boolean {
  return sub === user.id && isEqual(jti, refreshId(salt, gen, br))
}
