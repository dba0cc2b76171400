import { mostWaitMs } from './patience.ts'

/** Ends connections that do not answer. */
export interface Watch {
  /** From here on. Migrations may take as long as they like. */
  start: () => void
  /** For a question that is asked: ends the connection by `end`, unless what is given back is called in time. */
  ask: (end: () => void) => () => void
}

/**
 * A connection whose other side has vanished without a word stays silent for ever, and the pool would give it to one
 * request after the other: it has to be ended from here.
 */
export function createWatch (): Watch {
  let isOn = false
  return {
    start () { isOn = true },
    ask (end) {
      const timer = isOn ? setTimeout(end, mostWaitMs).unref() : undefined
      return () => clearTimeout(timer)
    },
  }
}
