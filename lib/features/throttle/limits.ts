import { createHmac } from 'node:crypto'
import type { FastifyBaseLogger } from 'fastify'
import { Throttled } from './errors.ts'
import { CredentialsInvalid } from '../../sign-in/errors.ts'
import type { Events, Telemetry } from '../../events/events.ts'
import { clientOf, networksOf, type AnyRequest } from '../../http/request.ts'
import type { BucketKind, ThrottleCounters, ThrottleEvents } from './events.ts'
import { blockedFor, empty, fill, takeBack, type Bucket, type Rows, type Rule } from './buckets.ts'
import type { Devices } from './devices.ts'
import { createMailLimits, type MailLimits } from './mail-limits.ts'
import type { ThrottleSettings } from './options.ts'

/** Whose password is tried. */
export interface Attempted {
  /** What was typed as a name, whether there is anybody of that name or not; the id of somebody who is signed in. */
  key: string
  /** The user, if there is one. */
  id: string | undefined
  /** What tells this browser from others, if it is known to be one of that user. */
  device?: string | undefined
}

/**
 * Refuses attempts where there were too many failures. An attempt is counted before it is made, so that no number of
 * them at once gets past the limit; one that is refused is not counted, so that nobody makes a block longer.
 */
export interface Limits extends MailLimits {
  /**
   * For a check of the password of whoever `find` finds. `CredentialsInvalid` is a failure. A right
   * password empties the buckets of the account; the network is given back this attempt alone, since it may be that of
   * somebody with an account of their own. What else is thrown is no answer about a password, and nothing is counted.
   * A known device is counted by itself, and not held up by what others did to the account, from wherever.
   *
   * There is a limit for what was typed, and one for the user whom it names, by whatever name. The first answers 429,
   * as it does for a name that nobody has. If the second did, a name would tell which address belongs to it, and that
   * both exist: beyond it the attempt goes on, and `isJudged` is false. Then `check` must do all of its work, and fail.
   * @throws {Throttled}
   */
  guess: <Found extends Attempted, Result>(
    request: AnyRequest,
    find: () => Promise<Found>,
    check: (found: Found, isJudged: boolean) => Promise<Result>,
  ) => Promise<Result>
  /**
   * For a check of a second factor, or of a passkey of nobody knows whom. What can be guessed counts for the user and
   * the network, all else for the network alone. What is a 401 is a failure. A right factor empties the bucket of the
   * user, whichever it was; a right password never does.
   * @throws {Throttled}
   */
  guessFactor: <Result>(request: AnyRequest, of: Proving | undefined, check: () => Promise<Result>) => Promise<Result>
  /**
   * For a registration: `act` tells whether the name of what `prepare` has made is taken. It counts for its network,
   * unless it failed before that.
   * @throws {Throttled}
   */
  register: <Draft, Result>(
    request: AnyRequest,
    prepare: () => Promise<Draft>,
    act: (draft: Draft) => Promise<Result>,
  ) => Promise<Result>
  /**
   * Counts a failure of the network of a request.
   * @throws {Throttled}
   */
  fail: (request: AnyRequest) => Promise<void>
  /** What tells this browser from others, if it is known to be one of whom `find` finds. */
  known: Devices['known']
  /** Has the browser of a session known from now on, where its tokens travel in cookies. */
  remember: Devices['remember']
}

/** Whose second factor is tried, and whether it can be guessed. */
export interface Proving {
  id: string
  /** What tells this browser from others, if it is known to be one of that user. */
  device: string | undefined
  isGuessable: boolean
}

/** A bucket that an attempt is counted in. */
interface Counted {
  kind: BucketKind
  id: string
  rule: Rule
  /** Nobody is to notice that it is blocked. */
  isSilent: boolean
  /** Whether it was blocked and is silent: the attempt is not counted in it, and not judged. */
  isClosed: boolean
  /** The end of the block that the attempt has brought, or 0. */
  brought: number
}

/** How many failures are free, by what they are counted by. */
export type Free = Exclude<ThrottleSettings['throttle'], false>

/** What failures are counted in, and told to. */
interface LimitParts {
  rows: Rows
  /** Undefined where no tokens travel in cookies. */
  devices: Devices | undefined
  /** For the names of buckets. */
  key: Buffer
  events: Events<ThrottleEvents>
  telemetry: Telemetry<ThrottleCounters>
  log: FastifyBaseLogger
}

