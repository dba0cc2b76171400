import { setTimeout as pause } from 'node:timers/promises'
import type { Notifications } from '../dialect.ts'
import { mostWaitMs } from '../../http/deadline.ts'

/** What of `pg` is needed here. */
interface Client {
  connect: () => Promise<unknown>
  query: (statement: string) => Promise<{ rows: { pid?: number }[] }>
  /** The process of the server that the connection leads to, as whoever took it says. */
  processID: number
  on: (event: 'error' | 'end' | 'notification', listener: () => void) => void
  unref: () => void
  connection: { stream: { destroy: () => void } }
}
export interface Pool {
  Client: new (options: unknown) => Client
  options: unknown
}

const heartbeatMs = 10_000

/**
 * PostgreSQL's LISTEN and NOTIFY. It listens on a connection of its own, which the pool knows nothing of. Through a pooler
 * such as PgBouncer it does not: the connection that listens would be somebody else's the next moment.
 */
export function createListen (pool: Pool): Notifications['listen'] {
  return async (channel, onMessage) => {
    const over = new AbortController()
    const began = Promise.withResolvers<void>()
    let client: Client | undefined
    const hangUp = () => { client?.connection.stream.destroy() }

    /** Listens on one connection, until it is lost. */
    async function attend (onReady: () => void): Promise<void> {
      const here = new pool.Client(pool.options)
      const end = Promise.withResolvers<void>()
      client = here
      here.on('error', end.resolve)
      here.on('end', end.resolve)
      here.on('notification', onMessage)

      await inTime(here.connect())
      here.unref()
      const { rows: [backend] } = await inTime(here.query('select pg_backend_pid() as pid'))
      if (backend!.pid !== here.processID) return giveUp()
      await inTime(here.query(`listen "${channel.replaceAll('"', '""')}"`))
      onReady()
      const heartbeat = setInterval(() => inTime(here.query('select 1')).catch(hangUp), heartbeatMs).unref()
      await end.promise
      clearInterval(heartbeat)
    }

    function giveUp (): void {
      over.abort()
      hangUp()
    }

    async function inTime<Answer> (answer: Promise<Answer>): Promise<Answer> {
      const timer = setTimeout(hangUp, mostWaitMs).unref()
      return answer.finally(() => clearTimeout(timer))
    }

    async function attendAgainAndAgain (): Promise<void> {
      for (let onReady = began.resolve; !over.signal.aborted; onReady = onMessage) {
        await attend(onReady).catch(hangUp)
        began.resolve()
        await pause(100 + Math.random() * 400, undefined, { ref: false, signal: over.signal }).catch(() => {})
      }
    }

    const attending = attendAgainAndAgain()
    await began.promise
    return async () => {
      giveUp()
      await attending
    }
  }
}

/** Sent with the commit of the transaction, or at once without one. */
export const notify: Notifications['notify'] = async (em, channel) => {
  await em.getConnection().execute('select pg_notify(?, ?)', [channel, ''], 'all', em.getTransactionContext())
}
