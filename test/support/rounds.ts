import { randomInt } from 'node:crypto'
import type { Test } from 'tap'

/** Whether this is `npm run trials`, which has hours for what the usual run asks a part of. */
export const inTrials = Boolean(process.env.TEST_ALL_ROUNDS)

/** How many rounds there are: one of most things in the usual run, all of them by `npm run trials`. */
export function rounds (usual: number, all: number): number {
  return inTrials ? all : usual
}

/** Chances that are the same for the same seed, as far as processes that race can be. */
export interface Chance {
  seed: number
  /** A whole number from 0 up to `end`, without it. */
  below: (end: number) => number
  pick: <Item>(items: readonly Item[]) => Item
}

/** From `TEST_SEED`, or from anywhere; the test tells which. The generator is mulberry32. */
export function createChance (t: Pick<Test, 'comment'>): Chance {
  const seed = Number(process.env.TEST_SEED) || randomInt(1, 2 ** 31)
  t.comment(`TEST_SEED=${seed}`)
  let state = seed

  function below (end: number): number {
    state = state + 0x6D2B79F5 | 0
    let mixed = Math.imul(state ^ state >>> 15, state | 1)
    mixed ^= mixed + Math.imul(mixed ^ mixed >>> 7, mixed | 61)
    return Math.floor(((mixed ^ mixed >>> 14) >>> 0) / 2 ** 32 * end)
  }

  return { seed, below, pick: (items) => items[below(items.length)]! }
}

/** Measured values, for those who read the test's output. */
export function spread (values: number[]): { median: number, most: number, text: string } {
  const sorted = values.toSorted((a, b) => a - b)
  const [least, median, most] = [sorted[0]!, sorted[sorted.length >> 1]!, sorted.at(-1)!]
  return {
    median,
    most,
    text: `${values.length} times: ${Math.round(least)} ms at least, ${Math.round(median)} in the middle, ${Math.round(most)} at most`,
  }
}