export function createLimits (
  { rows, devices, key, events, telemetry, log }: LimitParts, free: Free
): Limits {
  const rules: Record<BucketKind, Rule> = {
    'account-network': { free: free.accountNetwork, leakMs: 5 * 60_000 },
    'account-device': { free: free.accountNetwork, leakMs: 5 * 60_000 },
    network: { free: free.network, leakMs: 10_000 },
    account: { free: free.account, leakMs: 10 * 60_000 },
    factor: { free: free.factor, leakMs: 15 * 60_000 },
    'factor-device': { free: free.factor, leakMs: 15 * 60_000 },
  }
  let hasWarned = false

  function warnOfProxy ({ headers, ips }: AnyRequest): void {
    if (hasWarned || ips || (headers['x-forwarded-for'] ?? headers.forwarded) === undefined) return
    hasWarned = true
    log.warn(
      'A request came through a proxy, but trustProxy is not set in Fastify: all clients behind it are throttled ' +
      'as one'
    )
  }

  /** An unkeyed hash of an address could be tried out by whoever reads the table. */
  function bucket (kind: BucketKind, name: string, rule: Rule = rules[kind], isSilent = false): Counted {
    const id = createHmac('sha256', key).update(`${kind} ${name}`).digest('hex')
    return { kind, id, rule, isSilent, isClosed: false, brought: 0 }
  }

  /**
   * In the order in which everybody locks them, so that nobody waits in a circle. As many for nobody as for somebody.
   */
  function bucketsOf (request: AnyRequest, attempted?: Attempted): Counted[] {
    warnOfProxy(request)
    const networks = networksOf(request.ip)
    const ofNetworks = networks.map((network, index) =>
      bucket('network', network, { ...rules.network, free: rules.network.free * 2 ** index })
    )
    if (!attempted) return ofNetworks

    const { key, id = `nobody ${key}`, device } = attempted
    if (device) return [bucket('account-device', device), ...ofNetworks]
    const byKey = [bucket('account-network', `${networks[0]} ${key}`), ...ofNetworks, bucket('account', key)]
    return key === id ? byKey : [...byKey, bucket('account', id, rules.account, true)]
  }

  function change (buckets: Counted[], revise: (rows: Bucket[]) => Bucket[]): Promise<void> {
    return rows.change(
      buckets.map(({ id }) => id),
      revise
    )
  }

  async function count (buckets: Counted[]): Promise<void> {
    await change(buckets, (rows) => {
      const now = Date.now()
      requireOpen(
        rows.filter((_, index) => !buckets[index]!.isSilent),
        now
      )
      return rows.map((row, index) => {
        const counted = buckets[index]!
        counted.isClosed = counted.isSilent && blockedFor(row, now) > 0
        const filled = counted.isClosed ? row : fill(row, counted.rule, now)
        counted.brought = counted.isClosed ? 0 : filled.blockedUntil
        return filled
      })
    })
  }

  function requireOpen (rows: Bucket[], now: number): void {
    const waitMs = Math.max(...rows.map((row) => blockedFor(row, now)))
    if (waitMs === 0) return
    telemetry.counters.attemptsThrottled++
    throw new Throttled(waitMs)
  }

  function takeBackFrom (rows: Bucket[], buckets: Counted[]): Bucket[] {
    return rows.map((row, index) => {
      const { isClosed, rule, brought } = buckets[index]!
      return isClosed ? row : takeBack(row, rule, brought)
    })
  }

  /** Of failures that stand. What is blocked by several buckets of a kind is blocked once. */
  async function tellOf (buckets: Counted[], request: AnyRequest, attempted?: Attempted): Promise<void> {
    const kinds = new Set(buckets.filter(({ brought }) => brought > 0).map(({ kind }) => kind))
    for (const kind of kinds) {
      telemetry.counters.bucketsBlocked++
      const userId = kind === 'network' ? undefined : attempted?.id
      await events.happen({ type: 'lock', reason: kind, userId, client: clientOf(request) })
    }
  }

  async function attempt<Result> (
    buckets: Counted[],
    act: () => Promise<Result>,
    onFailure: (error: unknown) => Promise<void> | false
  ): Promise<Result> {
    await count(buckets)
    return act().catch(async (error) => {
      const telling = onFailure(error)
      if (telling) await telling
      // Nobody waits for it: if the database is away, they have waited long enough.
      else {
        const uncounting = change(buckets, (rows) => takeBackFrom(rows, buckets))
        uncounting.catch((cause) => log.warn(cause, 'An attempt that was none stays counted'))
      }
      throw error
    })
  }

  return {
    ...createMailLimits({ rows, key, events }, free.mail),

    async guess (request, find, check) {
      const found = await find()
      const buckets = bucketsOf(request, found)
      const judge = () => {
        const isJudged = !buckets.some(({ isClosed }) => isClosed)
        if (!isJudged) telemetry.counters.attemptsThrottled++
        return check(found, isJudged)
      }
      const tellOfWrong = (error: unknown) => error instanceof CredentialsInvalid && tellOf(buckets, request, found)
      const result = await attempt(buckets, judge, tellOfWrong)
      await change(buckets, (rows) =>
        takeBackFrom(rows, buckets).map((row, index) => (buckets[index]!.kind === 'network' ? row : empty))
      )
      return result
    },

    async guessFactor (request, of, check) {
      const ofUser = of ? [bucket('factor', of.id)] : []
      if (of?.device) ofUser.push(bucket('factor-device', `${of.id} ${of.device}`))
      const buckets = [...bucketsOf(request), ...of?.isGuessable ? ofUser.slice(-1) : []]
      const attempted = of && { key: of.id, id: of.id }
      const result = await attempt(buckets, check, (error) => isRefusal(error) && tellOf(buckets, request, attempted))
      const settled = [...new Set([...buckets, ...ofUser])]
      await change(settled, (rows) =>
        takeBackFrom(rows, settled).map((row, index) => (settled[index]!.kind === 'network' ? row : empty))
      )
      return result
    },

    async register (request, prepare, act) {
      const buckets = bucketsOf(request)
      let isPrepared = false
      const make = async () => {
        const draft = await prepare()
        isPrepared = true
        return act(draft)
      }
      const result = await attempt(buckets, make, (error) => isPrepared && isAnswer(error) && tellOf(buckets, request))
      await tellOf(buckets, request)
      return result
    },

    known: async (request, find) => devices?.known(request, find),
    remember: (granted, session) => devices?.remember(granted, session) ?? granted,

    async fail (request) {
      const buckets = bucketsOf(request)
      await count(buckets)
      await tellOf(buckets, request)
    },
  }
}

/** What was proved is wrong. */
function isRefusal (error: unknown): boolean {
  return (Object(error) as { statusCode?: number }).statusCode === 401
}

/** Not a database that is away: a name that is taken, or what a host refuses once the name has proved to be free. */
function isAnswer (error: unknown): boolean {
  const { statusCode } = Object(error) as { statusCode?: number }
  return Number(statusCode) < 500
}
