import { setTimeout as pause } from 'node:timers/promises'
import type { FastifyBaseLogger } from 'fastify'
import { eachWithDeadline } from '../http/deadline.ts'
import type { Compose } from './compose.ts'
import { createDelivery, type FindRecipient, type MailFailure } from './delivery.ts'
import type { MailRow } from './entity.ts'
import { leaseMs, type Outbox } from './outbox.ts'
import type { MailTransport } from './transport.ts'

/** Sends what lies in the outbox. */
export interface MailWorker {
  /** The kinds of mails that this process knows how to send. */
  recipients: Record<string, FindRecipient>
  /** Begins to look by itself. */
  start: () => void
  /** Looks soon: in so many ms. */
  wake: (inMs?: number) => void
  /** Sends all that is due, also what is due within a second, and waits for it. */
  flush: () => Promise<void>
  /** Stops, waits 5 seconds for what is being sent, and gives the rest back. */
  close: () => Promise<void>
}

interface WorkerParts {
  outbox: Outbox
  transport: MailTransport
  compose: Compose
  onFailed: (failure: MailFailure) => Promise<void>
  log: FastifyBaseLogger
}

/** How often each process looks for what others have left. */
const lookEveryMs = 5000

const batchSize = 10

/** How many mails a process sends at once. */
export const mostAtOnce = 4

/**
 * For how long after its claim a mail is begun with: to find out who gets it, to wait for its turn and to send it take
 * less than the rest. Later the claim could be over meanwhile, and another process would send it too.
 */
const mostHeldMs = leaseMs - 55_000

/** How long `close` waits for those that are being sent. */
const mostClosingMs = 5000

/** What is due so soon is sent by `flush` too: that it waits only hides when it is made. */
const flushedAheadMs = 1000

/** A mail that is claimed, and until when it may be begun with, in ms of the clock that never steps. */
interface Held { mail: MailRow, until: number }

export function createMailWorker (
  { outbox: given, transport, compose, onFailed, log }: WorkerParts, settings: { rate: number }
): MailWorker {
  // To send may take longer than anybody waits for a database: each statement has all of its time.
  const outbox = eachWithDeadline(given)
  const recipients: Record<string, FindRecipient> = {}
  const closing = new AbortController()
  const delivery = createDelivery(
    { outbox, transport, compose, recipients, onFailed, log, closing: closing.signal }, settings)
  const lanes = new Set<Promise<void>>()
  const waiting: Held[] = []
  let claiming: Promise<void> | undefined
  let aheadMs = 0
  let isWoken = false
  let isStarted = false
  let timer: NodeJS.Timeout | undefined
  let timerAt = Infinity

  /** Claims what is due: once more where something came while it looked. */
  async function claim (): Promise<void> {
    while (waiting.length === 0 && !closing.signal.aborted) {
      isWoken = false
      const until = performance.now() + mostHeldMs
      const mails = await outbox.claim(Object.keys(recipients), batchSize, aheadMs)
      waiting.push(...mails.map((mail) => ({ mail, until })))
      if (!isWoken) return
    }
  }

  async function next (): Promise<Held | undefined> {
    if (waiting.length === 0) {
      claiming ??= claim().finally(() => { claiming = undefined })
      await claiming
    }
    return waiting.shift()
  }

  /** One after the other until nothing is due. A mail that hangs holds up its own lane alone. */
  async function sendAll (): Promise<void> {
    for (let held = await next(); held; held = await next()) {
      const { mail, until } = held
      const isOurs = !closing.signal.aborted && performance.now() < until
      await (isOurs ? delivery.send(mail) : outbox.later(mail, 0, undefined, false)).catch((error) => {
        log.warn(error, 'It cannot be noted what has become of a mail')
      })
    }
  }

  async function run (): Promise<void> {
    while (lanes.size < mostAtOnce) {
      const lane = sendAll().finally(() => { lanes.delete(lane) })
      lanes.add(lane)
    }
    await idle()
  }

  async function idle (): Promise<void> {
    await Promise.all(lanes)
  }

  function look (): void {
    timerAt = Infinity
    run().catch((error) => log.warn(error, 'The outbox of mails cannot be read'))
    lookIn(lookEveryMs * (0.8 + 0.4 * Math.random()))
  }

  function lookIn (ms: number): void {
    const at = performance.now() + ms
    if (!isStarted || closing.signal.aborted || at >= timerAt) return
    clearTimeout(timer)
    timerAt = at
    timer = setTimeout(look, ms).unref()
  }

  return {
    recipients,

    start () {
      isStarted = true
      lookIn(0)
    },

    wake (inMs = 0) {
      isWoken = true
      lookIn(inMs)
    },

    async flush () {
      await idle()
      aheadMs = flushedAheadMs
      await run().finally(() => { aheadMs = 0 })
    },

    async close () {
      closing.abort()
      clearTimeout(timer)
      const isIdle = idle().catch(() => {})
      await Promise.race([isIdle, pause(mostClosingMs, undefined, { ref: false })])
      delivery.stop()
      await isIdle
      transport.close?.()
    },
  }
}
