import os from 'node:os'
import type { Database } from './database.ts'

/** Of two clocks that differ by more, one is wrong, and nobody knows which. */
const mostSkewMs = 60_000

/** What two clocks say at one moment. */
export interface Comparison {
  /** The earliest of the times, in ms: what is old by it is old by all clocks. */
  now: number
  /** How far the clock of this process is ahead of the other one. */
  skewMs: number
  /** What the other one is, in words. */
  other: string
}

export interface Clocks {
  /**
   * Compares the clock of this process with that of the database. SQLite has none: there it is compared with the time
   * that has passed since the process began, which nobody sets. Where a test mocks `Date`, that is the time, and no
   * clock is compared.
   * @throws {Unavailable}
   */
  compare: () => Promise<Comparison>
}

/** When the machine booted, by the wall clock as it was when this process began. */
const bootedAt = performance.timeOrigin + performance.now() - os.uptime() * 1000

/**
 * The time as it would be if nobody had set the wall clock since this process began, by the one of two monotonic clocks
 * that is nearer to the wall clock: on some systems one of them stands still while the machine sleeps, and that must
 * not look like a wall clock that was set.
 */
function monotonicTime (wall: number): number {
  const sinceProcessBegan = performance.timeOrigin + performance.now()
  const sinceBoot = bootedAt + os.uptime() * 1000
  return Math.abs(wall - sinceProcessBegan) < Math.abs(wall - sinceBoot) ? sinceProcessBegan : sinceBoot
}

/** True while a test has mocked `Date`, by node:test, by this package's `clock`, by Jest or by Vitest. */
function isMocked (): boolean {
  const { isMock, isFake } = Date as { isMock?: boolean, isFake?: boolean }
  return isMock === true || isFake === true
}

export function createClocks ({ clock }: Pick<Database, 'clock'>): Clocks {
  return {
    async compare () {
      if (isMocked()) return { now: Date.now(), skewMs: 0, other: 'itself' }
      if (!clock) {
        const wall = Date.now()
        const now = monotonicTime(wall)
        return { now, skewMs: wall - now, other: 'the time since this process began' }
      }

      const askedAt = performance.now()
      const theirs = await clock()
      const wall = Date.now()
      // Halfway between the question and the answer.
      const skewMs = wall - (performance.now() - askedAt) / 2 - theirs
      // Who sets the clock of this machine also sets that of a database on it: so both are held against the time since
      // boot.
      return { now: Math.min(theirs, monotonicTime(wall)), skewMs, other: 'the clock of the database' }
    },
  }
}

/** A sentence about two clocks that do not agree; undefined for two that do. */
export function disagreement ({ skewMs, other }: Comparison): string | undefined {
  if (Math.abs(skewMs) <= mostSkewMs) return
  const seconds = Math.abs(skewMs / 1000).toFixed(1)
  return `The clock of this process is ${seconds} s ${skewMs > 0 ? 'ahead of' : 'behind'} ${other}`
}
