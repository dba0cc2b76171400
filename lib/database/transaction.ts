import type { EntityManager } from '@mikro-orm/core'
import type { Database } from './database.ts'

/** The option of every service that reads or writes. */
export interface InTransaction {
  /**
   * An entity manager of the host's. If a transaction is open in it, the service joins that, and what it writes holds
   * once that is committed.
   */
  em?: EntityManager
}

/** Runs work in the transaction of the host's that `em` is in, or else, as `database.run` does, outside any. */
export function inTransactionOf (database: Database, em?: EntityManager): Database['run'] {
  return em?.isInTransaction() ? (work) => work(database.join(em)) : database.run
}
