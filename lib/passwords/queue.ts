import { Busy } from '../errors.ts'
import type { Settings } from '../settings.ts'

/** Lets so many jobs run at once, and so many wait. */
export interface Queue {
  /**
   * Does something that will stand in the line for its jobs, if there is room for one more of those. Who comes in vain
   * has cost nothing yet.
   * @throws {Busy} when as many as may run and wait are at it
   */
  admit: <Result>(act: () => Promise<Result>) => Promise<Result>
  /**
   * Runs a job, those first that came first. One whose client has gone leaves the line, and does not run.
   * @throws {Busy} when too many wait already
   * @throws the reason of the signal
   */
  run: <Result>(job: () => Promise<Result>, gone?: AbortSignal) => Promise<Result>
}

/** What the accounts of one server share, since their hashes share the threads of the process. */
interface Line {
  running: number
  /** In the order in which they came. */
  waiting: Set<Place>
  /** How long jobs take lately. */
  jobMs: number
}

interface Place {
  /** At most so many may run beside it, itself included. */
  concurrency: number
  start: () => void
}

const lines = new WeakMap<object, Line>()

export function createQueue (server: object, { concurrency, waiting: mostWaiting }: Settings['password']): Queue {
  const line = lines.get(server) ?? { running: 0, waiting: new Set(), jobMs: 0 }
  lines.set(server, line)
  let ours = 0
  let admitted = 0

  /** Busy, with a guess when it will be better. */
  function busy (ahead: number): Error {
    return new Busy(line.jobMs * (ahead + 1) / concurrency)
  }

  async function turn (gone: AbortSignal | undefined): Promise<void> {
    gone?.throwIfAborted()
    if (line.waiting.size === 0 && line.running < concurrency) {
      line.running++
      return
    }
    if (ours >= mostWaiting) throw busy(line.waiting.size)

    ours++
    const { promise, resolve: start, reject } = Promise.withResolvers<void>()
    const place = { concurrency, start }
    const leave = () => {
      line.waiting.delete(place)
      reject(gone!.reason)
      callNext(line)
    }
    line.waiting.add(place)
    gone?.addEventListener('abort', leave)
    return promise.finally(() => {
      ours--
      gone?.removeEventListener('abort', leave)
    })
  }

  return {
    async admit (act) {
      if (admitted >= concurrency + mostWaiting) throw busy(admitted - concurrency)
      admitted++
      return act().finally(() => { admitted-- })
    },

    async run (job, gone) {
      await turn(gone)
      const startedAt = performance.now()
      try {
        return await job()
      } finally {
        line.jobMs += (performance.now() - startedAt - line.jobMs) / 10
        line.running--
        callNext(line)
      }
    },
  }
}

/** Gives free slots to those who wait: taken before they wake, so that nobody slips in between. */
function callNext (line: Line): void {
  for (const place of line.waiting) {
    if (line.running >= place.concurrency) return
    line.running++
    line.waiting.delete(place)
    place.start()
  }
}
