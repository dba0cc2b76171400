import { setTimeout as pause } from 'node:timers/promises'
import { OptionsInvalid } from '../http/errors.ts'
import { codeIn, type DevOutbox, type KeptMail } from './dev-outbox.ts'
import type { AnyMailKind } from './kinds.ts'
import type { MailWorker } from './worker.ts'

/** What tests look at of the mails of accounts. */
interface Tested {
  worker: MailWorker
  devOutbox: DevOutbox | undefined
}

/** By the services of the accounts: tests have nothing else of them. */
const mailings = new WeakMap<object, Tested>()

export function keepMailing (services: object, mailing: Tested): void {
  mailings.set(services, mailing)
}

/** The mails that an app has sent, as its users would find them. */
export interface TestOutbox {
  /** All that are kept, the newest last. */
  readonly mails: KeptMail[]
  /**
   * The newest mail, of a kind or to an address if given.
   * @throws {Error} if there is none
   */
  last: (kind?: AnyMailKind, to?: string) => KeptMail
  /**
   * Waits for the oldest mail that `next` has not returned yet, of a kind or to an address if given, and sends due
   * mails meanwhile. Returns each mail once.
   * @throws {Error} if none arrives within this many ms, by default 5000
   */
  next: (kind?: AnyMailKind, options?: { to?: string, within?: number }) => Promise<KeptMail>
  /** The code in a mail, as digits. */
  code: (mail: Pick<KeptMail, 'text'>) => string
  /** The token in the first link of a mail. */
  token: (mail: Pick<KeptMail, 'text'>) => string
  /** Removes all mails, for example between two tests. */
  clear: () => void
}

/** @throws {OptionsInvalid} where the accounts have no mails, or really send them */
export function testOutboxOf (services: object): TestOutbox {
  const { worker } = mailingOf(services)
  const outbox = devOutboxOf(services)
  const given = new Set<number>()

  return {
    get mails () { return outbox.mails() },

    last (kind, to) {
      const found = outbox.mails().findLast(isOf(kind, to))
      if (!found) throw new Error(`There is no mail${describe(kind, to)}`)
      return found
    },

    async next (kind, { to, within = 5000 } = {}) {
      const until = performance.now() + within
      for (;;) {
        const found = outbox.mails().filter(({ place }) => !given.has(place)).find(isOf(kind, to))
        if (found) {
          given.add(found.place)
          return found
        }
        if (performance.now() >= until) throw new Error(`There came no mail${describe(kind, to)}`)
        await worker.flush()
        await pause(10)
      }
    },

    code: (mail) => found(codeIn(mail), 'a code'),
    token: ({ text }) => found(/[#=]([\w-]{22}\.[\w-]{43})(?![\w-])/.exec(text)?.[1], 'a link'),
    clear: outbox.clear,
  }
}

/** Sends all mails that are due, and waits for it. */
export async function flushMailOf (services: object): Promise<void> {
  await mailingOf(services).worker.flush()
}

/** Has the next mails fail with this error, so many times. */
export function failMailOf (services: object, error: Error, times: number): void {
  devOutboxOf(services).fail(error, times)
}

function mailingOf (services: object): Tested {
  const mailing = mailings.get(services)
  if (!mailing) throw new OptionsInvalid('these accounts have no option mail')
  return mailing
}

function devOutboxOf (services: object): DevOutbox {
  const { devOutbox } = mailingOf(services)
  if (!devOutbox) throw new OptionsInvalid('these accounts really send their mails: leave out mail.send and mail.smtp')
  return devOutbox
}

/** Whether a mail is of this kind and to this address, where they are given. */
function isOf (kind?: AnyMailKind, to?: string): (mail: KeptMail) => boolean {
  return (mail) => (kind === undefined || mail.kind === kind) && (to === undefined || mail.to.address === to)
}

function describe (kind?: string, to?: string): string {
  return [...kind ? [` of the kind ${kind}`] : [], ...to ? [` to ${to}`] : []].join('')
}

function found (value: string | undefined, what: string): string {
  if (value === undefined) throw new Error(`There is not ${what} in this mail`)
  return value
}
