import { PostgreSqlDriver } from '@mikro-orm/postgresql'
import { migrationsOf } from '../migrations/postgresql.ts'
import type { Dialect } from './dialect.ts'
import { mostWaitMs } from './patience.ts'
import { readUrl } from './url.ts'
import { createWatch } from './watch.ts'

/** What of a client of `pg` is needed here. */
interface Client {
  query: (...asked: unknown[]) => Promise<unknown>
  connection: { stream: { destroy: () => void } }
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
      const query = client.query.bind(client)
      client.query = (...asked) => {
        const answered = watch.ask(() => client.connection.stream.destroy())
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
    }
  },
}
