import type { Session } from './entity.ts'
import { networksOf, storable, type Client } from '../http/request.ts'
import type { RefreshEvent, RefreshOutcome, ReuseDetails, SessionCounters, SessionTelemetry } from './events.ts'
import type { RefreshClaims } from '../tokens/claims.ts'
import type { Judgement, Verdict } from './rotation.ts'

/** The outcome of a refresh as the event has it, and its counter. A theft is counted where its session ends. */
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

/** Whether a request comes from elsewhere than the last one that moved the session; null where that is not known. */
type Changes = Pick<RefreshEvent, 'userAgentChanged' | 'networkChanged'>

/** Gathers what the event about one refresh is to say. */
export interface RefreshReport {
  /** Called with each judgement, before anything changes. The last one counts. */
  judged: (judgement: Judgement<Session>) => void
  answered: () => void
  /** Called for a token that has expired, and so is not judged. */
  expired: () => void
  /** Counts the refresh and publishes its event, at its end. */
  finish: () => void
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
      finish () {
        const [name, counter] = outcome
        if (counter) counters[counter]++
        publish('refresh', { sessionId, userId, outcome: name, adopted, ...changes })
      },
    }
  }
}

/** What cannot be read of a row, since somebody in the database has written it, is not compared. */
function changesOf (session: Pick<Session, 'ip' | 'userAgent'> | null, client: Client): Changes {
  const { userAgent } = storable(client)
  return {
    userAgentChanged: typeof session?.userAgent === 'string' ? session.userAgent !== userAgent : null,
    networkChanged: typeof session?.ip === 'string' ? networksOf(session.ip)[0] !== networksOf(client.ip)[0] : null,
  }
}

/**
 * The two sides of a theft: the token that was used too late, and the session as it was then. A time that cannot be
 * read, since somebody in the database has written it, is null as JSON.
 */
export function reuseOf (
  { gen, prevGen, prevBranch, lastUsedAt, ip, userAgent }: Omit<Session, 'user'>, shown: ReuseDetails['shown']
): ReuseDetails {
  return { shown, session: { gen, prevGen, prevBranch, lastUsedAt: new Date(lastUsedAt).getTime(), ip, userAgent } }
}
