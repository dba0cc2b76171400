import type { Clocks } from '../database/clocks.ts'
import type { Database } from '../database/database.ts'
import { Revision } from './revision.ts'
import type { Revocations } from './revocations.ts'
import type { RevocationLog } from './revocation-log.ts'

/** The state of the accounts, for a health route. It contains no secrets. */
export interface Health {
  /** True if the database answers, and revocations of other processes are known here. */
  healthy: boolean
  /** How long the database took to read one row, in ms; null if it did not answer. */
  databaseMs: number | null
  /** How long ago the log of revocations was read, in ms. */
  stalenessMs: number
  /** The number of ended sessions and revoked tokens in memory. */
  revocations: number
  /**
   * How far the clock of this process is ahead of the database's, in ms, or on SQLite ahead of the time since the
   * process started; null if the database did not answer. Beyond a minute nothing is pruned.
   */
  clockSkewMs: number | null
  /** The state of the outbox, if mail is on; null if the database did not answer. */
  mails?: WaitingMails | null
}

/** Waiting and failed mails. */
export interface WaitingMails {
  /** Mails that are due. If the number grows, no process sends mails, or the server does not accept them. */
  due: number
  /** How long the oldest due mail has waited, in ms. */
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
