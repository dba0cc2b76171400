import { createHash } from 'node:crypto'
import type { EntityManager } from '@mikro-orm/core'
import type { Database } from '../database/database.ts'
import { SpentRow } from './spent-entity.ts'

/** Knows what was used that is good once: signed values that nothing is stored of until then. */
export interface Spent {
  /**
   * Uses a value up in a transaction, until when others who use it at the same time wait. True for the first alone, in
   * all processes. If the transaction is rolled back the value is good again. `kind` says what it is, such as `ticket`:
   * one value may be of several kinds. After `expiresAt` nobody takes it any more, and it may be forgotten.
   */
  spend: (tx: EntityManager, kind: string, value: string, expiresAt: Date) => Promise<boolean>
}

export function createSpent (database: Pick<Database, 'statement'>): Spent {
  const insert = database.statement(({ query, all }) =>
    query(SpentRow).insert(all(SpentRow)).onConflict('id').ignore())

  return {
    spend: async (tx, kind, value, expiresAt) => await insert.run(tx, { id: digest(kind, value), expiresAt }) === 1,
  }
}

/** What the database holds of a value, which tells nobody the value. */
function digest (kind: string, value: string): string {
  return createHash('sha256').update(`${kind}\0${value}`).digest('hex')
}
