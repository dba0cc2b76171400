import { connect as dial, type Socket } from 'node:net'
import { isDate } from 'node:util/types'
import { IsolationLevel, type MikroORM } from '@mikro-orm/core'
import type { PostgreSqlConnection } from '@mikro-orm/postgresql'
import { storable } from '../binding.ts'
import type { Dialect } from '../dialect.ts'
import { createFitness } from '../fitness.ts'
import { createListen, notify } from './notifications.ts'
import { mostWaitMs } from '../../http/deadline.ts'
import { readUrl } from '../url.ts'
import { createWatch, type Watch } from '../watch.ts'

/** What of a client of `pg` is needed here. */
interface Client {
  query: (text: unknown, values?: unknown[]) => Promise<unknown>
  /** Gives it back to the pool, to be used no more if there is an error. It throws when nobody has it. */
  release: (error?: true) => void
  connection: { stream: Socket }
  host: string
  port: number
  processID: number
  secretKey: number
}

/** What the query builder needs of a client. */
type Loan = Pick<Client, 'query' | 'release' | 'processID'>

/** What is needed here of a pool of `pg`. */
interface Pool {
  connect: (callback?: (...given: unknown[]) => void) => Promise<Loan>
  on: (event: 'connect', listener: (client: Client) => void) => void
  Client: never
  options: unknown
}

/** A process that vanishes within a transaction, or waits for one that has, keeps its locks no longer than this. */
const limits = { idle_in_transaction_session_timeout: '15s', lock_timeout: '9s' }

/** How each transaction begins. All of it ends with that: through a pooler the connection is somebody else's by then. */
const begin = ['begin isolation level read committed', ...Object.entries(limits).map(([name, value]) => `set local ${name} = '${value}'`)].join('; ')

export const dialect: Dialect = {
  clock: 'select extract(epoch from clock_timestamp()) * 1000 as now',
  family: 'postgresql',
  mark: (place) => `$${place}`,
  // Not as the driver would: in the zone of this process.
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
      async prepare (orm) {
        const pool = (await poolOf(orm))!
        lendTo(pool, pool, watch)
      },
      settle: async () => watch.start(),
      close: watch.close,
    }
  },

  async share (host) {
    const pool = await poolOf(host)
    const watch = createWatch()
    return pool && {
      prepare: async (orm) => lendTo((await poolOf(orm))!, pool, watch),
      settle: async () => watch.start(),
    }
  },

  limits: { isolationLevel: IsolationLevel.READ_COMMITTED, sessionContext: { variables: limits } },

  async notifications (orm) {
    const pool = await poolOf(orm)
    return { notify, ...pool && { listen: createListen(pool) } }
  },
}

/** Undefined of an app that has made its connections by itself, and keeps them to itself. */
async function poolOf (orm: MikroORM): Promise<Pool | undefined> {
  return await (orm.em.getConnection() as PostgreSqlConnection).getNativeClient().catch(() => undefined) as Pool | undefined
}

/** Has a pool give connections of another, or its own, as our statements use them; they go back as they came. */
function lendTo (borrower: Pool, pool: Pool, watch: Watch): void {
  const connect = pool.connect.bind(pool) as (callback?: (...given: unknown[]) => void) => Promise<Client>
  const fitness = createFitness((note) => pool.on('connect', note))
  const loans = new WeakMap<Client, () => Loan>()

  /** Gives a client out: what `query` of it asks is watched, and it goes back once. */
  function loanOf (client: Client): () => Loan {
    const ask = watch.over(client.connection.stream, () => cancel(client))
    let isLent = false

    function giveBack (isBroken: boolean): void {
      if (!isLent) return
      isLent = false
      client.release(isBroken || undefined)
    }

    // A transaction whose connection is lost cannot be rolled back, and then the query builder never gives the connection
    // back: the pool would count it for ever, until it has no other.
    client.connection.stream.once('close', () => giveBack(true))
    const loan: Loan = {
      processID: client.processID,
      async query (text: unknown, values?: unknown[]) {
        const answered = ask()
        return client.query(text === 'begin' ? begin : text, values)
          .catch((error) => { fitness.note(client, error); throw error })
          .finally(answered)
      },
      release: () => giveBack(!fitness.isFit(client)),
    }
    return () => {
      isLent = true
      return loan
    }
  }

  async function borrow (): Promise<Loan> {
    const client = await connect()
    if (!fitness.isFit(client)) {
      client.release(true)
      return borrow()
    }
    const lend = loans.get(client) ?? loanOf(client)
    loans.set(client, lend)
    return lend()
  }

  // With a callback it is not the query builder that asks, but `query` of the pool itself.
  borrower.connect = (callback) => callback ? connect(callback) : borrow()
}

/** PostgreSQL's CancelRequest: what nobody waits for any more would be done later, and would hold one of the server's processes until then. */
function cancel ({ host, port, processID, secretKey }: Client): void {
  const request = Buffer.alloc(16)
  for (const [index, value] of [16, 80877102, processID, secretKey].entries()) request.writeInt32BE(value, index * 4)
  const socket = host.startsWith('/') ? dial(`${host}/.s.PGSQL.${port}`) : dial(port, host)
  socket.setTimeout(mostWaitMs, () => socket.destroy()).unref().on('error', () => {}).end(request)
}
