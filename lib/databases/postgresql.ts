import type { Socket } from 'node:net'
import type { PostgreSqlConnection } from '@mikro-orm/postgresql'
import { migrationsOf } from '../migrations/postgresql.ts'
import type { Dialect } from './dialect.ts'
import { createListen, notify, type Pool } from './notifications.ts'
import { mostWaitMs } from './patience.ts'
import { readUrl } from './url.ts'
import { createWatch } from './watch.ts'

/** What of a client of `pg` is needed here. */
interface Client {
  query: (...asked: unknown[]) => Promise<unknown>
  /** Gives it back to the pool, to be used no more if there is an error. It throws when nobody has it. */
  release: (error?: true) => void
  connection: { stream: Socket }
}

/** A process that vanishes within a transaction, or waits for one that has, keeps its locks no longer than this. */
const settings = "set idle_in_transaction_session_timeout = '15s'; set lock_timeout = '9s'"

export const dialect: Dialect = {
  clock: 'select extract(epoch from clock_timestamp()) * 1000 as now',
  migrationsOf,

  open (db) {
    const { url, connections } = readUrl(db)
    const watch = createWatch()

    async function onConnect (client: Client): Promise<void> {
      const ask = watch.over(client.connection.stream)
      const query = client.query.bind(client)
      client.query = (...asked) => {
        const answered = ask()
        const answer = query(...asked)
        Promise.resolve(answer).then(answered, answered)
        return answer
      }
      client.connection.stream.once('close', () => giveBack(client))
      await client.query(settings)
    }

    return {
      options: {
        dbName: decodeURIComponent(url.pathname.slice(1)),
        schema: 'public',
        pool: { min: 0, max: connections, idleTimeoutMillis: mostWaitMs },
        // A function, so that nothing prints the password that stands in it.
        driverOptions: () => ({ connectionString: url.href, connectionTimeoutMillis: mostWaitMs, keepAlive: true, onConnect }),
      },
      settle: async () => watch.start(),
      close: watch.close,
    }
  },

  async notifications (orm) {
    // An app that has made its connections by itself keeps them to itself: then there is nothing to listen on.
    const pool = await (orm.em.getConnection() as PostgreSqlConnection).getNativeClient().catch(() => undefined) as Pool | undefined
    return { notify, ...pool && { listen: createListen(pool) } }
  },
}

/**
 * A transaction whose connection is lost cannot be rolled back, and then the query builder never gives the connection
 * back: the pool would count it for ever, until it has no other.
 */
function giveBack (client: Client): void {
  const { release } = client
  client.release = () => {}
  try {
    release(true)
  } catch {
    // Nobody had it, and the pool has seen its end.
  }
}
