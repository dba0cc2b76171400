import type { MikroORM } from '@mikro-orm/core'
import { mostWaitMs, withTimeout } from '../http/deadline.ts'

/** The socket of a connection. */
interface Stream {
  destroy: () => unknown
  once: (event: 'close', listener: () => void) => unknown
}

/** To be called when a statement is sent. */
export type OnSent = () => OnAnswered

/** To be called when the statement is answered. */
type OnAnswered = () => void

/** Ends connections that do not answer. */
export interface Watch {
  /** Limits answers from now on: before that are the migrations, which may take as long as they like. */
  start: () => void
  /** Watches a new connection. `onSilent` is called before it is ended for want of an answer. */
  connection: (stream: Stream, onSilent?: () => void) => OnSent
  /** Closes the pool, and ends the connections that do not close. */
  close: (orm: MikroORM) => Promise<void>
}

/** Longer than this nobody waits for a pool to close. */
const mostClosingMs = 2000

/**
 * A connection whose other side has vanished without a word stays silent for ever, and the pool would give it to one
 * request after the other: so it is ended from here.
 */
export function createWatch (): Watch {
  const streams = new Set<Stream>()
  let isOn = false

  return {
    start () { isOn = true },

    connection (stream, onSilent = () => {}) {
      streams.add(stream)
      stream.once('close', () => streams.delete(stream))

      function end (): void {
        onSilent()
        stream.destroy()
      }
      return function onSent () {
        const timer = isOn ? setTimeout(end, mostWaitMs).unref() : undefined
        return function onAnswered () { clearTimeout(timer) }
      }
    },

    async close (orm) {
      await withTimeout(mostClosingMs, orm.close(true)).catch(() => {})
      for (const stream of streams) stream.destroy()
    },
  }
}
