import { setImmediate, setTimeout as pause } from 'node:timers/promises'
import type { Test } from 'tap'

/** Waits for what must come, and tells how long it took, in ms; the test runner ends what never comes. */
export async function until (isTrue: () => boolean | Promise<boolean>): Promise<number> {
  const startedAt = performance.now()
  while (!await isTrue()) await pause(5)
  return performance.now() - startedAt
}

/**
 * Lets all that needs no more than this process go on until it waits for something else, however fast the machine is.
 */
export async function settle (): Promise<void> {
  for (let turns = 0; turns < 200; turns++) await setImmediate()
}

/** The clock that never steps goes on by so much, until the test ends. */
export function letPass (t: Test, ms: number): void {
  const { now } = performance
  t.teardown(() => { performance.now = now })
  performance.now = () => now.call(performance) + ms
}

/**
 * How much of the processors this process takes for something, in ms, whatever else the machine has to do meanwhile.
 */
export async function processorMs (act: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage()
  await act()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000
}
