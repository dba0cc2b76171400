import type { FastifyBaseLogger } from 'fastify'
import { withTimeout } from '../database/patience.ts'
import type { SessionSettings } from './options.ts'
import { msBetween, now, startPulse } from './pulse.ts'

export interface Poll {
  /** True while the last read is recent enough to decide by what it brought, and the process has not stood still since. */
  isFresh: () => boolean
  /** How long ago the last read that succeeded began, in ms. */
  stalenessMs: () => number
  /**
   * Reads until what is known is fresh. What a read brings after longer than `maxStaleness` would be too old by then.
   * @throws {Unavailable} when it takes as long, and what a read throws
   */
  catchUp: () => Promise<void>
  /** Reads soon. */
  wake: () => void
  close: () => Promise<void>
}

/** A storm of messages is answered by one read. */
const gatherMs = 10

/**
 * Calls `read` once, and then again and again, about as often as the option says and sooner when it is woken. What is
 * known is as old as the beginning of the last read that succeeded.
 * @throws what the first read throws
 */
export async function startPoll (
  read: () => Promise<void>, { pollIntervalSeconds, maxStalenessSeconds }: SessionSettings['revocation'], log: FastifyBaseLogger
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
    // A pause that is over by now: what is read from here on is enough.
    pulse.pausedUntil(startedAt)
    reading ??= read().then(() => { readAt = startedAt }).finally(() => { reading = undefined })
    return reading
  }

  async function poll (): Promise<void> {
    isPolling = true
    isWoken = false
    // One that had begun before may have missed what woke us.
    await reading?.catch(() => {})
    await readOnce().then(() => note(false), (error) => note(true, error))
    isPolling = false
    pollIn(isWoken ? gatherMs : pollIntervalSeconds * 1000)
  }

  function pollIn (ms: number): void {
    clearTimeout(timer)
    if (!isClosed) timer = setTimeout(poll, ms).unref()
  }

  /** Says once that the database is away, and once that it is back. */
  function note (isAway: boolean, error?: unknown): void {
    if (isAway && !isCutOff) log.warn(error, 'The log of revocations cannot be read: requests wait for the database')
    if (!isAway && isCutOff) log.info('The log of revocations is read again')
    isCutOff = isAway
  }

  /** Each guarded request asks this. What others have revoked during a pause is known only once the log is read again. */
  function isFresh (): boolean {
    const moment = now()
    return readAt.steady >= pulse.pausedUntil(moment) && msBetween(readAt, moment) < maxStalenessSeconds * 1000
  }

  async function readUntilFresh (): Promise<void> {
    // One that had begun before may be as old by now as what was known.
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
