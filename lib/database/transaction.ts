import type { EntityManager } from '@mikro-orm/core'
import type { Database } from './database.ts'

/** Of every service that reads or writes. */
export interface InTransaction {
  /** An entity manager of the host's. If a transaction is open in it, the service joins that, and what it writes holds once that is committed. */
  em?: EntityManager
}

/** Where statements run: in the transaction of the host's that `em` is in, or else by themselves. */
export function inside (database: Database, em?: EntityManager): Database['run'] {
  return em?.isInTransaction() ? (work) => work(database.join(em)) : database.run
}
