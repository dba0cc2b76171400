import type { MikroORM } from '@mikro-orm/core'
import { mostWaitMs } from '../http/deadline.ts'
import { within } from './patience.ts'

/** What a connection to a server goes through. */
interface Stream {
  destroy: () => unknown
  once: (event: 'close', listener: () => void) => unknown
}

/** Ends connections that do not answer. */
export interface Watch {
  /** From here on. Migrations may take as long as they like. */
  start: () => void
  /**
   * Knows a new connection. What is given back is called with each question, and gives what is to be called with the answer.
   * `onSilent` is called before one without an answer is ended.
   */
  over: (stream: Stream, onSilent?: () => void) => () => () => void
  /** Closes the pool, and ends what does not close. */
  close: (orm: MikroORM) => Promise<void>
}

/** Saying good-bye takes no longer than this. */
const mostFarewellMs = 2000

/**
 * A connection whose other side has vanished without a word stays silent for ever, and the pool would give it to one
 * request after the other: it has to be ended from here.
 */
export function createWatch (): Watch {
  const streams = new Set<Stream>()
  let isOn = false

  return {
    start () { isOn = true },

    over (stream, onSilent = () => {}) {
      streams.add(stream)
      stream.once('close', () => streams.delete(stream))

      function end (): void {
        onSilent()
        stream.destroy()
      }
      return () => {
        const timer = isOn ? setTimeout(end, mostWaitMs).unref() : undefined
        return () => clearTimeout(timer)
      }
    },

    async close (orm) {
      await within(mostFarewellMs, orm.close(true)).catch(() => {})
      for (const stream of streams) stream.destroy()
    },
  }
}
