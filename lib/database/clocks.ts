import os from 'node:os'
import type { Database } from './database.ts'

/** Two clocks that differ by more are not both right, and which of them is wrong nobody knows. */
const mostSkewMs = 60_000

/** What two clocks say at one moment. */
export interface Comparison {
  /** The time, in ms, in which nothing is old that is not old by all clocks. */
  now: number
  /** How far the clock of this process is ahead of the other one. */
  skewMs: number
  /** What the other one is, in words. */
  other: string
}

export interface Clocks {
  /**
   * Compares the clock of this process with that of the database. SQLite has none: there it is compared with the time that
   * has passed since the process began, which nobody sets. Where a test holds the time, that is both.
   * @throws {Unavailable}
   */
  compare: () => Promise<Comparison>
}

/** When the machine began, by the clock of the wall as it was when this process began. */
const machineBeganAt = performance.timeOrigin + performance.now() - os.uptime() * 1000

/**
 * The time as it would be if nobody had set the clock since this process began. Of two clocks that nobody sets one stands
 * still while the machine sleeps, on some systems, which is no reason to mistrust the one on the wall: it goes with either.
 */
function unsetTime (wall: number): number {
  const awake = performance.timeOrigin + performance.now()
  const always = machineBeganAt + os.uptime() * 1000
  return Math.abs(wall - awake) < Math.abs(wall - always) ? awake : always
}

/** True while a test runner has put its own `Date` there: node:test and this package's `clock` do, Jest and Vitest do. */
function isInTheHandsOfATest (): boolean {
  const { isMock, isFake } = Date as { isMock?: boolean, isFake?: boolean }
  return isMock === true || isFake === true
}

export function createClocks ({ clock }: Pick<Database, 'clock'>): Clocks {
  return {
    async compare () {
      if (isInTheHandsOfATest()) return { now: Date.now(), skewMs: 0, other: 'itself' }
      if (!clock) {
        const wall = Date.now()
        const now = unsetTime(wall)
        return { now, skewMs: wall - now, other: 'the time since this process began' }
      }

      const askedAt = performance.now()
      const theirs = await clock()
      const wall = Date.now()
      // Halfway between the question and the answer.
      const skewMs = wall - (performance.now() - askedAt) / 2 - theirs
      // A server on this machine is put ahead with it.
      return { now: Math.min(theirs, unsetTime(wall)), skewMs, other: 'the clock of the database' }
    },
  }
}

/** Undefined if the two agree, and else how they do not. */
export function disagreement ({ skewMs, other }: Comparison): string | undefined {
  if (Math.abs(skewMs) <= mostSkewMs) return
  return `The clock of this process is ${Math.abs(skewMs / 1000).toFixed(1)} s ${skewMs > 0 ? 'ahead of' : 'behind'} ${other}`
}
