import type { EntityManager } from '@mikro-orm/core'
import type { Database } from './database.ts'

/** Where statements run: in the transaction of the host's that `em` is in, or else by themselves, or in one of ours. */
export function inside (database: Database, em?: EntityManager, otherwise: Database['run'] = database.run): Database['run'] {
  return em?.isInTransaction() ? (work) => work(database.join(em)) : otherwise
}
