import { setTimeout as pause } from 'node:timers/promises'
import type { FastifyBaseLogger } from 'fastify'
import { eachWithDeadline } from '../http/deadline.ts'
import type { Compose } from './compose.ts'
import { createDelivery, type FindRecipient, type MailFailure } from './delivery.ts'
import { createLanes } from './lanes.ts'
import type { Outbox } from './outbox.ts'
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

/** How long `close` waits for those that are being sent. */
const mostClosingMs = 5000

/** What is due so soon is sent by `flush` too: that it waits only hides when it is made. */
const flushedAheadMs = 1000

export function createMailWorker (
  { outbox: given, transport, compose, onFailed, log }: WorkerParts, settings: { rate: number }
): MailWorker {
  // To send may take longer than anybody waits for a database: each statement has all of its time.
  const outbox = eachWithDeadline(given)
  const recipients: Record<string, FindRecipient> = {}
  const stopping = new AbortController()
  const { signal: closing } = stopping
  const delivery = createDelivery({ outbox, transport, compose, recipients, onFailed, log, closing }, settings)
  const lanes = createLanes({ outbox, delivery, kinds: () => Object.keys(recipients), log, closing })
  let isStarted = false
  let timer: NodeJS.Timeout | undefined
  let timerAt = Infinity

  function look (): void {
    timerAt = Infinity
    lanes.run().catch((error) => log.warn(error, 'The outbox of mails cannot be read'))
    lookIn(lookEveryMs * (0.8 + 0.4 * Math.random()))
  }

  function lookIn (ms: number): void {
    const at = performance.now() + ms
    if (!isStarted || closing.aborted || at >= timerAt) return
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
      lanes.wake()
      lookIn(inMs)
    },

    flush: () => lanes.runAhead(flushedAheadMs),

    async close () {
      stopping.abort()
      clearTimeout(timer)
      const isIdle = lanes.idle().catch(() => {})
      await Promise.race([isIdle, pause(mostClosingMs, undefined, { ref: false })])
      delivery.stop()
      await isIdle
      transport.close?.()
    },
  }
}
