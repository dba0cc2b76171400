import diagnostics from 'node:diagnostics_channel'
import type { Test } from 'tap'

/** What is told on these channels from now on, until the test ends. */
export function channelsOf (t: Test, names: string[]) {
  const told: object[] = []
  for (const type of names) {
    const channel = `fastify-jwt-accounts:${type}`
    const listener = (message: unknown) => { told.push({ type, ...message as object }) }
    diagnostics.subscribe(channel, listener)
    t.teardown(() => { diagnostics.unsubscribe(channel, listener) })
  }
  return () => told
}
