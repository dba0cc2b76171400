import type { Socket } from 'node:net'
import { isDate } from 'node:util/types'
import { IsolationLevel, type MikroORM } from '@mikro-orm/core'
import type { MySqlConnection } from '@mikro-orm/mysql'
import { mostWaitMs } from '../../http/deadline.ts'
import { OptionsInvalid } from '../../http/errors.ts'
import { storable } from '../binding.ts'
import type { Dialect } from '../dialect.ts'
import { createFitness } from '../fitness.ts'
import { keptTexts } from '../statement.ts'
import { readUrl } from '../url.ts'
import { createWatch, type Watch } from '../watch.ts'

/** What is needed here of a connection of `mysql2`. */
interface Connection {
  query: (text: string, values: unknown[], callback: Answered) => void
  execute: (text: string, values: unknown[], callback: Answered) => void
  unprepare: (text: string) => void
  stream: Socket
  destroy: () => void
  release: () => void
}

/** What the query builder needs of a connection. */
type Loan = Pick<Connection, 'query' | 'release'>
type Answered = (error: Error | null, result?: unknown) => void

/** What is needed here of a pool of `mysql2`. */
interface Pool {
  on: (event: 'connection' | 'acquire', listener: (connection: Connection) => void) => void
  getConnection: (callback: (error: Error | null, connection?: Loan) => void) => void
}

/**
 * Before each transaction of ours. A process that vanishes within it, or waits for one that has, keeps its locks no longer
 * than this: MySQL knows how long a connection may be idle, and not a transaction. READ COMMITTED, for this transaction
 * alone, since a loser of a compare-and-swap has to see who won; strict, so that nothing is cut off.
 */
const limits = `set @accounts_lock = @@innodb_lock_wait_timeout, @accounts_mode = @@sql_mode,
  @@session.innodb_lock_wait_timeout = 9, @@session.sql_mode = concat(@@sql_mode, ',STRICT_TRANS_TABLES')
  /*M! , @accounts_idle = @@idle_transaction_timeout, @@session.idle_transaction_timeout = 15, @@tx_isolation = 'READ-COMMITTED' */
  /*!80000 , @accounts_idle = @@wait_timeout, @@session.wait_timeout = 15, @@transaction_isolation = 'READ-COMMITTED' */`

/** After it: the connection may be the app's, or a proxy may give it to somebody else. */
const noLimits = `set @@session.innodb_lock_wait_timeout = @accounts_lock, @@session.sql_mode = @accounts_mode
  /*M! , @@session.idle_transaction_timeout = @accounts_idle */ /*!80000 , @@session.wait_timeout = @accounts_idle */`

/** MySQL and MariaDB, which differ in their drivers alone. */
export const dialect: Dialect = {
  clock: 'select unix_timestamp(now(3)) * 1000 as now',
  family: 'mysql',
  mark: () => '?',

  bind (values) {
    const given = values.map(bound)
    if (given.length > 0) beside.add(given)
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
        driverOptions: () => ({ maxIdle: mostIdle(connections), ...whoAndWhere(url), database, connectTimeout: mostWaitMs, queueLimit: 1000 }),
      },
      async prepare (orm) {
        const pool = (await poolOf(orm))!
        carryValues(pool)
        lendTo(pool, pool, watch)
      },
      settle: async () => watch.start(),
      close: watch.close,
    }
  },

  async share (host) {
    const pool = await poolOf(host)
    if (!pool) throw new OptionsInvalid('orm cannot be shared: its connections come from a Kysely of its own, which writes values into statements')
    carryValues(pool)
    // Made anew for each connection: only the app's own MikroORM asks for it.
    if (typeof host.config.get('password') === 'function') return
    const watch = createWatch()
    return {
      prepare: async (orm) => lendTo((await poolOf(orm))!, pool, watch),
      settle: async () => watch.start(),
    }
  },

  limits: { isolationLevel: IsolationLevel.READ_COMMITTED },
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

/** Undefined of an app that has made its connections by itself, and keeps them to itself. */
async function poolOf (orm: MikroORM): Promise<Pool | undefined> {
  return await (orm.em.getConnection() as MySqlConnection).getNativeClient().catch(() => undefined) as Pool | undefined
}

/** Lists of values that go beside their statement. By `query`, which Kysely calls, mysql2 would write them into its text. */
const beside = new WeakSet<object>()

/** Times are UTC and whole numbers whole, whatever the driver and the server make of such: both are written for them to read. */
function bound (value: unknown): unknown {
  if (isDate(value)) return value.toISOString().replace('T', ' ').slice(0, -1)
  return Number.isInteger(value) ? String(value) : storable(value)
}

/** Pools and connections that send them so. */
const carrying = new WeakSet<object>()

/**
 * Lets the connections of a pool send what is beside a statement by a command of its own, in the binary protocol; in a
 * transaction of the app's too. All else, what an app asks itself, goes as it did.
 */
function carryValues (pool: Pool): void {
  if (carrying.has(pool)) return
  carrying.add(pool)
  pool.on('acquire', (connection) => {
    if (carrying.has(connection)) return
    carrying.add(connection)
    const query = connection.query.bind(connection)
    connection.query = (text, values, callback) => beside.has(values) ? executeOn(connection, text, values, callback) : query(text, values, callback)
  })
}

/** A server keeps so many statements prepared and no more: those that are made for one use are not kept. */
function executeOn (connection: Connection, text: string, values: unknown[], callback: Answered): void {
  connection.execute(text, values, (error, result) => {
    if (!keptTexts.has(text)) connection.unprepare(text)
    callback(error, result)
  })
}

/** Has a pool give connections of another, or its own, as our statements use them; they go back as they came. */
function lendTo (borrower: Pool, pool: Pool, watch: Watch): void {
  const getConnection = hurried(pool.getConnection.bind(pool) as GetConnection)
  const fitness = createFitness((note) => pool.on('connection', note))
  const loans = new WeakMap<Connection, Loan>()

  function loanOf (connection: Connection): Loan {
    const ask = watch.over(connection.stream)
    let isLimited = false

    const query: Connection['query'] = (text, values, callback) => {
      const answered = ask()
      connection.query(text, values, (error, result) => {
        answered()
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

/** Who waits for a connection gets one in time, or an error: what comes later goes back to the pool. */
function hurried (getConnection: GetConnection): GetConnection {
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
