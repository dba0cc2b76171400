import { AsyncLocalStorage } from 'node:async_hooks'
import { Unavailable } from './errors.ts'

/** Nothing that somebody asks for waits longer than this, in all, for the database and for a place among the hashes. */
export const mostWaitMs = 10_000

/** How long a request may still wait. What goes on after its `end` is bound by it no longer. */
export interface Deadline {
  /** Runs `act`, and everything asynchronous that it begins, under this deadline. */
  run: <Result>(act: () => Result) => Result
  /** Stops its clock, while the client is waited for. */
  pause: () => void
  resume: () => void
  end: () => void
}

interface Clock {
  leftMs: number
  /** Undefined while it stands still. */
  since: number | undefined
  isOver: boolean
}

const clocks = new AsyncLocalStorage<Clock>()

/** A deadline whose clock runs from now on. */
export function createDeadline (): Deadline {
  const clock: Clock = { leftMs: mostWaitMs, since: performance.now(), isOver: false }
  return {
    run: (act) => clocks.run(clock, act),
    pause () {
      clock.leftMs = leftOf(clock)
      clock.since = undefined
    },
    resume () { clock.since ??= performance.now() },
    end () { clock.isOver = true },
  }
}

/** Runs `act` with a deadline of its own, also where the caller has one. */
export async function withDeadline<Result> (act: () => Promise<Result>): Promise<Result> {
  const deadline = createDeadline()
  return deadline.run(act).finally(deadline.end)
}

/** Runs `act` under the deadline of its caller, or with one of its own where the caller has none. */
export function joinDeadline<Result> (act: () => Promise<Result>): Promise<Result> {
  const clock = clocks.getStore()
  return clock && !clock.isOver ? act() : withDeadline(act)
}

/** Wraps functions, so that each call of one has a deadline of its own. */
export function eachWithDeadline<Functions extends Record<keyof Functions, (...given: any[]) => Promise<any>>> (
  functions: Functions
): Functions {
  const entries = Object.entries<(...given: unknown[]) => Promise<unknown>>(functions)
  const wrapped = entries.map(([name, call]) => [name, (...given: unknown[]) => withDeadline(() => call(...given))])
  return Object.fromEntries(wrapped) as Functions
}

/** How long the caller may still wait, in ms. Without a deadline, or after its end, each statement has all the time. */
export function msLeft (): number {
  const clock = clocks.getStore()
  return clock && !clock.isOver ? leftOf(clock) : mostWaitMs
}

function leftOf ({ leftMs, since }: Clock): number {
  return Math.max(0, since === undefined ? leftMs : leftMs - (performance.now() - since))
}

/**
 * The result of `work`, for which nobody waits longer than `ms`: it may wait for a connection that nobody gives back.
 * @throws {Unavailable}
 */
export async function withTimeout<Result> (ms: number, work: Promise<Result>): Promise<Result> {
  const { promise, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new Unavailable()), Math.max(0, ms))
  return Promise.race([work, promise]).finally(() => clearTimeout(timer))
}
