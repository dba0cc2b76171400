import { closeSync, openSync } from 'node:fs'
import { isDate } from 'node:util/types'
import type { MikroORM } from '@mikro-orm/core'
import type { SqliteConnection } from '@mikro-orm/sqlite'
import { storable } from '../binding.ts'
import type { Dialect } from '../dialect.ts'
import { keptTexts } from '../statement.ts'

/** What of better-sqlite3 is needed here. */
interface Sqlite {
  inTransaction: boolean
  prepare: (statement: string) => object
}

export const dialect: Dialect = {
  clock: "select unixepoch('subsec') * 1000 as now",
  clockIsOurs: true,
  family: 'sqlite',
  mark: () => '?',
  bind: (values) => values.map(bound),

  open: (file) => ({
    options: { dbName: makePrivate(file) },

    async prepare (orm) {
      // WAL lets readers go on beside a writer; FULL makes a revocation that was acknowledged survive a power cut.
      await connectionOf(orm).execute('pragma journal_mode = wal')
      await connectionOf(orm).execute('pragma synchronous = full')
    },

    async settle (orm) {
      // Waiting for a lock, SQLite would sleep on the event loop, and everybody with it: run() waits instead.
      await connectionOf(orm).execute('pragma busy_timeout = 0')
      const sqlite = await connectionOf(orm).getNativeClient()
      keepPrepared(sqlite)
      forgiveRollbacks(sqlite)
    },

    close: (orm) => orm.close(true),
  }),
}

function bound (value: unknown): unknown {
  if (isDate(value)) return value.getTime()
  return typeof value === 'boolean' ? Number(value) : storable(value)
}

const connectionOf = (orm: MikroORM) => orm.em.getConnection() as SqliteConnection

/**
 * A commit that fails for want of room has rolled back already. The `rollback` that the query builder sends then fails
 * in its turn, and it never gives the one connection back: from there on nobody is answered.
 */
function forgiveRollbacks (sqlite: Sqlite): void {
  const prepare = sqlite.prepare.bind(sqlite)
  sqlite.prepare = (statement) => prepare(statement === 'rollback' && !sqlite.inTransaction ? 'select 0' : statement)
}

/** What every transaction of the query builder's begins and ends with. */
const bounds = ['begin', 'commit']

/**
 * To prepare a statement takes longer than to run it. Ours alone are kept, and those around them: others hold values in their
 * texts, and what an app has prepared itself must stay its own.
 */
function keepPrepared (sqlite: Sqlite): void {
  const prepare = sqlite.prepare.bind(sqlite)
  const kept = new Map(bounds.map((text) => [text, prepare(text)]))
  sqlite.prepare = (text) => {
    if (keptTexts.has(text) && !kept.has(text)) kept.set(text, prepare(text))
    return kept.get(text) ?? prepare(text)
  }
}

/**
 * Passwords, if only as hashes, are for nobody else on this machine: a file that is not there yet is made for this user
 * alone, and so are those that SQLite puts beside it. What cannot be made SQLite says better.
 */
function makePrivate (file: string): string {
  try {
    if (file !== ':memory:') closeSync(openSync(file, 'ax', 0o600))
  } catch {}
  return file
}
