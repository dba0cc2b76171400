import { closeSync, openSync } from 'node:fs'
import { isDate } from 'node:util/types'
import type { MikroORM } from '@mikro-orm/core'
import type { SqliteConnection } from '@mikro-orm/sqlite'
import { keptTexts, storable } from '../statement.ts'
import type { Dialect } from '../dialect.ts'

/** The members of better-sqlite3's database that are used here. */
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

    async setUp (orm) {
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
 * A commit that fails for want of disk space has rolled back already. The `rollback` that the query builder sends then
 * would fail too, and the query builder would never give the one connection back: nobody would be answered any more.
 */
function forgiveRollbacks (sqlite: Sqlite): void {
  const prepare = sqlite.prepare.bind(sqlite)
  sqlite.prepare = (statement) => prepare(statement === 'rollback' && !sqlite.inTransaction ? 'select 0' : statement)
}

/** The statements that each transaction of the query builder begins and ends with. */
const bounds = ['begin', 'commit']

/**
 * Keeps our statements prepared, with `begin` and `commit`: to prepare one takes longer than to run it. Others are not
 * kept, since their texts hold values, and what an app has prepared itself must stay its own.
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
 * Password hashes are for nobody else on this machine: a file that is not there yet is made for this user alone, and
 * SQLite gives the files beside it the same mode. Where it cannot be made, SQLite gives the better error.
 */
function makePrivate (file: string): string {
  try {
    if (file !== ':memory:') closeSync(openSync(file, 'ax', 0o600))
  } catch {}
  return file
}
