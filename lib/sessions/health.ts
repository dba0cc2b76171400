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
}

export function createHealth (
  database: Database, clocks: Clocks, revocationLog: RevocationLog, revocations: Revocations
) {
  /** Asks the database now. Never throws: a failure is part of the answer. */
  async function check (): Promise<Health> {
    const startedAt = performance.now()
    const counting = database.run((em) => em.count(Revision, {}, { connectionType: 'write' }))
    const [databaseMs, clockSkewMs] = await Promise.all([
      counting.then(() => performance.now() - startedAt, () => null),
      clocks.compare().then(({ skewMs }) => Math.round(skewMs), () => null),
    ])
    return {
      healthy: databaseMs !== null && await isUpToDate(),
      databaseMs,
      stalenessMs: revocationLog.stalenessMs(),
      revocations: revocations.count(),
      clockSkewMs,
    }
  }

  /** A process that was stalled just now is healthy if it can read the log. */
  async function isUpToDate (): Promise<boolean> {
    return revocationLog.isFresh() || revocationLog.catchUp().then(() => true, () => false)
  }

  return { check }
}
