import type { Socket } from 'node:net'
import { isDate } from 'node:util/types'
import { IsolationLevel, type MikroORM } from '@mikro-orm/core'
import type { MySqlConnection } from '@mikro-orm/mysql'
import { mostWaitMs } from '../../http/deadline.ts'
import { OptionsInvalid } from '../../http/errors.ts'
import { keptTexts, storable } from '../statement.ts'
import type { Dialect } from '../dialect.ts'
import { createFitness } from '../fitness.ts'
import { readUrl } from '../url.ts'
import { createWatch, type Watch } from '../watch.ts'

/** The members of a connection of `mysql2` that are used here. */
interface Connection {
  query: (text: string, values: unknown[], callback: Answered) => void
  execute: (text: string, values: unknown[], callback: Answered) => void
  unprepare: (text: string) => void
  on: (event: 'error', listener: () => void) => void
  stream: Socket
  destroy: () => void
  release: () => void
}

/** The members of a connection that the query builder uses. */
type Loan = Pick<Connection, 'query' | 'release'>
type Answered = (error: Error | null, result?: unknown) => void

/** The members of a pool of `mysql2` that are used here. */
interface Pool {
  on: (event: 'connection' | 'acquire', listener: (connection: Connection) => void) => void
  getConnection: (callback: (error: Error | null, connection?: Loan) => void) => void
}

/**
 * Sent before each transaction of ours. A process that vanishes within one, or waits for one that has, keeps its locks
 * no longer than this: MariaDB limits how long a transaction may be idle, MySQL only how long a connection may. READ
 * COMMITTED, for this transaction alone, since the loser of a compare-and-swap has to see who won; strict, so that no
 * value is cut off.
 */
const limits = [
  'set @accounts_lock = @@innodb_lock_wait_timeout, @accounts_mode = @@sql_mode,',
  "@@session.innodb_lock_wait_timeout = 9, @@session.sql_mode = concat(@@sql_mode, ',STRICT_TRANS_TABLES')",
  '/*M! , @accounts_idle = @@idle_transaction_timeout, @@session.idle_transaction_timeout = 15, ' +
    "@@tx_isolation = 'READ-COMMITTED' */",
  '/*!80000 , @accounts_idle = @@wait_timeout, @@session.wait_timeout = 15, ' +
    "@@transaction_isolation = 'READ-COMMITTED' */",
].join('\n  ')

/** Sent after it: the connection may be the app's, or a proxy may give it to somebody else. */
const noLimits = `set @@session.innodb_lock_wait_timeout = @accounts_lock, @@session.sql_mode = @accounts_mode
  /*M! , @@session.idle_transaction_timeout = @accounts_idle */ /*!80000 , @@session.wait_timeout = @accounts_idle */`

/** MySQL and MariaDB, which differ in their drivers alone. */
export const dialect: Dialect = {
  clock: 'select unix_timestamp(now(3)) * 1000 as now',
  family: 'mysql',
  mark: () => '?',

  bind (values) {
    const given = values.map(bound)
    if (given.length > 0) sentApart.add(given)
    return given
  },

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
        driverOptions: () => ({
          maxIdle: mostIdle(connections),
          ...connectionOptions(url),
          database,
          connectTimeout: mostWaitMs,
          queueLimit: 1000,
        }),
      },
      async setUp (orm) {
        const pool = (await poolOf(orm))!
        sendValuesApart(pool)
        shareConnections(pool, pool, watch)
      },
      settle: async () => watch.start(),
      close: watch.close,
    }
  },

  async share (host) {
    const pool = await poolOf(host)
    if (!pool) {
      throw new OptionsInvalid('orm cannot be shared: ' +
        'its connections come from a Kysely of its own, which writes values into statements')
    }
    sendValuesApart(pool)
    // A function gives a new password for each connection, and only the app's own MikroORM calls it.
    if (typeof host.config.get('password') === 'function') return
    const watch = createWatch()
    return {
      setUp: async (orm) => shareConnections((await poolOf(orm))!, pool, watch),
      settle: async () => watch.start(),
    }
  },

  limits: { isolationLevel: IsolationLevel.READ_COMMITTED },
}

/**
 * mysql2's `maxIdle`. Once a second it ends the idle connections above this number at once, and the others when they
 * have been idle for long. MikroORM sets it to 0. Set to the size of the pool it would end none, however long they are
 * idle, so it is one less; a pool of one keeps its connection.
 */
