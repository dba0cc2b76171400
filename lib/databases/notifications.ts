import { setTimeout as pause } from 'node:timers/promises'
import type { Notifications } from './dialect.ts'
import { mostWaitMs } from './patience.ts'

/** What of `pg` is needed here. */
interface Client {
  connect: () => Promise<unknown>
  query: (statement: string) => Promise<unknown>
  on: (event: 'error' | 'end' | 'notification', listener: () => void) => void
  unref: () => void
  connection: { stream: { destroy: () => void } }
}
export interface Pool {
  Client: new (options: unknown) => Client
  options: unknown
}

const heartbeatMs = 10_000

/** PostgreSQL's LISTEN and NOTIFY. It listens on a connection of its own, which the pool knows nothing of. */
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
      await inTime(here.query(`listen "${channel.replaceAll('"', '""')}"`))
      onReady()
      const heartbeat = setInterval(() => inTime(here.query('select 1')).catch(hangUp), heartbeatMs).unref()
      await end.promise
      clearInterval(heartbeat)
    }

    async function inTime (answer: Promise<unknown>): Promise<void> {
      const timer = setTimeout(hangUp, mostWaitMs).unref()
      await answer.finally(() => clearTimeout(timer))
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
      over.abort()
      hangUp()
      await attending
    }
  }
}

/** Sent with the commit of the transaction, or at once without one. */
export const notify: Notifications['notify'] = async (em, channel) => {
  await em.getConnection().execute('select pg_notify(?, ?)', [channel, ''], 'all', em.getTransactionContext())
}
