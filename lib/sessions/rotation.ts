import { isEqual } from '../equal.ts'
import { refreshId, type RefreshClaims } from '../tokens/refresh-token.ts'

/** What a session's row says, as far as a refresh token is judged by it. */
export interface SessionState {
  ver: number
  salt: string
  gen: number
  prevGen: number | null
  confirmedGen: number
  /** When the current generation was last given to somebody, as long as nobody had shown it. Never before it was made. */
  answeredAt: Date
  refreshExpiresAt: Date
  absoluteExpiresAt: Date
  revokedAt: Date | null
  user: { id: string, epoch: number, disabledAt: Date | null }
}

export interface RotationPolicy {
  /** For how long after an answer a spent token is answered with its successor. 0: never. */
  windowSeconds: number
  replay: 'until-confirmed' | 'until-superseded'
}

export type Verdict = 'DEAD' | 'FORGED' | 'ADOPT' | 'INVALID' | 'SAME' | 'ROTATE' | 'SKIP' | 'REUSE'

/**
 * Judges a refresh token by its session's row. It reads nothing and writes nothing; the first row that fits is the
 * verdict. The window is open for so long after the current token was last given to somebody who had not got it yet.
 *
 * | what was presented                                                                                       | verdict |
 * | -------------------------------------------------------------------------------------------------------- | ------- |
 * | no session, an ended or expired one; a user who is gone, disabled or logged out everywhere               | DEAD    |
 * | a `jti` that this session never gave to that generation, or another user                                 | FORGED  |
 * | the generation after the row's: the database lost our last commit                                        | ADOPT   |
 * | a generation further ahead                                                                               | INVALID |
 * | the current one, while the window is open: a second tab, a retry                                         | SAME    |
 * | the current one                                                                                          | ROTATE  |
 * | the previous one, while the window is open                                                               | SAME    |
 * | the previous one, after the window, and nobody ever showed the current one: the answer was lost          | SKIP    |
 * | anything older, and what a SKIP made void                                                                | REUSE   |
 */
export function decide (
  session: SessionState | null, token: RefreshClaims, now: Date, { windowSeconds, replay }: RotationPolicy
): Verdict {
  if (!session || isOver(session, now)) return 'DEAD'
  if (!isGenuine(session, token)) return 'FORGED'

  const { gen, prevGen, confirmedGen, answeredAt } = session
  if (token.gen > gen) return token.gen === gen + 1 ? 'ADOPT' : 'INVALID'

  // A clock that is behind makes ages negative, which without a window must not look like one.
  const inWindow = windowSeconds > 0 && now.getTime() - answeredAt.getTime() < windowSeconds * 1000
  if (token.gen === gen) return inWindow && gen > 0 ? 'SAME' : 'ROTATE'
  if (token.gen !== prevGen || windowSeconds === 0) return 'REUSE'
  if (inWindow) return 'SAME'
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
export function isGenuine ({ salt, user }: Pick<SessionState, 'salt' | 'user'>, { sub, jti, gen }: RefreshClaims): boolean {
  return sub === user.id && isEqual(jti, refreshId(salt, gen))
}
