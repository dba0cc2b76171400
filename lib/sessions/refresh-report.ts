import type { Session } from './entity.ts'
import { storable, type Client } from '../http/request.ts'
import type { RefreshEvent, RefreshOutcome, ReuseDetails, SessionCounters, SessionTelemetry } from './events.ts'
import { networksOf } from '../http/network.ts'
import type { RefreshClaims } from '../tokens/refresh-token.ts'
import type { Judgement, Verdict } from './rotation.ts'

/** How it is told, and its counter: a theft is counted where its session ends. */
type Outcome = [name: RefreshOutcome, counter?: keyof SessionCounters]

const answers: Partial<Record<Verdict, Outcome>> = {
  ROTATE: ['rotated', 'refreshesRotated'],
  SAME: ['repeated', 'refreshesRepeated'],
  SKIP: ['skipped', 'refreshesSkipped'],
}

const refusals: Partial<Record<Verdict, Outcome>> = {
  DEAD: ['ended', 'refreshesEnded'],
  FORGED: ['forged', 'refreshesForged'],
  OLD: ['superseded', 'refreshesSuperseded'],
  REUSE: ['reused'],
}

const failure: Outcome = ['failed', 'refreshesFailed']

/** Whether a request comes from elsewhere than the last one that moved the session. Null: there is nothing to compare. */
type Changes = Pick<RefreshEvent, 'userAgentChanged' | 'networkChanged'>

/** What is told of one refresh, gathered on its way. */
export interface RefreshReport {
  /** What was found, before anything of it changes. Each further try is the one that counts. */
  judged: (judgement: Judgement<Session>) => void
  answered: () => void
  /** It has expired, and nobody looked further. */
  expired: () => void
  /** Counts it and tells of it, at its end. */
  tell: () => void
}

export function createRefreshReports ({ counters, publish }: SessionTelemetry) {
  return ({ sid: sessionId, sub: userId }: RefreshClaims, client: Client): RefreshReport => {
    let outcome = failure
    let answer: Outcome | undefined
    let adopted = false
    let changes: Changes = { userAgentChanged: null, networkChanged: null }

    return {
      judged ({ session, verdict }) {
        outcome = refusals[verdict] ?? failure
        answer = answers[verdict]
        adopted ||= verdict === 'ADOPT'
        changes = changesOf(session, client)
      },
      answered () { outcome = answer! },
      expired () { outcome = refusals.DEAD! },
      tell () {
        const [name, counter] = outcome
        if (counter) counters[counter]++
        publish('refresh', { sessionId, userId, outcome: name, adopted, ...changes })
      },
    }
  }
}

/** What of a row cannot be read, which only a hand in the database can have written, is not compared. */
function changesOf (session: Pick<Session, 'ip' | 'userAgent'> | null, client: Client): Changes {
  const { userAgent } = storable(client)
  return {
    userAgentChanged: typeof session?.userAgent === 'string' ? session.userAgent !== userAgent : null,
    networkChanged: typeof session?.ip === 'string' ? networksOf(session.ip)[0] !== networksOf(client.ip)[0] : null,
  }
}

/**
 * The two sides of a theft: what was shown too late, and the session as that found it. A time that cannot be read, which only
 * a hand in the database can have written, is null as JSON.
 */
export function reuseOf (
  { gen, prevGen, prevBranch, lastUsedAt, ip, userAgent }: Omit<Session, 'user'>, shown: ReuseDetails['shown']
): ReuseDetails {
  return { shown, session: { gen, prevGen, prevBranch, lastUsedAt: new Date(lastUsedAt).getTime(), ip, userAgent } }
}
