import { createHash } from 'node:crypto'
import type { FastifyBaseLogger } from 'fastify'
import { clientOf } from '../client.ts'
import { CredentialsInvalid, InputInvalid, PasswordRejected, Throttled } from '../errors.ts'
import type { Events } from '../events.ts'
import type { AnyRequest } from '../options.ts'
import type { Queue } from '../passwords/queue.ts'
import type { Settings } from '../settings.ts'
import type { Telemetry } from '../telemetry.ts'
import { blockedFor, empty, fill, takeBack, type Bucket, type Rule } from './bucket.ts'
import { networkOf } from './network.ts'
import type { Rows } from './rows.ts'

/** What failures are counted by: an account as one network tries it, or one known device; all of one network; all at one account. */
export type BucketKind = 'account-network' | 'account-device' | 'network' | 'account'

/** Whose password is tried: the key is theirs alone, whether there is anybody or not. */
export interface Account {
  key: string
  find: () => Promise<{ id: string } | null>
}

/**
 * Refuses attempts where there were too many failures. An attempt is counted before it is made, so that no number of
 * them at once gets past the limit; one that is refused is not counted, so that nobody makes a block longer.
 */
export interface Throttle {
  /**
   * For a check of the password of an account. `CredentialsInvalid` is a failure. A right
   * password empties the buckets of the account; the network is given back this attempt alone, since it may be that of
   * somebody with an account of their own. What else is thrown is no answer about a password, and nothing is counted.
   * A known device is counted by itself, and not held up by what others did to the account, from wherever.
   * @throws {Throttled}
   */
  guess: <Result>(request: AnyRequest, account: Account, check: () => Promise<Result>, device?: string) => Promise<Result>
  /**
   * For a registration, which tells whether a name is taken: it counts for its network, unless it failed before that.
   * @throws {Throttled}
   */
  register: <Result>(request: AnyRequest, act: () => Promise<Result>) => Promise<Result>
  /**
   * Counts a failure of the network of a request.
   * @throws {Throttled}
   */
  fail: (request: AnyRequest) => Promise<void>
}

/** A bucket that an attempt is counted in. */
interface Counted {
  kind: BucketKind
  id: string
  /** The end of the block that the attempt has brought, or 0. */
  brought: number
}

export function createThrottle (
  rows: Rows, queue: Queue, events: Events, telemetry: Telemetry, { throttle: free }: Pick<Settings, 'throttle'>, log: FastifyBaseLogger
): Throttle {
  if (!free) return { guess: (_request, _account, check) => queue.admit(check), register: (_request, act) => queue.admit(act), fail: async () => {} }

  const rules: Record<BucketKind, Rule> = {
    'account-network': { free: free.accountNetwork, leakMs: 5 * 60_000 },
    'account-device': { free: free.accountNetwork, leakMs: 5 * 60_000 },
    network: { free: free.network, leakMs: 10_000 },
    account: { free: free.account, leakMs: 10 * 60_000 },
  }
  let hasWarned = false

  function warnOfProxy ({ headers, ips }: AnyRequest): void {
    if (hasWarned || ips || (headers['x-forwarded-for'] ?? headers.forwarded) === undefined) return
    hasWarned = true
    log.warn('A proxy has sent a request, and trustProxy is not set in Fastify: all clients behind it are throttled as one')
  }

  /** In the order in which everybody locks them, so that nobody waits in a circle. */
  function bucketsOf (request: AnyRequest, account?: Account, device?: string): Counted[] {
    warnOfProxy(request)
    const network = networkOf(request.ip)
    if (!account) return [bucket('network', network)]
    if (device) return [bucket('account-device', device), bucket('network', network)]
    return [bucket('account-network', `${network} ${account.key}`), bucket('network', network), bucket('account', account.key)]
  }

  function change (buckets: Counted[], revise: (rows: Bucket[]) => Bucket[]): Promise<void> {
    return rows.change(buckets.map(({ id }) => id), revise)
  }

  async function count (buckets: Counted[]): Promise<void> {
    await change(buckets, (rows) => {
      const now = Date.now()
      requireOpen(rows, now)
      const filled = rows.map((row, index) => fill(row, rules[buckets[index]!.kind], now))
      filled.forEach(({ blockedUntil }, index) => { buckets[index]!.brought = blockedUntil })
      return filled
    })
  }

  function requireOpen (rows: Bucket[], now: number): void {
    const waitMs = Math.max(...rows.map((row) => blockedFor(row, now)))
    if (waitMs === 0) return
    telemetry.counters.attemptsThrottled++
    throw new Throttled(waitMs)
  }

  function takeBackFrom (rows: Bucket[], buckets: Counted[]): Bucket[] {
    return rows.map((row, index) => takeBack(row, rules[buckets[index]!.kind], buckets[index]!.brought))
  }

  /** Of failures that stand. */
  async function tellOf (buckets: Counted[], request: AnyRequest, account?: Account): Promise<void> {
    for (const { kind } of buckets.filter(({ brought }) => brought > 0)) {
      telemetry.counters.bucketsBlocked++
      const user = kind === 'network' ? null : await account!.find()
      await events.happen({ type: 'lock', reason: kind, userId: user?.id, client: clientOf(request) })
    }
  }

  async function attempt<Result> (buckets: Counted[], act: () => Promise<Result>, onFailure: (error: unknown) => Promise<void> | false): Promise<Result> {
    await count(buckets)
    return act().catch(async (error) => {
      const telling = onFailure(error)
      if (telling) await telling
      // Nobody waits for it: if the database is away, they have waited long enough.
      else change(buckets, (rows) => takeBackFrom(rows, buckets)).catch((cause) => log.warn(cause, 'An attempt that was none stays counted'))
      throw error
    })
  }

  return {
    guess: (request, account, check, device) => queue.admit(async () => {
      const buckets = bucketsOf(request, account, device)
      const result = await attempt(buckets, check, (error) => error instanceof CredentialsInvalid && tellOf(buckets, request, account))
      await change(buckets, (rows) => takeBackFrom(rows, buckets).map((row, index) => buckets[index]!.kind === 'network' ? row : empty))
      return result
    }),

    register: (request, act) => queue.admit(async () => {
      const buckets = bucketsOf(request)
      const result = await attempt(buckets, act, (error) => tellsOfName(error) && tellOf(buckets, request))
      await tellOf(buckets, request)
      return result
    }),

    async fail (request) {
      const buckets = bucketsOf(request)
      await count(buckets)
      await tellOf(buckets, request)
    },
  }
}

/** The account of somebody who is signed in. */
export function accountOf (id: string): Account {
  return { key: id, find: async () => ({ id }) }
}

function bucket (kind: BucketKind, key: string): Counted {
  return { kind, id: createHash('sha256').update(`${kind} ${key}`).digest('hex'), brought: 0 }
}

/** A host may refuse a registration once the name has proved to be free. */
function tellsOfName (error: unknown): boolean {
  const { statusCode } = Object(error) as { statusCode?: number }
  return Number(statusCode) < 500 && !(error instanceof InputInvalid || error instanceof PasswordRejected)
}
