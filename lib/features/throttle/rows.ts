import type { Database } from '../../database/database.ts'
import type { Statement, Values } from '../../database/statement.ts'
import { ThrottleBucket } from './entity.ts'
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

/** For so many rows. */
interface Statements {
  lock: Statement
  read: Statement
  write: Statement
}

interface Row {
  id: string
  drained_at: number | string
  blocked_until: number | string
}

export function createRows (database: Database): Rows {
  const known = new Map<number, Statements>()

  function statementsFor (count: number): Statements {
    const made = known.get(count) ?? makeStatements(database, count)
    known.set(count, made)
    return made
  }

  return {
    change: (ids, revise) => database.transaction(async (tx) => {
      const { lock, read, write } = statementsFor(ids.length)
      const emptied = valuesOf(ids, ids.map(() => empty))
      await lock.run(tx, emptied)
      const rows = await read.all<Row>(tx, emptied)
      const revised = revise(ids.map((id) => bucketOf(rows.find((row) => row.id === id)!)))
      await write.run(tx, valuesOf(ids, revised))
    }),
  }
}

function makeStatements ({ statement }: Database, count: number): Statements {
  const rows = Array.from({ length: count }, (_, index) => ({ id: `id ${index}`, drainedAt: `drainedAt ${index}`, blockedUntil: `blockedUntil ${index}` }))
  return {
    lock: statement(({ query }) => query(ThrottleBucket).insert(rows).onConflict('id').merge(['id'])),
    read: statement(({ query }) => query(ThrottleBucket).select(['id', 'drainedAt', 'blockedUntil']).where({ id: { $in: rows.map(({ id }) => id) } })),
    write: statement(({ query }) => query(ThrottleBucket).insert(rows).onConflict('id').merge(['drainedAt', 'blockedUntil'])),
  }
}

function valuesOf (ids: string[], buckets: Bucket[]): Values {
  const values: Values = {}
  for (const [index, { drainedAt, blockedUntil }] of buckets.entries()) {
    values[`id ${index}`] = ids[index]
    values[`drainedAt ${index}`] = drainedAt
    values[`blockedUntil ${index}`] = blockedUntil
  }
  return values
}

/** Drivers give a bigint as text. */
function bucketOf (row: Row): Bucket {
  return { drainedAt: Number(row.drained_at), blockedUntil: Number(row.blocked_until) }
}
