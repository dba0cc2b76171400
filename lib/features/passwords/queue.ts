import { widestNetworkOf, type AnyRequest } from '../../http/request.ts'
import { msLeft } from '../../http/deadline.ts'
import { Busy } from './errors.ts'
import type { PasswordSettings } from './options.ts'

/** Lets so many jobs run at once, and so many wait. */
export interface Queue {
  /**
   * Does something that will stand in the line for its jobs, if there is room for one more of those, and for one more
   * of the request's network: none can take the line for itself. Who comes in vain has cost nothing yet.
   * @throws {Busy} when as many as may run and wait are at it, or a quarter of those who may wait are of this network
   */
  admit: <Result>(request: Pick<AnyRequest, 'ip'>, act: () => Promise<Result>) => Promise<Result>
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

export function createQueue (
  server: object,
  { concurrency, waiting: mostWaiting }: PasswordSettings['password']
): Queue {
  const line = lines.get(server) ?? { running: 0, waiting: new Set(), jobMs: 0 }
  lines.set(server, line)
  let ours = 0
  let admitted = 0
  /** How many of them each network has, if any. */
  const shares = new Map<string, number>()
  /** A network alone may still keep all busy that may run at once. */
  const mostOfNetwork = Math.max(concurrency, Math.floor(mostWaiting / 4))

  /** Busy, with a guess when it will be better. */
  function busy (ahead: number): Error {
    return new Busy((line.jobMs * (ahead + 1)) / concurrency)
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
    const leave = (reason: unknown) => {
      line.waiting.delete(place)
      reject(reason)
      callNext(line)
    }
    const onGone = () => leave(gone!.reason)
    const timer = setTimeout(() => leave(busy(line.waiting.size)), msLeft())
    line.waiting.add(place)
    gone?.addEventListener('abort', onGone)
    return promise.finally(() => {
      ours--
      clearTimeout(timer)
      gone?.removeEventListener('abort', onGone)
    })
  }

  return {
    async admit ({ ip }, act) {
      const network = widestNetworkOf(ip)
      const share = shares.get(network) ?? 0
      if (admitted >= concurrency + mostWaiting || share >= mostOfNetwork) {
        throw busy(Math.max(admitted - concurrency, 0))
      }
      admitted++
      shares.set(network, share + 1)
      return act().finally(() => {
        admitted--
        const left = shares.get(network)! - 1
        if (left > 0) shares.set(network, left)
        else shares.delete(network)
      })
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
