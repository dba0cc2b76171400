import type { Database } from '../database/database.ts'
import type { SessionTelemetry } from './events.ts'
import { Unavailable } from '../http/errors.ts'
import type { Client } from '../http/request.ts'
import { isExpired } from '../tokens/tokens.ts'
import { TokenExpired, TokenInvalid } from '../tokens/errors.ts'
import type { Parent, RefreshClaims } from '../tokens/claims.ts'
import type { Confirmations } from './confirmations.ts'
import type { Session } from './entity.ts'
import { RefreshReused, TokenRevoked, TokenSuperseded } from './errors.ts'
import type { FindSession } from './find-session.ts'
import { createMoves } from './moves.ts'
import type { SessionSettings } from './options.ts'
import { createRefreshReports } from './refresh-report.ts'
import { sessionReplaced } from './replaced.ts'
import type { Revocations } from './revocations.ts'
import { decide, type Judgement } from './rotation.ts'
import { stepFor, type Step } from './steps.ts'
import type { EndReused } from './theft.ts'

/**
 * Makes the answer for a session as it will be, before that is stored: if it throws, nothing has changed. `parent` is
 * the parent of the new refresh token; undefined where the client keeps the one that it has shown.
 */
export type Issue<Answer> = (session: Session, parent?: Parent) => Answer

/** What is done with refresh tokens. */
export interface Refreshes {
  /**
   * Moves the session on, where it has to move, and gives the answer. `prepare` is given the session before it moves:
   * if it throws, or the function that it gives, the token stays unspent.
   * @throws {TokenExpired | TokenRevoked | TokenInvalid | TokenSuperseded | RefreshReused} a 401; `RefreshReused` has
   * ended the session
   * @throws {Unavailable} after 8 lost races
   */
  refresh: <Answer>(
    claims: RefreshClaims, prepare: (session: Session) => Promise<Issue<Answer>>, client: Client
  ) => Promise<Answer>
  /**
   * Judges a refresh token as `refresh` does, and ends a session whose token was stolen, but moves nothing on.
   * @throws {TokenRevoked | TokenInvalid | TokenSuperseded | RefreshReused} a 401
   */
  inspect: (claims: RefreshClaims, client?: Client) => Promise<Session>
  /**
   * Judges a refresh token as `refresh` does, and changes nothing at all, as for introspection.
   * @throws {TokenRevoked | TokenInvalid | TokenSuperseded | RefreshReused} a 401
   */
  peek: (claims: RefreshClaims) => Promise<Session>
}

/** What refreshes are made of. */
interface RefreshParts {
  database: Database
  find: FindSession
  revocations: Pick<Revocations, 'floorOf'>
  confirmations: Confirmations
  endReused: EndReused
  telemetry: SessionTelemetry
}

const mostTries = 8

export function createRefreshes (
  { database, find, revocations, confirmations, endReused, telemetry }: RefreshParts,
  { refresh: policy, leewaySeconds }: Pick<SessionSettings, 'refresh' | 'leewaySeconds'>
): Refreshes {
  const reportOf = createRefreshReports(telemetry)
  const moves = createMoves(database, policy)

  /** One compare-and-swap, by itself: no transaction, no lock. False where somebody else was first. */
  async function move (session: Session, { how, change }: Step): Promise<boolean> {
    const { id, gen: wasGen, prevGen: wasPrevGen, answeredAt: wasAnsweredAt } = session
    return await database.run((em) => moves[how].run(em, { ...change, id, wasGen, wasPrevGen, wasAnsweredAt })) === 1
  }

  /** Reads the row and judges the token by it. */
  async function judge (claims: RefreshClaims): Promise<Judgement<Session>> {
    const session = await database.run((em) => find(em, claims.sid))
    return { session, verdict: decide(session, claims, new Date(), policy, revocations.floorOf(claims.sid)) }
  }

  /** Reads the row and judges the token by it, and ends the session where the token is used again. */
  async function judgeAndEnd (claims: RefreshClaims, client?: Client): Promise<Judgement<Session>> {
    const judgement = await judge(claims)
    const { session, verdict } = judgement
    if (verdict !== 'REUSE') return judgement
    const { gen, br, iat } = claims
    await endReused(session!, claims.sub, { gen, br, issuedAt: iat * 1000 }, client)
    return judgement
  }

  /**
   * One try. It gives nothing if the row has changed since: then the next try judges it anew. The answer is made before
   * the session moves, so that no token is spent for an answer that cannot be made.
   */
  async function tryOnce<Answer> (
    claims: RefreshClaims, session: Session, step: Step | undefined, issue: Issue<Answer>
  ): Promise<{ answer: Answer } | undefined> {
    const next = { ...session, ...step?.change }
    const answer = issue(next, claims.gen === next.gen ? undefined : { gen: claims.gen, br: claims.br })
    if (step && !await move(session, step)) return
    if (!step) confirmations.noteUnlessStored(session, claims.gen)
    return { answer }
  }

  return {
    async refresh (claims, prepare, client) {
      const cameAt = new Date()
      const report = reportOf(claims, client)
      try {
        if (isExpired(claims, leewaySeconds)) {
          report.expired()
          throw new TokenExpired()
        }
        await confirmations.flush(claims.sid)
        for (let tries = 0; tries < mostTries; tries++) {
          const judgement = await judgeAndEnd(claims, client)
          report.judged(judgement)
          const session = accepted(judgement)
          const issue = await prepare(session)
          const step = stepFor({ claims, client, cameAt }, session, judgement.verdict, policy)
          if (judgement.verdict === 'ADOPT') {
            if (await move(session, step!)) telemetry.counters.refreshesAdopted++
            continue
          }
          const tried = await tryOnce(claims, session, step, issue)
          if (tried) {
            report.answered()
            return tried.answer
          }
          telemetry.counters.refreshesOvertaken++
        }
        throw new Unavailable()
      } finally {
        report.finish()
      }
    },

    inspect: async (claims, client) => accepted(await judgeAndEnd(claims, client)),
    peek: async (claims) => accepted(await judge(claims)),
  }
}

/**
 * The session of a token that may be answered.
 * @throws {TokenRevoked | TokenInvalid | TokenSuperseded | RefreshReused}
 */
function accepted ({ session, verdict }: Judgement<Session>): Session {
  if (verdict === 'DEAD') throw session?.revokeReason === 'replaced' ? sessionReplaced() : new TokenRevoked()
  if (verdict === 'FORGED') throw new TokenInvalid()
  if (verdict === 'OLD') throw new TokenSuperseded()
  if (verdict === 'REUSE') throw new RefreshReused()
  return session!
}
