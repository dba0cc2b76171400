import { createHmac } from 'node:crypto'
import type { Events } from '../../events/events.ts'
import { clientOf, networksOf, type AnyRequest } from '../../http/request.ts'
import { blockedFor, fill, type Bucket, type Rows, type Rule } from './buckets.ts'
import { Throttled } from './errors.ts'
import type { ThrottleEvents } from './events.ts'

/** Limits on mails that somebody asks for, and on guesses at the codes in them. */
export interface MailLimits {
  /**
   * Counts a mail that a request asks for, by its network.
   * @throws {Throttled}
   */
  askForMail: (request: AnyRequest) => Promise<void>
  /**
   * Counts a mail to an address, if one may be sent: one a minute, and no more than it may get in all. Gives in how
   * many ms to ask again, 0 where it may be sent now, and Infinity where it is one too many. Nobody outside sees that.
   */
  mailTo: (addressKey: string) => Promise<number>
  /** Counts a guess at a code that was sent to an address, over all its codes, before it is judged. */
  guessCode: (addressKey: string) => Promise<CodeGuess>
  /** Takes a guess back that was right. */
  forgetGuess: (addressKey: string) => Promise<void>
}

/** A guess at a code that was mailed. */
export interface CodeGuess {
  /** False beyond the limit: then every code is wrong. */
  isJudged: boolean
  /**
   * Where no other one is judged after it: tells that it was wrong, and so every code of the address is from now on.
   * Undefined for all before.
   */
  tellOfLast?: (request: AnyRequest, userId: string | undefined) => Promise<void>
}

interface MailLimitParts {
  rows: Rows
  key: Buffer
  events: Events<ThrottleEvents>
}

/** How many mails are free. */
interface FreeMails { address: number, network: number }

const minuteMs = 60_000

/** How many wrong codes of one address are judged, and how long it takes until one is forgotten. */
const codeRule: Rule = { free: 20, leakMs: 60 * minuteMs }

/** How many mails an address gets in a day. */
const dayRule: Rule = { free: 20, leakMs: 72 * minuteMs }

export function createMailLimits ({ rows, key, events }: MailLimitParts, free: FreeMails): MailLimits {
  const networkRule: Rule = { free: free.network, leakMs: minuteMs }
  const addressRule: Rule = { free: free.address, leakMs: 12 * minuteMs }
  const idOf = (kind: string, name: string) => createHmac('sha256', key).update(`${kind} ${name}`).digest('hex')

  async function tellOfLast (request: AnyRequest, userId: string | undefined): Promise<void> {
    await events.happen({ type: 'lock', reason: 'address-codes', userId, client: clientOf(request) })
  }

  return {
    async askForMail ({ ip }) {
      const networks = networksOf(ip)
      const ids = networks.map((network) => idOf('mail-network', network))
      let waitMs = 0
      await rows.change(ids, (buckets) => {
        const now = Date.now()
        waitMs = Math.max(...buckets.map((bucket) => blockedFor(bucket, now)))
        if (waitMs > 0) return buckets
        return buckets.map((bucket, index) =>
          fill(bucket, { ...networkRule, free: networkRule.free * 2 ** index }, now))
      })
      if (waitMs > 0) throw new Throttled(waitMs)
    },

    async mailTo (addressKey) {
      let waitMs = 0
      await rows.change([idOf('mail-address', addressKey), idOf('mail-day', addressKey)], (buckets) => {
        const now = Date.now()
        const [ofAddress, ofDay] = buckets as [Bucket, Bucket]
        waitMs = blockedFor(ofAddress, now)
        if (waitMs > 0) return buckets
        if (isFull(ofAddress, addressRule, now) || isFull(ofDay, dayRule, now)) {
          waitMs = Infinity
          return buckets
        }
        return [{ ...filled(ofAddress, addressRule, now), blockedUntil: now + minuteMs }, filled(ofDay, dayRule, now)]
      })
      return waitMs
    },

    async guessCode (addressKey) {
      let guess: CodeGuess = { isJudged: false }
      await rows.change([idOf('code', addressKey)], ([bucket]) => {
        const now = Date.now()
        guess = { isJudged: !isFull(bucket!, codeRule, now) }
        if (!guess.isJudged) return [bucket!]
        const next = filled(bucket!, codeRule, now)
        if (isFull(next, codeRule, now)) guess.tellOfLast = tellOfLast
        return [next]
      })
      return guess
    },

    async forgetGuess (addressKey) {
      await rows.change([idOf('code', addressKey)], ([bucket]) =>
        [{ ...bucket!, drainedAt: bucket!.drainedAt - codeRule.leakMs }])
    },
  }
}

/** True where one more would be more than are free. */
function isFull ({ drainedAt }: Bucket, { free, leakMs }: Rule, now: number): boolean {
  return drainedAt - now > (free - 1) * leakMs
}

/** The bucket with one more in it, and never more than are free. */
function filled ({ drainedAt, blockedUntil }: Bucket, { free, leakMs }: Rule, now: number): Bucket {
  return { drainedAt: Math.min(Math.max(drainedAt, now) + leakMs, now + free * leakMs), blockedUntil }
}
