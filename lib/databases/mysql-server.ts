import type { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'
import type { MikroORM } from '@mikro-orm/core'
import type { MySqlConnection } from '@mikro-orm/mysql'
import { migrationsOf } from '../migrations/mysql.ts'
import type { Dialect } from './dialect.ts'
import { mostWaitMs } from './patience.ts'
import { readUrl } from './url.ts'
import { createWatch, type Watch } from './watch.ts'

/** What of `mysql2` is needed here. */
interface Connection {
  query: (...asked: unknown[]) => EventEmitter
  stream: Socket
  destroy: () => void
  release: () => void
}
interface Pool {
  on: (event: 'connection', listener: (connection: Connection) => void) => void
  getConnection: (callback: (error: Error | null, connection?: Connection) => void) => void
}

/**
 * For each connection. READ COMMITTED, since a loser of a compare-and-swap has to see who won. The mode is strict, so
 * that nothing is cut off, and has backslashes escape, since that is how values are escaped in our statements.
 * A process that vanishes within a transaction, or waits for one that has, keeps its locks no longer than this.
 */
const settings = [
  'set session transaction isolation level read committed',
  "set session sql_mode = 'STRICT_TRANS_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION'",
  'set session innodb_lock_wait_timeout = 9 /*M! , session idle_transaction_timeout = 15 */',
]

/** MySQL and MariaDB, which differ in their drivers alone. */
export const dialect: Dialect = {
  clock: 'select unix_timestamp(now(3)) * 1000 as now',
  migrationsOf,
  open (db) {
    const { url, connections } = readUrl(db)
    const watch = createWatch()
    const database = decodeURIComponent(url.pathname.slice(1))

    return {
      options: {
        dbName: database,
        charset: 'utf8mb4',
        pool: { min: 0, max: connections, idleTimeoutMillis: mostWaitMs },
        // A function, so that nothing prints the password that stands in it.
        driverOptions: () => ({ maxIdle: mostIdle(connections), ...whoAndWhere(url), database, connectTimeout: mostWaitMs, queueLimit: 1000 }),
      },
      prepare: (orm) => tame(orm, watch),
      settle: async () => watch.start(),
      close: watch.close,
    }
  },
}

/**
 * Once a second mysql2 ends all connections that lie idle beyond so many, however short a time, and below that those that have
 * for long. MikroORM would say 0. With as many as there may be nobody would look at all, and then there is but one.
 */
const mostIdle = (connections: number) => Math.max(1, connections - 1)

function whoAndWhere ({ hostname, port, username, password, searchParams }: URL) {
  return {
    host: hostname.replace(/^\[(.+)\]$/, '$1'),
    port,
    user: decodeURIComponent(username),
    password: decodeURIComponent(password),
    ...Object.fromEntries([...searchParams].map(([name, value]) => [name, read(value)])),
  }
}

/** A parameter of a URL is JSON where it can be, as mysql2 has it: `ssl={"rejectUnauthorized":true}`. */
function read (text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

async function tame (orm: MikroORM, watch: Watch): Promise<void> {
  const pool = await (orm.em.getConnection() as MySqlConnection).getNativeClient() as unknown as Pool
  hurry(pool)
  pool.on('connection', (connection) => {
    const ask = watch.over(connection.stream)
    const query = connection.query.bind(connection)
    connection.query = (...asked) => {
      const answered = ask()
      return query(...asked).once('fields', answered).once('end', answered)
    }
    for (const statement of settings) connection.query(statement).once('error', connection.destroy.bind(connection))
  })
}

/** Who waits for a connection gets one in time, or an error: what comes later goes back to the pool. */
function hurry (pool: Pool): void {
  const getConnection = pool.getConnection.bind(pool)
  pool.getConnection = (callback) => {
    let isOver = false
    const timer = setTimeout(() => {
      isOver = true
      callback(new Error('No connection was free in time'))
    }, mostWaitMs)

    getConnection((error, connection) => {
      clearTimeout(timer)
      if (isOver) connection?.release()
      else callback(error, connection)
    })
  }
}
