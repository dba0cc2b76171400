import { isEqual } from '../secrets/equal.ts'
import { refreshId, type RefreshClaims } from '../tokens/claims.ts'

/** A session's row, as far as a refresh token is judged by it. */
export interface SessionState {
  ver: number
  salt: string
  gen: number
  /** The generation of the token that was last rotated; null after a login and after a floor. SKIPs keep it. */
  prevGen: number | null
  /** The branch of that token, or null. */
  prevBranch: string | null
  confirmedGen: number
  /** The generation that a reauthentication has made, which made every earlier token void. */
  floorGen: number
  /** When the current generation was made or, until somebody showed it, last given out. */
  answeredAt: Date
  refreshExpiresAt: Date
  absoluteExpiresAt: Date
  revokedAt: Date | null
  user: { id: string, epoch: number, disabledAt: Date | null }
}

/** The claims that a refresh token is judged by. */
export type Presented = Pick<RefreshClaims, 'sub' | 'jti' | 'gen' | 'br' | 'iat'>

export interface RotationPolicy {
  /**
   * For how long after an answer a spent token is answered with a sibling of its successor. 0: every token works once.
   */
  windowSeconds: number
  /** Until when a lost answer may be asked for again after the window. */
  replay: 'until-confirmed' | 'until-superseded'
}

export type Verdict = 'DEAD' | 'FORGED' | 'OLD' | 'ADOPT' | 'SAME' | 'ROTATE' | 'SKIP' | 'REUSE'

/** The verdict on a token, and the session that it was judged by. */
export interface Judgement<Row extends SessionState = SessionState> {
  session: Row | null
  verdict: Verdict
}

/** A token or an answer from further in the future comes from a clock that is wrong, and is not within any time. */
const mostMsAhead = 60_000

/**
 * Judges a refresh token by its session's row, and by the floor that this process knows from the log: the lowest
 * generation that is still good, Infinity for a session that is over. A pure function; the first line that fits is the
 * verdict. No two answers hold the same token: so once a thief and the victim of a theft have both refreshed, they have
 * siblings, and whichever sibling is used later ends the session.
 *
 * | what was presented                                                                              | verdict |
 * | ----------------------------------------------------------------------------------------------- | ------- |
 * | no session, an ended or expired one; a user who is gone, disabled or logged out everywhere      | DEAD    |
 * | a `jti` that this session never gave to that generation and branch, or another user             | FORGED  |
 * | a generation below the floor: a reauthentication has made newer ones                            | OLD     |
 * | a generation after the row's: the database has lost our last commits                            | ADOPT   |
 * | the current generation, itself issued less than two windows ago: a second tab, a retry          | SAME    |
 * | the current generation                                                                          | ROTATE  |
 * | the very token that was rotated, less than a window after the last answer to it                 | SAME    |
 * | the very token that was rotated, if nobody has shown the current generation: a lost answer      | SKIP    |
 * | anything older, what a SKIP made void, and the siblings of the token that was rotated           | REUSE   |
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
    // The time of issue is anywhere in the second of `iat`.
    return windowMs > 0 && gen > 0 && isWithin(token.iat * 1000, 1000 + 2 * windowMs) ? 'SAME' : 'ROTATE'
  }
  if (windowMs === 0 || token.gen !== prevGen || token.br !== prevBranch) return 'REUSE'
  if (isWithin(answeredAt.getTime(), windowMs)) return 'SAME'
  return replay === 'until-superseded' || confirmedGen < gen ? 'SKIP' : 'REUSE'
}

/** True when no token of the session may be used any more. */
export function isOver (session: SessionState, now: Date): boolean {
  // Written as what must hold, since every comparison with an invalid date is false: such a session is over.
  const goesOn = session.revokedAt === null && session.user.disabledAt === null && session.ver >= session.user.epoch &&
    session.refreshExpiresAt > now && session.absoluteExpiresAt > now
  return !goesOn
}

/**
 * True for a generation between that of the rotated token and the current one: a SKIP has taken its answer for lost.
 */
export function isVoid ({ gen, prevGen }: Pick<SessionState, 'gen' | 'prevGen'>, presented: number): boolean {
  return prevGen !== null && prevGen < presented && presented < gen
}

/** True for a token that this session gave out, in any generation. */
export function isGenuine (
  { salt, user }: Pick<SessionState, 'salt' | 'user'>, { sub, jti, gen, br }: Omit<Presented, 'iat'>
): boolean {
  return sub === user.id && isEqual(jti, refreshId(salt, gen, br))
}
