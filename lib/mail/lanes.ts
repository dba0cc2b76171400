import type { FastifyBaseLogger } from 'fastify'
import type { Delivery } from './delivery.ts'
import type { MailRow } from './entity.ts'
import { leaseMs, type Outbox } from './outbox.ts'

/** Sends what is due, one mail after the other in each of a few lanes: one that hangs holds up its own lane alone. */
export interface Lanes {
  /** Sends until nothing is due that this process knows how to send. */
  run: () => Promise<void>
  /** Waits for what is being sent, and sends what is due in `ms` too. */
  runAhead: (ms: number) => Promise<void>
  /** Waits until nothing is being sent. */
  idle: () => Promise<void>
  /** Has them look once more where something has come while they looked. */
  wake: () => void
}

interface LaneParts {
  outbox: Outbox
  delivery: Delivery
  /** The kinds of mails that this process knows how to send, as they are by then. */
  kinds: () => string[]
  log: FastifyBaseLogger
  /** Aborted once no more is begun with. */
  closing: AbortSignal
}

const batchSize = 10

/** How many mails a process sends at once. */
export const mostAtOnce = 4

/**
 * For how long after its claim a mail is begun with: to find out who gets it, to wait for its turn and to send it take
 * less than the rest. Later the claim could be over meanwhile, and another process would send it too.
 */
const mostHeldMs = leaseMs - 55_000

/** A mail that is claimed, and until when it may be begun with, in ms of the clock that never steps. */
interface Held { mail: MailRow, until: number }

export function createLanes ({ outbox, delivery, kinds, log, closing }: LaneParts): Lanes {
  const lanes = new Set<Promise<void>>()
  const waiting: Held[] = []
  let claiming: Promise<void> | undefined
  let aheadMs = 0
  let isWoken = false

  /** Claims what is due: once more where something came while it looked. */
  async function claim (): Promise<void> {
    while (waiting.length === 0 && !closing.aborted) {
      isWoken = false
      const until = performance.now() + mostHeldMs
      const mails = await outbox.claim(kinds(), batchSize, aheadMs)
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

  async function sendAll (): Promise<void> {
    for (let held = await next(); held; held = await next()) {
      const { mail, until } = held
      const isOurs = !closing.aborted && performance.now() < until
      await (isOurs ? delivery.send(mail) : outbox.later(mail, 0, undefined, false)).catch((error) => {
        log.warn(error, 'It cannot be noted what has become of a mail')
      })
    }
  }

  async function idle (): Promise<void> {
    await Promise.all(lanes)
  }

  async function run (): Promise<void> {
    while (lanes.size < mostAtOnce) {
      const lane = sendAll().finally(() => { lanes.delete(lane) })
      lanes.add(lane)
    }
    await idle()
  }

  return {
    run,
    async runAhead (ms) {
      await idle()
      aheadMs = ms
      await run().finally(() => { aheadMs = 0 })
    },
    idle,
    wake () { isWoken = true },
  }
}
