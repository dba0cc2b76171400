import type { Database } from './database.ts'
import { Revision } from './entities/revision.ts'
import type { Revocations } from './sessions/revocations.ts'
import type { RevocationLog } from './sessions/revocation-log.ts'

/** How the accounts are, for a health route of the app's. It says nothing that strangers must not know. */
export interface Health {
  /** The database answers, and what was revoked elsewhere is known here. */
  healthy: boolean
  /** How long the database took for one row, in ms; null when it did not answer. */
  databaseMs: number | null
  /** How long ago the log of revocations was read, in ms. */
  stalenessMs: number
  /** How many sessions and tokens are remembered as revoked. */
  revocations: number
}

export function createHealth (database: Database, revocationLog: RevocationLog, revocations: Revocations) {
  /** Asks the database now. Never throws: who is ill says so. */
  async function check (): Promise<Health> {
    const startedAt = performance.now()
    const databaseMs = await database.run((em) => em.count(Revision, {}, { connectionType: 'write' })).then(() => performance.now() - startedAt, () => null)
    return {
      healthy: databaseMs !== null && revocationLog.isFresh(),
      databaseMs,
      stalenessMs: revocationLog.stalenessMs(),
      revocations: revocations.count(),
    }
  }
  return { check }
}
