import { setTimeout as sleep } from 'node:timers/promises'
import autocannon from 'autocannon'
import { guardedPath, type Offer } from './servers/offer.ts'
import { quantile } from './statistics.ts'

/** What clients see of a server. */
export interface Seen { requests: number, perSecond: number, p50Ms: number, p99Ms: number }

/** Enough to keep a server busy all the time, and no queue that is worth the name. */
export const connections = 16

/** For so long, or until every user has come so often. */
export type Extent = { ms: number } | { turns: number }

/** Asks for the guarded route over so many connections, each of which goes round its own share of the users. */
export async function load ({ origin, users }: Offer, extent: Extent): Promise<Seen> {
  const times: number[] = []
  let index = 0
  const shareOf = (connection: number) =>
    users.length < connections ? users : users.filter((_, user) => user % connections === connection)

  const run = autocannon({
    url: origin,
    connections,
    ...'ms' in extent ? { duration: extent.ms / 1000 } : { amount: extent.turns * Math.max(users.length, connections) },
    sampleInt: 50,
    setupClient (client) {
      client.setRequests(shareOf(index++).map((headers) => ({ method: 'GET', path: guardedPath, headers })))
      client.on('response', (_status: number, _bytes: number, ms: number) => times.push(ms))
    },
  })
  const startedAt = performance.now()
  const { non2xx, errors } = await run
  const elapsedMs = performance.now() - startedAt
  if (non2xx + errors > 0 || times.length === 0) {
    throw new Error(`${origin}: ${times.length} answers, ${non2xx} of them refused, ${errors} errors`)
  }

  // Connections that were cut must not be closed at the expense of whoever comes next.
  await sleep(20)
  const sorted = Float64Array.from(times).sort()
  return {
    requests: times.length,
    perSecond: (times.length / elapsedMs) * 1000,
    p50Ms: quantile(sorted, 0.5),
    p99Ms: quantile(sorted, 0.99),
  }
}
