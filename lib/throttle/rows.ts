import type { EntityManager } from '@mikro-orm/core'
import type { SqlEntityManager } from '@mikro-orm/sqlite'
import type { Database } from '../database.ts'
import { ThrottleBucket } from '../entities/throttle.ts'
import { empty, type Bucket } from './bucket.ts'

/** What buckets are kept in. */
export interface Rows {
  /**
   * Changes buckets in one short transaction, which writes first: what others count at the same time waits for it. Rows
   * that are not there are made, and all are locked in the order of `ids`.
   * @throws {Unavailable}
   */
  change: (ids: string[], revise: (buckets: Bucket[]) => Bucket[]) => Promise<void>
}

/** The text of each statement, for so many rows. */
interface Statements {
  lock: string
  read: string
  write: string
}

interface Row {
  id: string
  drained_at: number | string
  blocked_until: number | string
}

/**
 * Every attempt at a password pays for this, so the ORM makes the statements once, and then only the driver is asked:
 * entities would cost four times as much.
 */
export function createRows (database: Database): Rows {
  const known = new Map<number, Statements>()

  function statementsFor (em: EntityManager, count: number): Statements {
    const made = known.get(count) ?? makeStatements(em as SqlEntityManager, count)
    known.set(count, made)
    return made
  }

  return {
    change: (ids, revise) => database.run(async (em) => {
      const { lock, read, write } = statementsFor(em, ids.length)
      const connection = (em as SqlEntityManager).getConnection('write')

      await connection.transactional(async (transaction) => {
        await connection.execute(lock, valuesOf(ids, ids.map(() => empty)), 'run', transaction)
        const rows = await connection.execute<Row[]>(read, ids, 'all', transaction)
        const revised = revise(ids.map((id) => bucketOf(rows.find((row) => row.id === id)!)))
        await connection.execute(write, valuesOf(ids, revised), 'run', transaction)
      })
    }),
  }
}

function makeStatements (em: SqlEntityManager, count: number): Statements {
  const ids = Array.from({ length: count }, (_, index) => `${index}`)
  const query = () => em.createQueryBuilder(ThrottleBucket, undefined, 'write')
  const upsert = () => query().insert(ids.map((id) => ({ id, ...empty }))).onConflict('id')
  return {
    lock: upsert().merge(['id']).getQuery(),
    read: query().select(['id', 'drainedAt', 'blockedUntil']).where({ id: { $in: ids } }).getQuery(),
    write: upsert().merge(['drainedAt', 'blockedUntil']).getQuery(),
  }
}

function valuesOf (ids: string[], buckets: Bucket[]): (string | number)[] {
  return ids.flatMap((id, index) => [id, buckets[index]!.drainedAt, buckets[index]!.blockedUntil])
}

/** Drivers give a bigint as text. */
function bucketOf (row: Row): Bucket {
  return { drainedAt: Number(row.drained_at), blockedUntil: Number(row.blocked_until) }
}
