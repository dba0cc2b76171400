import { setTimeout as pause } from 'node:timers/promises'
import type { FastifyBaseLogger } from 'fastify'
import { propertiesOf } from '../checks/any-error.ts'
import { withDeadline } from '../http/deadline.ts'
import { maskedAddress } from './addresses.ts'
import type { Compose, Recipient } from './compose.ts'
import type { MailRow } from './entity.ts'
import type { Outbox } from './outbox.ts'
import { errorName, transmit } from './transmit.ts'
import type { Mail, MailTransport } from './transport.ts'

/**
 * Finds out who gets a mail of a kind, right before it is sent: a recipient; `later` for one who has had a mail just
 * now; undefined where there is nobody, and the mail is dropped.
 */
export type FindRecipient = (mail: MailRow) => Promise<Recipient | { later: number } | undefined>

/** What is told of a mail that was given up. */
export interface MailFailure {
  userId: string | null
  kind: string
  /** The class of the error, and nothing that a server has said. */
  error: string
}

/** Sends one mail, and notes what has become of it. */
export interface Delivery {
  send: (mail: MailRow) => Promise<void>
  /** Aborts what is being sent: it is given back. */
  stop: () => void
}

interface DeliveryParts {
  outbox: Outbox
  transport: MailTransport
  compose: Compose
  recipients: Record<string, FindRecipient>
  onFailed: (failure: MailFailure) => Promise<void>
  log: FastifyBaseLogger
  /** Aborted once no more is begun with. */
  closing: AbortSignal
}

/** Errors that are our own mistake: the server knows us not, or has no TLS. */
const ownMistakes = ['EAUTH', 'ENOAUTH', 'EOAUTH2', 'ETLS']

export function createDelivery (
  { outbox, transport, compose, recipients, onFailed, log, closing }: DeliveryParts, { rate }: { rate: number }
): Delivery {
  const stopping = new Set<AbortController>()
  let nextSendAt = 0

  /** Waits for its turn: no more are sent in a second than the setting says. */
  async function turn (): Promise<void> {
    const now = performance.now()
    const startAt = Math.max(now, nextSendAt)
    nextSendAt = startAt + 1000 / rate
    if (startAt > now) await pause(startAt - now, undefined, { signal: closing })
  }

  async function hand (composed: Mail, attempt: number): Promise<void> {
    const stop = new AbortController()
    stopping.add(stop)
    await transmit(transport, composed, attempt, stop).finally(() => stopping.delete(stop))
  }

  /** Undefined where the mail cannot be made, and is given up. */
  async function made (mail: MailRow, recipient: Recipient): Promise<Mail | undefined> {
    try {
      const composed = compose(mail, recipient)
      if (composed) return composed
    } catch (error) {
      // Not what it says: a template has seen the link.
      const { id, kind } = mail
      log.error({ mail: id, kind, error: errorName(error), at: placeOf(error) }, 'A template has failed')
      return giveUp(mail, 'template')
    }
    return giveUp(mail, 'address')
  }

  /** Again after 30 s, 1 min, 2 min and so on, until the mail makes no sense any more. */
  async function fail (mail: MailRow, error: unknown): Promise<void> {
    if (closing.aborted && propertiesOf(error).name === 'AbortError') return outbox.later(mail, 0, undefined, false)
    const name = errorName(error)
    const level = ownMistakes.includes(name) ? 'error' : 'warn'
    log[level]({ mail: mail.id, kind: mail.kind, error: name }, 'A mail could not be sent')
    if (propertiesOf(error).permanent === true) return giveUp(mail, name)
    const waitMs = 30_000 * 2 ** Math.min(mail.tries - 1, 12) * (0.8 + 0.4 * Math.random())
    if (Date.now() + waitMs >= mail.expiresAt.getTime()) return giveUp(mail, name)
    await outbox.later(mail, waitMs, name)
  }

  async function giveUp (mail: MailRow, error: string): Promise<undefined> {
    await outbox.failed(mail, error)
    const to = mail.address === null ? undefined : maskedAddress(mail.address)
    log.error({ mail: mail.id, kind: mail.kind, to, error }, 'A mail will not be sent')
    await onFailed({ userId: mail.userId, kind: mail.kind, error })
  }

  async function deliver (mail: MailRow, found: Recipient): Promise<void> {
    const composed = await made(mail, found)
    if (!composed) return
    try {
      await turn()
      await hand(composed, mail.tries)
    } catch (error) {
      return fail(mail, error)
    }
    await outbox.sent(mail)
  }

  async function find (mail: MailRow): Promise<Recipient | undefined> {
    const found = await withDeadline(() => recipients[mail.kind]!(mail))
    if (!found) await outbox.drop(mail)
    if (!found || !('later' in found)) return found
    await outbox.later(mail, found.later, undefined, false)
  }

  return {
    async send (mail) {
      if (mail.expiresAt.getTime() <= Date.now()) return giveUp(mail, 'expired')
      const found = await find(mail).catch((error) => fail(mail, error))
      if (found) await deliver({ ...mail, address: found.address, userId: found.userId ?? mail.userId }, found)
    },

    stop () {
      for (const stop of stopping) stop.abort()
    },
  }
}

/** Where an error was thrown, without its message. */
function placeOf (error: unknown): string | undefined {
  return /^ +at .+$/m.exec(String(propertiesOf(error).stack))?.[0].trim()
}
