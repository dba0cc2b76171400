import type { FastifyBaseLogger } from 'fastify'
import { withTimeout } from '../http/deadline.ts'
import type { SessionSettings } from './options.ts'

export interface Poll {
  /** True while the last read is recent enough to decide by, and the process has not stood still since. */
  isFresh: () => boolean
  /** How long ago the last read that succeeded began, in ms. */
  stalenessMs: () => number
  /**
   * Reads until what is known is fresh.
   * @throws {Unavailable} when it takes longer than `maxStaleness`, since what it brings would be too old by then
   * @throws what a read throws
   */
  catchUp: () => Promise<void>
  /** Makes the next read come soon. */
  wake: () => void
  close: () => Promise<void>
}

/** How long a message waits for others, so that one read answers them all. */
const gatherMs = 10

/**
 * Calls `read` once, and then again and again, about as often as the option says and sooner when it is woken. What is
 * known is as old as the beginning of the last read that succeeded.
 * @throws what the first read throws
 */
export async function startPoll (
  read: () => Promise<void>,
  { pollIntervalSeconds, maxStalenessSeconds }: SessionSettings['revocation'],
  log: FastifyBaseLogger
): Promise<Poll> {
  let reading: Promise<void> | undefined
  let isPolling = false
  let isWoken = false
  let isCutOff = false
  let isClosed = false
  let timer: NodeJS.Timeout | undefined

  let readAt = now()
  await read()
  const pulse = startPulse(pollIntervalSeconds * 1000, readAt)

  /** Those who ask at once share one read. */
  function readOnce (): Promise<void> {
    const startedAt = now()
    // Ends a pause that nobody has noticed yet: what is read from here on is fresh.
    pulse.pausedUntil(startedAt)
    reading ??= read().then(() => { readAt = startedAt }).finally(() => { reading = undefined })
    return reading
  }

  async function poll (): Promise<void> {
    isPolling = true
    isWoken = false
    // A read that had begun before may have missed what the message was about.
    await reading?.catch(() => {})
    await readOnce().then(() => logChange(false), (error) => logChange(true, error))
    isPolling = false
    pollIn(isWoken ? gatherMs : pollIntervalSeconds * 1000)
  }

  function pollIn (ms: number): void {
    clearTimeout(timer)
    if (!isClosed) timer = setTimeout(poll, ms).unref()
  }

  /** Says once that the database is away, and once that it is back. */
  function logChange (isAway: boolean, error?: unknown): void {
    if (isAway && !isCutOff) log.warn(error, 'The log of revocations cannot be read: requests wait for the database')
    if (!isAway && isCutOff) log.info('The log of revocations is read again')
    isCutOff = isAway
  }

  /**
   * Each guarded request asks this. What others have revoked during a pause is known only once the log is read again.
   */
  function isFresh (): boolean {
    const moment = now()
    return readAt.steady >= pulse.pausedUntil(moment) && msBetween(readAt, moment) < maxStalenessSeconds * 1000
  }

  async function readUntilFresh (): Promise<void> {
    // A read that had begun before may be too old by now.
    await reading
    if (!isFresh()) await readOnce()
  }

  pollIn(pollIntervalSeconds * 1000)

  return {
    isFresh,
    stalenessMs: () => msBetween(readAt, now()),

    catchUp: () => withTimeout(maxStalenessSeconds * 1000, readUntilFresh()),

    wake () {
      if (isWoken) return
      isWoken = true
      if (!isPolling) pollIn(gatherMs)
    },

    async close () {
      isClosed = true
      clearTimeout(timer)
      pulse.stop()
      await reading?.catch(() => {})
    },
  }
}

/** A moment on two clocks, in ms: `steady` is never set, and `wall` goes on while the machine sleeps. */
export interface Moment {
  steady: number
  wall: number
}

export function now (): Moment {
  return { steady: performance.now(), wall: Date.now() }
}

/** How long after another a moment is, by the clock that has gone on for longer. */
function msBetween (before: Moment, after: Moment): number {
  return Math.max(after.steady - before.steady, after.wall - before.wall)
}

/** Notices that the event loop has stood still: somebody blocked it or stopped the process, or the machine slept. */
interface Pulse {
  /**
   * When the end of the last pause was noticed, by the `steady` clock. Called with the present moment, it notices a
   * pause before any timer has run.
   */
  pausedUntil: (moment: Moment) => number
  stop: () => void
}

/**
 * Notices each pause from a moment on that is longer than `ms`, and may notice one half as long. A timer is due twice
 * in that time: when it has not run for all of it there was a pause, and not only a timer that is late on a busy
 * machine.
 */
function startPulse (ms: number, from: Moment): Pulse {
  let lastBeat = from
  let pauseEnd = -Infinity
  let timer: NodeJS.Timeout | undefined

  function pausedUntil (moment: Moment): number {
    if (msBetween(lastBeat, moment) > ms) {
      pauseEnd = moment.steady
      lastBeat = moment
    }
    return pauseEnd
  }

  function beat (): void {
    const moment = now()
    pausedUntil(moment)
    lastBeat = moment
    timer = setTimeout(beat, ms / 2).unref()
  }

  beat()
  return { pausedUntil, stop: () => clearTimeout(timer) }
}
