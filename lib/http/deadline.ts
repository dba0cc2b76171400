import { AsyncLocalStorage } from 'node:async_hooks'

/** Nothing that somebody asks for waits longer than this, in all, for the database and for a place among the hashes. */
export const mostWaitMs = 10_000

/** When what is asked for has to be done. What it leaves behind when it is over has time of its own. */
export interface Deadline {
  /** Runs what belongs to it, and all that this begins. */
  run: <Result>(act: () => Result) => Result
  /** Stops its clock, while somebody else is waited for. */
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

/** Begins to count. */
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

/** Runs `act` with a deadline of its own, whatever it is called in. */
export async function withDeadline<Result> (act: () => Promise<Result>): Promise<Result> {
  const deadline = createDeadline()
  return deadline.run(act).finally(deadline.end)
}

/** Runs `act` with the deadline that it is called in, or with one of its own where there is none. */
export function inTime<Result> (act: () => Promise<Result>): Promise<Result> {
  const clock = clocks.getStore()
  return clock && !clock.isOver ? act() : withDeadline(act)
}

/** Wraps functions, so that each call of one has a deadline of its own. */
export function eachInTime<Functions extends Record<keyof Functions, (...given: any[]) => Promise<any>>> (functions: Functions): Functions {
  const entries = Object.entries<(...given: unknown[]) => Promise<unknown>>(functions)
  return Object.fromEntries(entries.map(([name, call]) => [name, (...given: unknown[]) => withDeadline(() => call(...given))])) as Functions
}

/** How long what is under way may still take, in ms. Where nobody waits for it, each statement has all the time by itself. */
export function msLeft (): number {
  const clock = clocks.getStore()
  return clock && !clock.isOver ? leftOf(clock) : mostWaitMs
}

function leftOf ({ leftMs, since }: Clock): number {
  return Math.max(0, since === undefined ? leftMs : leftMs - (performance.now() - since))
}
