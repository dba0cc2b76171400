import type { Database } from '../../database/database.ts'
import type { Statement, Values } from '../../database/statement.ts'
import { ThrottleBucket } from './entity.ts'

/**
 * A bucket of failures that leaks: each fills it for `leakMs` more, and time empties it. What is kept of it is when it
 * will be empty, so that nothing has to be done meanwhile. Times are milliseconds since 1970.
 */
export interface Bucket {
  drainedAt: number
  blockedUntil: number
}

/** How many failures are free, and how long it takes until one is forgotten. */
export interface Rule {
  free: number
  leakMs: number
}

export const empty: Bucket = { drainedAt: 0, blockedUntil: 0 }

/** No block is longer. */
const mostBlockMs = 15 * 60_000

/** 2^10 seconds are more than the longest block, so a failure more than that adds nothing. */
const mostBeyond = 10

/** How much the clocks of two machines may differ. */
const clockSkewMs = 60_000

/**
 * The bucket with one failure more.
 *
 * | failures in it by now | the bucket is then blocked    |
 * | --------------------- | ----------------------------- |
 * | as many as are free   | not at all                    |
 * | 1 more                | for 2 s                       |
 * | n more                | for 2^n s, 15 minutes at most |
 */
export function fill ({ drainedAt }: Bucket, { free, leakMs }: Rule, now: number): Bucket {
  // Of a clock that was wrong once it knows no more than that it is full.
  const level = Math.min(Math.max(drainedAt - now, 0), (free + mostBeyond) * leakMs) + leakMs
  const beyond = Math.ceil(level / leakMs) - free
  return { drainedAt: now + level, blockedUntil: beyond > 0 ? now + Math.min(2 ** beyond * 1000, mostBlockMs) : 0 }
}

/** The bucket without a failure that was none, and without the block if that failure had brought it. */
export function takeBack ({ drainedAt, blockedUntil }: Bucket, { leakMs }: Rule, brought: number): Bucket {
  return { drainedAt: drainedAt - leakMs, blockedUntil: blockedUntil === brought ? 0 : blockedUntil }
}

/** For how long it is blocked. What lies further ahead than any block is a wrong clock's, and locks nobody out. */
export function blockedFor ({ blockedUntil }: Bucket, now: number): number {
  const ms = blockedUntil - now
  return ms > mostBlockMs + clockSkewMs ? 0 : Math.min(Math.max(ms, 0), mostBlockMs)
}

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
  const rows = Array.from({ length: count }, (_, index) => ({
    id: `id ${index}`,
    drainedAt: `drainedAt ${index}`,
    blockedUntil: `blockedUntil ${index}`,
  }))
  return {
    lock: statement(({ query }) => query(ThrottleBucket).insert(rows).onConflict('id').merge(['id'])),
    read: statement(({ query }) =>
      query(ThrottleBucket)
        .select(['id', 'drainedAt', 'blockedUntil'])
        .where({ id: { $in: rows.map(({ id }) => id) } })
    ),
    write: statement(({ query }) =>
      query(ThrottleBucket).insert(rows).onConflict('id').merge(['drainedAt', 'blockedUntil'])
    ),
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
