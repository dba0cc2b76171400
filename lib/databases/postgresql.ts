import type { Socket } from 'node:net'
import { PostgreSqlDriver, type PostgreSqlConnection } from '@mikro-orm/postgresql'
import { migrationsOf } from '../migrations/postgresql.ts'
import type { Dialect } from './dialect.ts'
import { createListen, notify, type Pool } from './notifications.ts'
import { mostWaitMs } from './patience.ts'
import { readUrl } from './url.ts'
import { createWatch } from './watch.ts'

/** What of a client of `pg` is needed here. */
interface Client {
  query: (...asked: unknown[]) => Promise<unknown>
  connection: { stream: Socket }
}

/** A process that vanishes within a transaction, or waits for one that has, keeps its locks no longer than this. */
const settings = "set idle_in_transaction_session_timeout = '15s'; set lock_timeout = '9s'"

export const dialect: Dialect = {
  driver: PostgreSqlDriver,
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
