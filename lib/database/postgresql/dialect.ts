import { connect as dial, type Socket } from 'node:net'
import { isDate } from 'node:util/types'
import { IsolationLevel, type MikroORM } from '@mikro-orm/core'
import type { PostgreSqlConnection } from '@mikro-orm/postgresql'
import { storable } from '../statement.ts'
import type { Dialect } from '../dialect.ts'
import { createFitness } from '../fitness.ts'
import { createListen, notify } from './notifications.ts'
import { createPreparing } from './prepared.ts'
import { mostWaitMs } from '../../http/deadline.ts'
import { readUrl } from '../url.ts'
import { createWatch, type Watch } from '../watch.ts'

/** The members of a client of `pg`, which is a connection, that are used here. */
interface PgClient {
  query: (text: unknown, values?: unknown[]) => Promise<unknown>
  /** Gives it back to the pool, which closes it after an error. Throws where it has been given back already. */
  release: (error?: true) => void
  connection: { stream: Socket }
  host: string
  port: number
  processID: number
  secretKey: number
}

/** The members of a client that the query builder uses. */
type Loan = Pick<PgClient, 'query' | 'release' | 'processID'>

/** The members of a pool of `pg` that are used here. */
interface Pool {
  connect: (callback?: (...given: unknown[]) => void) => Promise<Loan>
  on: (event: 'connect', listener: (client: PgClient) => void) => void
  Client: never
  options: unknown
}

/** A process that vanishes within a transaction, or waits for one that has, keeps its locks no longer than this. */
const limits = { idle_in_transaction_session_timeout: '15s', lock_timeout: '9s' }

const settingLimits = Object.entries(limits).map(([name, value]) => `set local ${name} = '${value}'`)

/**
 * How each transaction begins. `set local` ends with it: through a pooler the connection is somebody else's by then.
 */
const begin = ['begin isolation level read committed', ...settingLimits].join('; ')

export const dialect: Dialect = {
  clock: 'select extract(epoch from clock_timestamp()) * 1000 as now',
  family: 'postgresql',
  mark: (place) => `$${place}`,
  // The driver would write dates in the zone of this process.
  bind: (values) => values.map((value) => isDate(value) ? value.toISOString() : storable(value)),

  open (db) {
    const { url, connections } = readUrl(db)
    const watch = createWatch()
    return {
      options: {
        dbName: decodeURIComponent(url.pathname.slice(1)),
        schema: 'public',
        pool: { min: 0, max: connections, idleTimeoutMillis: mostWaitMs },
        // A function, so that nothing prints the password that stands in it.
        driverOptions: () => ({
          connectionString: url.href,
          connectionTimeoutMillis: mostWaitMs,
          keepAlive: true,
        }),
      },
      async setUp (orm) {
        const pool = (await poolOf(orm))!
        await shareConnections(pool, pool, watch)
      },
      settle: async () => watch.start(),
      close: watch.close,
    }
  },

  async share (host) {
    const pool = await poolOf(host)
    const watch = createWatch()
    return pool && {
      setUp: async (orm) => shareConnections((await poolOf(orm))!, pool, watch),
      settle: async () => watch.start(),
    }
  },

  limits: { isolationLevel: IsolationLevel.READ_COMMITTED, sessionContext: { variables: limits } },

  async notifications (orm) {
    const pool = await poolOf(orm)
    return { notify, ...pool && { listen: createListen(pool) } }
  },
}

/** Undefined where the app has made its connections by itself, and its MikroORM does not hand them out. */
async function poolOf (orm: MikroORM): Promise<Pool | undefined> {
  const connection = orm.em.getConnection() as PostgreSqlConnection
  return await connection.getNativeClient().catch(() => undefined) as Pool | undefined
}

/**
 * Makes the pool `borrower` give out clients of `pool`, which may be itself, with limits for our statements. They go
 * back to `pool` as they came.
 */
async function shareConnections (borrower: Pool, pool: Pool, watch: Watch): Promise<void> {
  const connect = pool.connect.bind(pool) as (callback?: (...given: unknown[]) => void) => Promise<PgClient>
  const fitness = createFitness((note) => pool.on('connect', note))
  const preparing = createPreparing(connect)
  const loans = new WeakMap<PgClient, () => Loan>()

  const isFit = (client: PgClient) => fitness.isFit(client) && !preparing.isStale(client)

  function noteError (client: PgClient, error: unknown): void {
    fitness.note(client, error)
    preparing.note(client, error)
  }

  /** A function that gives the client out, with a `query` that is watched, until it goes back, once. */
  function loanOf (client: PgClient): () => Loan {
    const onSent = watch.connection(client.connection.stream, () => cancel(client))
    let isLent = false

    function giveBack (isBroken: boolean): void {
      if (!isLent) return
      isLent = false
      client.release(isBroken || undefined)
    }

    // When a connection is lost in a transaction, the rollback fails, and then the query builder never gives the
    // connection back: the pool would count it for ever, until it has no other.
    client.connection.stream.once('close', () => giveBack(true))
    const loan: Loan = {
      processID: client.processID,
      async query (text: unknown, values?: unknown[]) {
        const onAnswered = onSent()
        return client.query(text === 'begin' ? begin : preparing.named(text, values), values)
          .catch((error) => { noteError(client, error); throw error })
          .finally(onAnswered)
      },
      release: () => giveBack(!isFit(client)),
    }
    return () => {
      isLent = true
      return loan
    }
  }

  async function borrow (): Promise<Loan> {
    const client = await connect()
    if (!isFit(client)) {
      client.release(true)
      return borrow()
    }
    const giveOut = loans.get(client) ?? loanOf(client)
    loans.set(client, giveOut)
    return giveOut()
  }

  // With a callback it is not the query builder that asks, but `query` of the pool itself.
  borrower.connect = (callback) => callback ? connect(callback) : borrow()
  await preparing.begin()
}

/**
 * Sends PostgreSQL's CancelRequest. A statement that nobody waits for any more would still be run, and hold one of the
 * server's processes until then.
 */
function cancel ({ host, port, processID, secretKey }: PgClient): void {
  const request = Buffer.alloc(16)
  for (const [index, value] of [16, 80877102, processID, secretKey].entries()) request.writeInt32BE(value, index * 4)
  const socket = host.startsWith('/') ? dial(`${host}/.s.PGSQL.${port}`) : dial(port, host)
  socket.setTimeout(mostWaitMs, () => socket.destroy()).unref().on('error', () => {}).end(request)
}
