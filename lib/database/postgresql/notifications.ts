import { setTimeout as pause } from 'node:timers/promises'
import type { Notifications } from '../dialect.ts'
import { mostWaitMs } from '../../http/deadline.ts'

/** The members of a client of `pg`, which is a connection, that are used here. */
interface ListeningClient {
  connect: () => Promise<unknown>
  query: (statement: string) => Promise<{ rows: { pid?: number }[] }>
  /** The process of the server behind the connection, as the server or a pooler has said when it connected. */
  processID: number
  on: (event: 'error' | 'end' | 'notification', listener: () => void) => void
  unref: () => void
  connection: { stream: { destroy: () => void } }
}
export interface Pool {
  Client: new (options: unknown) => ListeningClient
  options: unknown
}

const heartbeatMs = 10_000

/**
 * Listens by PostgreSQL's LISTEN, on a connection of its own beside the pool. Not through a pooler such as PgBouncer,
 * which would give the connection that listens to somebody else the next moment.
 */
export function createListen (pool: Pool): Notifications['listen'] {
  return async (channel, onMessage) => {
    const over = new AbortController()
    const began = Promise.withResolvers<void>()
    let client: ListeningClient | undefined
    const hangUp = () => { client?.connection.stream.destroy() }

    /** Listens on one connection, until it is lost. */
    async function listenOnce (onReady: () => void): Promise<void> {
      const here = new pool.Client(pool.options)
      const end = Promise.withResolvers<void>()
      client = here
      here.on('error', end.resolve)
      here.on('end', end.resolve)
      here.on('notification', onMessage)

      await orHangUp(here.connect())
      here.unref()
      const { rows: [backend] } = await orHangUp(here.query('select pg_backend_pid() as pid'))
      // Behind a pooler the process that answers is not the one that the client was told of.
      if (backend!.pid !== here.processID) return giveUp()
      await orHangUp(here.query(`listen "${channel.replaceAll('"', '""')}"`))
      onReady()
      const heartbeat = setInterval(() => orHangUp(here.query('select 1')).catch(hangUp), heartbeatMs).unref()
      await end.promise
      clearInterval(heartbeat)
    }

    function giveUp (): void {
      over.abort()
      hangUp()
    }

    /** Waits for an answer, and ends the connection of one that takes too long. */
    async function orHangUp<Answer> (answer: Promise<Answer>): Promise<Answer> {
      const timer = setTimeout(hangUp, mostWaitMs).unref()
      return answer.finally(() => clearTimeout(timer))
    }

    async function keepListening (): Promise<void> {
      for (let onReady = began.resolve; !over.signal.aborted; onReady = onMessage) {
        await listenOnce(onReady).catch(hangUp)
        began.resolve()
        await pause(100 + Math.random() * 400, undefined, { ref: false, signal: over.signal }).catch(() => {})
      }
    }

    const listening = keepListening()
    await began.promise
    return async () => {
      giveUp()
      await listening
    }
  }
}

/** Sent with the commit of the transaction, or at once without one. */
export const notify: Notifications['notify'] = async (em, channel) => {
  await em.getConnection().execute('select pg_notify(?, ?)', [channel, ''], 'all', em.getTransactionContext())
}
