import { once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import type { FastifyBaseLogger } from 'fastify'
import { propertiesOf } from '../checks/any-error.ts'
import { eachWithDeadline, withDeadline } from '../http/deadline.ts'
import { maskedAddress } from './addresses.ts'
import type { Compose, Recipient } from './compose.ts'
import type { MailRow } from './entity.ts'
import type { Outbox } from './outbox.ts'
import type { MailTransport } from './transport.ts'

/**
 * Finds out who gets a mail of a kind, right before it is sent: a recipient; `later` for one who has had a mail just
 * now; undefined where there is nobody, and the mail is dropped.
 */
export type FindRecipient = (mail: MailRow) => Promise<Recipient | { later: number } | undefined>

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

/** What the worker tells of. */
export interface MailFailure {
  userId: string | null
  kind: string
  /** The class of the error, and nothing that a server has said. */
  error: string
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

/** How long one may take. */
const mostMs = 30_000

/** How long `close` waits for those that are being sent. */
const mostClosingMs = 5000

/** What is due so soon is sent by `flush` too: that it waits only hides when it is made. */
const aheadMs = 1000

/** Errors that are our own mistake: the server knows us not, or has no TLS. */
const ownMistakes = ['EAUTH', 'ETLS']

export function createMailWorker (
  { outbox: given, transport, compose, onFailed, log }: WorkerParts, { rate }: { rate: number }
): MailWorker {
  // To send may take longer than anybody waits for a database: each statement has all of its time.
  const outbox = eachWithDeadline(given)
  const recipients: Record<string, FindRecipient> = {}
  const closing = new AbortController()
  let isStarted = false
  let timer: NodeJS.Timeout | undefined
  let timerAt = Infinity
  let running: Promise<void> | undefined
  let isWoken = false
  let nextSendAt = 0

  /** Waits for its turn: no more are sent in a second than the setting says. */
  async function turn (): Promise<void> {
    const now = performance.now()
    const startAt = Math.max(now, nextSendAt)
    nextSendAt = startAt + 1000 / rate
    if (startAt > now) await pause(startAt - now, undefined, { signal: closing.signal })
  }

  async function send (mail: MailRow): Promise<void> {
    if (mail.expiresAt.getTime() <= Date.now()) return giveUp(mail, 'expired')
    const found = await withDeadline(() => recipients[mail.kind]!(mail))
    if (!found) return outbox.drop(mail)
    if ('later' in found) return outbox.later(mail, found.later, undefined, false)

    const { address, userId = mail.userId } = found
    await trying({ ...mail, address, userId }, () => deliver(mail, found))
  }

  async function deliver (mail: MailRow, recipient: Recipient): Promise<void> {
    const composed = compose(mail, recipient)
    if (!composed) return giveUp(mail, 'address')
    await turn()
    const signal = AbortSignal.timeout(mostMs)
    const sending = transport.send(composed, { signal, attempt: mail.tries })
    await Promise.race([sending, failing(signal)])
    await outbox.sent(mail)
  }

  async function trying (mail: MailRow, act: () => Promise<void>): Promise<void> {
    try {
      await act()
    } catch (error) {
      if (closing.signal.aborted && isAbort(error)) return outbox.later(mail, 0, undefined, false)
      await fail(mail, error)
    }
  }

  /** Again after 30 s, 1 min, 2 min and so on, until the mail makes no sense any more. */
  async function fail (mail: MailRow, error: unknown): Promise<void> {
    const name = nameOf(error)
    const level = ownMistakes.includes(name) ? 'error' : 'warn'
    log[level]({ mail: mail.id, kind: mail.kind, error: name }, 'A mail could not be sent')
    if (propertiesOf(error).permanent === true) return giveUp(mail, name)
    const waitMs = 30_000 * 2 ** Math.min(mail.tries - 1, 12) * (0.8 + 0.4 * Math.random())
    if (Date.now() + waitMs >= mail.expiresAt.getTime()) return giveUp(mail, name)
    await outbox.later(mail, waitMs, name)
  }

  async function giveUp (mail: MailRow, error: string): Promise<void> {
    await outbox.failed(mail, error)
    const to = mail.address === null ? undefined : maskedAddress(mail.address)
    log.error({ mail: mail.id, kind: mail.kind, to, error }, 'A mail will not be sent')
    await onFailed({ userId: mail.userId, kind: mail.kind, error })
  }

  /** Claims and sends until nothing is due. */
  async function sendAll (ahead: number): Promise<void> {
    const kinds = Object.keys(recipients)
    while (!closing.signal.aborted) {
      const batch = await outbox.claim(kinds, batchSize, ahead)
      const waiting = [...batch]
      const sendNext = async (): Promise<void> => {
        for (let mail = waiting.shift(); mail; mail = waiting.shift()) {
          const next = mail
          if (closing.signal.aborted) await outbox.later(next, 0, undefined, false)
          else await trying(next, () => send(next))
        }
      }
      await Promise.all(Array.from({ length: mostAtOnce }, sendNext))
      if (batch.length === 0) return
    }
  }

  function run (ahead = 0): Promise<void> {
    running ??= sendAll(ahead).finally(() => { running = undefined })
    return running
  }

  async function look (): Promise<void> {
    isWoken = false
    timerAt = Infinity
    await run().catch((error) => log.warn(error, 'The outbox of mails cannot be read'))
    lookIn(isWoken ? 0 : lookEveryMs * (0.8 + 0.4 * Math.random()))
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
      if (running && inMs === 0) isWoken = true
      lookIn(inMs)
    },

    async flush () {
      await running
      await run(aheadMs)
    },

    async close () {
      closing.abort()
      clearTimeout(timer)
      if (running) await Promise.race([running.catch(() => {}), pause(mostClosingMs, undefined, { ref: false })])
      transport.close?.()
    },
  }
}

/** Fails once the signal is aborted. */
async function failing (signal: AbortSignal): Promise<never> {
  await once(signal, 'abort')
  throw Object.assign(new Error('A mail took too long'), { name: 'TimeoutError' })
}

function isAbort (error: unknown): boolean {
  return propertiesOf(error).name === 'AbortError'
}

/** The class of an error, or its code where it has one: what a server says may hold anything. */
function nameOf (error: unknown): string {
  const { code, name } = propertiesOf(error)
  return String(typeof code === 'string' ? code : name ?? typeof error).replaceAll(/[^\w-]/g, '').slice(0, 64) || 'Error'
}
