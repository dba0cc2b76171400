import type { Clocks } from '../database/clocks.ts'
import type { Database } from '../database/database.ts'
import { Revision } from './revision.ts'
import type { Revocations } from './revocations.ts'
import type { RevocationLog } from './revocation-log.ts'

/** The state of the accounts, for a health route of the app's. It holds nothing that strangers must not know. */
export interface Health {
  /** The database answers, and what was revoked elsewhere is known here. */
  healthy: boolean
  /** How long the database took for one row, in ms; null when it did not answer. */
  databaseMs: number | null
  /** How long ago the log of revocations was read, in ms. */
  stalenessMs: number
  /** How many sessions and tokens are remembered as revoked. */
  revocations: number
  /**
   * How far the clock of this process is ahead of the database's, in ms, or on SQLite of the time since the process
   * began; null when the database did not answer. Beyond a minute nothing is pruned.
   */
  clockSkewMs: number | null
  /** How mails lie that are to be sent, where mail is on; null when the database did not answer. */
  mails?: WaitingMails | null
}

/** Mails that are due and not sent, and those that were given up. */
export interface WaitingMails {
  /** Mails that are due by now. More and more of them: nobody sends, or nobody takes them. */
  due: number
  /** How long the oldest of these has waited, in ms. */
  oldestMs: number
  /** Mails of the last month that were given up. */
  failed: number
}

export function createHealth (
  database: Database, clocks: Clocks, revocationLog: RevocationLog, revocations: Revocations,
  countMails?: () => Promise<WaitingMails>
) {
  /** Asks the database now. Never throws: a failure is part of the answer. */
  async function check (): Promise<Health> {
    const startedAt = performance.now()
    const counting = database.run((em) => em.count(Revision, {}, { connectionType: 'write' }))
    const [databaseMs, clockSkewMs, mails] = await Promise.all([
      counting.then(() => performance.now() - startedAt, () => null),
      clocks.compare().then(({ skewMs }) => Math.round(skewMs), () => null),
      countMails?.().catch(() => null),
    ])
    return {
      healthy: databaseMs !== null && await isUpToDate(),
      databaseMs,
      stalenessMs: revocationLog.stalenessMs(),
      revocations: revocations.count(),
      clockSkewMs,
      ...mails !== undefined && { mails },
    }
  }

  /** A process that was stalled just now is healthy if it can read the log. */
  async function isUpToDate (): Promise<boolean> {
    return revocationLog.isFresh() || revocationLog.catchUp().then(() => true, () => false)
  }

  return { check }
}
