import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { lives, type Circumstances } from './life.ts'
import type { Outcome } from './outcome.ts'
import { coalesced } from './schemes/coalesced.ts'
import { policy } from './schemes/policy.ts'
import { forkInWindow, parentAndChild, replayCache, singleUse } from './schemes/rivals.ts'
import { login, simulate } from './simulate.ts'
import { beyond, chaos, crowd, promised, theft } from './situations.ts'

export const schemes = {
  'this plugin': coalesced,
  'single use': singleUse,
  'fork in window': forkInWindow,
  'replay cache': replayCache,
  'parent and child': parentAndChild,
}

export const honest: Record<string, Circumstances> = { ...promised, ...beyond }

/** How many lives of each kind one seed stands for. */
export const livesPerSeed = 1000
export const seeds = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]
export const situations = Object.keys(honest).length + 3

/** What was counted of one scheme. */
export interface Tally {
  /** In how many lives the owner had to log in again, for each kind of honest life. */
  loggedOut: Record<string, number>
  /** Of thefts whose sides met outside the window: found there, at the refresh after that, later, never. */
  thefts: { atOnce: number, next: number, later: number, never: number }
  /** The most refresh tokens that worked one after another. */
  lines: number
  /** What was let in after the end or beyond the limit. */
  wrong: number
}

/** Lets the same lives be lived on every scheme. */
export function measure (seed: number): Record<string, Tally> {
  const tallies = Object.fromEntries(Object.keys(schemes).map((name) => [name, emptyTally()]))

  function live (circumstances: Circumstances, count: (tally: Tally, outcomes: Outcome[]) => void): void {
    const sample = fc.sample(lives(circumstances), { seed, numRuns: livesPerSeed })
    for (const [name, scheme] of Object.entries(schemes)) {
      const outcomes = sample.map((life) => simulate(life, scheme(policy, login)))
      const tally = tallies[name]!
      tally.lines = Math.max(tally.lines, ...outcomes.map(({ lines }) => lines))
      tally.wrong += outcomes.reduce((sum, { wrong }) => sum + wrong, 0)
      count(tally, outcomes)
    }
  }

  for (const [name, circumstances] of Object.entries(honest)) {
    live(circumstances, ({ loggedOut }, outcomes) => { loggedOut[name] = outcomes.filter((outcome) => outcome.loggedOut).length })
  }
  live(theft, ({ thefts }, outcomes) => {
    for (const { foundAfter } of outcomes.filter(({ crossed }) => crossed)) thefts[findingOf(foundAfter)]++
  })
  for (const circumstances of [crowd, chaos]) live(circumstances, () => {})
  return tallies
}

function emptyTally (): Tally {
  return { loggedOut: {}, thefts: { atOnce: 0, next: 0, later: 0, never: 0 }, lines: 0, wrong: 0 }
}

function findingOf (refreshes: number): keyof Tally['thefts'] {
  if (refreshes === 0) return 'atOnce'
  if (refreshes === 1) return 'next'
  return refreshes < Infinity ? 'later' : 'never'
}

/** The tallies of several seeds as one. */
export function sum (tallies: Tally[]): Tally {
  const total = emptyTally()
  for (const { loggedOut, thefts, lines, wrong } of tallies) {
    for (const [name, count] of Object.entries(loggedOut)) total.loggedOut[name] = (total.loggedOut[name] ?? 0) + count
    for (const [finding, count] of Object.entries(thefts)) total.thefts[finding as keyof Tally['thefts']] += count
    total.lines = Math.max(total.lines, lines)
    total.wrong += wrong
  }
  return total
}

/** A short name of everything that one seed has shown. */
export function digest (tallies: Record<string, Tally>): string {
  return createHash('sha256').update(JSON.stringify(tallies)).digest('hex').slice(0, 8)
}
