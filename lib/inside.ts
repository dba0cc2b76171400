import type { EntityManager } from '@mikro-orm/core'
import type { Database } from './database.ts'

/** Where statements run: in the transaction of the host's that `em` is in, or else by themselves. */
export function inside (database: Database, em?: EntityManager): Database['run'] {
  return em?.isInTransaction() ? (work) => work(database.join(em)) : database.run
}