const mostIdle = (connections: number) => Math.max(1, connections - 1)

function connectionOptions ({ hostname, port, username, password, searchParams }: URL) {
  return {
    host: hostname.replace(/^\[(.+)\]$/, '$1'),
    port,
    user: decodeURIComponent(username),
    password: decodeURIComponent(password),
    ...Object.fromEntries([...searchParams].map(([name, value]) => [name, read(value)])),
  }
}

/** A parameter of a URL, as mysql2 reads it: JSON, such as `ssl={"rejectUnauthorized":true}`, or else a text. */
function read (text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

/** Undefined where the app has made its connections by itself, and its MikroORM does not hand them out. */
async function poolOf (orm: MikroORM): Promise<Pool | undefined> {
  return await (orm.em.getConnection() as MySqlConnection).getNativeClient().catch(() => undefined) as Pool | undefined
}

/** Lists of values to be sent as parameters. By `query`, which Kysely calls, mysql2 would write them into the text. */
const sentApart = new WeakSet<object>()

/**
 * Times and whole numbers as texts: the driver would send times in the zone of this process, and numbers as doubles.
 */
function bound (value: unknown): unknown {
  if (isDate(value)) return value.toISOString().replace('T', ' ').slice(0, -1)
  return Number.isInteger(value) ? String(value) : storable(value)
}

/** Pools and connections that send them so. */
const changed = new WeakSet<object>()

/**
 * Makes the connections of a pool send the values of our statements as parameters, in the binary protocol, also in
 * transactions of the app's. The app's own statements are sent as before.
 */
function sendValuesApart (pool: Pool): void {
  if (changed.has(pool)) return
  changed.add(pool)
  pool.on('acquire', (connection) => {
    if (changed.has(connection)) return
    changed.add(connection)
    // `unprepare` on a connection that was reset amid its statement emits a second error. The pool listens to the first
    // alone, and an error that nobody listens to ends the process. The statement's callback has told of it.
    connection.on('error', () => {})
    const query = connection.query.bind(connection)
    connection.query = (text, values, callback) => {
      if (sentApart.has(values)) executeOn(connection, text, values, callback)
      else query(text, values, callback)
    }
  })
}

/** Sends a prepared statement. A server limits how many it keeps, so one that is made for one use is not kept. */
function executeOn (connection: Connection, text: string, values: unknown[], callback: Answered): void {
  connection.execute(text, values, (error, result) => {
    if (!keptTexts.has(text)) connection.unprepare(text)
    callback(error, result)
  })
}

/**
 * Makes the pool `borrower` give out connections of `pool`, which may be itself, with limits for our statements. They
 * go back to `pool` as they came.
 */
function shareConnections (borrower: Pool, pool: Pool, watch: Watch): void {
  const getConnection = withAcquireTimeout(pool.getConnection.bind(pool) as GetConnection)
  const fitness = createFitness((note) => pool.on('connection', note))
  const loans = new WeakMap<Connection, Loan>()

  function loanOf (connection: Connection): Loan {
    const onSent = watch.connection(connection.stream)
    let isLimited = false

    const query: Connection['query'] = (text, values, callback) => {
      const onAnswered = onSent()
      connection.query(text, values, (error, result) => {
        onAnswered()
        fitness.note(connection, error)
        callback(error, result)
      })
    }

    return {
      query (text, values, callback) {
        if (text !== 'begin') return query(text, values, callback)
        isLimited = true
        query(limits, [], (error) => error ? callback(error) : query(text, values, callback))
      },
      release () {
        if (!fitness.isFit(connection)) return connection.destroy()
        if (!isLimited) return connection.release()
        isLimited = false
        query(noLimits, [], (error) => error ? connection.destroy() : connection.release())
      },
    }
  }

  borrower.getConnection = (callback) => getConnection((error, connection) => {
    if (error || !connection) return callback(error)
    if (!fitness.isFit(connection)) {
      connection.destroy()
      return borrower.getConnection(callback)
    }
    const loan = loans.get(connection) ?? loanOf(connection)
    loans.set(connection, loan)
    callback(null, loan)
  })
}

type GetConnection = (callback: (error: Error | null, connection?: Connection) => void) => void

/** Gives an error to who waits too long for a connection. A connection that comes later goes back to the pool. */
function withAcquireTimeout (getConnection: GetConnection): GetConnection {
  return (callback) => {
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
