import type { Kind } from '../../test/support/databases.ts'
import { nameOf, place } from '../database.ts'
import { post } from '../post.ts'
import { table, type Section } from '../report.ts'
import { interleave, type Pace } from '../rounds.ts'
import { start, type Server } from '../server.ts'
import { hundredths, ratioOf, spreadOf, whole, type Spread } from '../statistics.ts'

/** So many sessions refresh at the same time, each one step after the other, and so many steps in a round. */
const sessions = 8
const steps = 25

interface Row {
  kind: Kind
  statements: number
  ours: Spread
  byHand: Spread
  bare: Spread
  /** Of ours by one written by hand, and by its bare statements. */
  ratio: { byHand: Spread, bare: Spread }
  perSecond: Spread
}

/** Each session goes on from where it was left. */
async function refreshAll ({ offer: { origin, users } }: Server): Promise<number> {
  await Promise.all(users.map(async (user) => {
    for (let left = steps; left > 0; left--) {
      const { refresh_token: token } = await post(`${origin}/auth/refresh`, { refresh_token: user.token })
      user.token = token
    }
  }))
  return users.length * steps
}

async function measureOn (kind: Kind, { starts, rounds, mostMs }: Pace): Promise<Row | undefined> {
  const places = [await place(kind), await place(kind), await place(kind)]
  const [one, other, third] = places
  if (!one || !other || !third) return
  const [ours, bare] = [await start('refresh', one.db, sessions), await start('statements', other.db, sessions)]
  const byHand = await start('by-hand', third.db, sessions)
  let statements = 0
  try {
    const runStatements = async (): Promise<number> => {
      const done = await bare.act('run')
      statements = done.statements
      return done.refreshes
    }
    const measure = async (server: Server) => {
      if (server === bare) await bare.act('restore')
      const before = await server.usage()
      const startedAt = performance.now()
      const refreshes = server === bare ? await runStatements() : await refreshAll(server)
      const elapsedMs = performance.now() - startedAt
      return {
        cpuUs: ((await server.usage()).cpuUs - before.cpuUs) / refreshes,
        perSecond: (refreshes / elapsedMs) * 1000,
      }
    }
    const lanes = [ours, byHand, bare]
    await interleave(lanes, 5, Infinity, measure)
    const results = await interleave(lanes, starts * rounds * 2, mostMs / 4, measure)
    const cpuOf = (server: Server) => results.get(server)!.map(({ cpuUs }) => cpuUs)
    return {
      kind,
      statements,
      ours: spreadOf(cpuOf(ours)),
      byHand: spreadOf(cpuOf(byHand)),
      bare: spreadOf(cpuOf(bare)),
      ratio: { byHand: ratioOf(cpuOf(ours), cpuOf(byHand)), bare: ratioOf(cpuOf(ours), cpuOf(bare)) },
      perSecond: spreadOf(results.get(ours)!.map(({ perSecond }) => perSecond)),
    }
  } finally {
    for (const server of [ours, byHand, bare]) server.stop()
    for (const { drop } of [one, other, third]) await drop()
  }
}

/**
 * What a refresh costs where no thread ever waits: neither HTTP nor a disk is there. And what where it takes a nap
 * before.
 */
async function measureCalls ({ starts, rounds }: Pace): Promise<{ calls: Spread, naps: Spread, ratio: Spread }> {
  const server = await start('refresh', ':memory:', 1)
  try {
    const acts = ['calls', 'naps']
    const measure = (act: string): Promise<number> => server.act(act)
    await interleave(acts, 3, Infinity, measure)
    const results = await interleave(acts, starts * rounds, Infinity, measure)
    const [calls, naps] = acts.map((act) => results.get(act)!) as [number[], number[]]
    return { calls: spreadOf(calls), naps: spreadOf(naps), ratio: ratioOf(naps, calls) }
  } finally {
    server.stop()
  }
}

/** What `POST /auth/refresh` costs beside one that is written by hand, and beside its own statements. */
export async function refresh (pace: Pace): Promise<Section> {
  const { calls, naps, ratio: slower } = await measureCalls(pace)
  const rows = [await measureOn('sqlite', pace), await measureOn('postgresql', pace)].filter((row) => row !== undefined)
  return {
    title: 'A refresh',
    text: [
      `\`POST /auth/refresh\`, where each refresh writes, beside one as it is written by hand with @fastify/jwt and MikroORM: it
deletes the row of the token that was shown, looks the user up and writes a row for the next. ${sessions} sessions at a time.`,
      table([
        ['database', 'refreshes/s', 'CPU, µs', 'by hand, CPU µs', 'ratio'],
        ...rows.map(({ kind, ours, byHand, ratio, perSecond }) =>
          [nameOf(kind), whole(perSecond), whole(ours), whole(byHand), hundredths(ratio.byHand)]),
      ]),
      `And beside the very statements that it runs: they are written down as they come, and then run again by the driver alone,
each prepared once, with nothing around them: no HTTP, no token that is checked, and none that is signed.`,
      table([
        ['database', 'statements', 'a refresh, CPU µs', 'its statements, CPU µs', 'ratio'],
        ...rows.map(({ kind, statements, ours, bare, ratio }) =>
          [nameOf(kind), `${statements}`, whole(ours), whole(bare), hundredths(ratio.bare)]),
      ]),
      `Most of the difference is neither HTTP nor the ORM. The same route, called again and again within the process
(\`app.inject\`, SQLite in memory), so that its thread never waits, and the same with a nap of a tenth of a millisecond before
each call, as the thread takes it while a disk writes or a client thinks: caches of the processor are cold after it.`,
      table([
        ['without HTTP and disk', 'CPU µs'],
        ['one call after the other', whole(calls)],
        ['a nap before each', `${whole(naps)}, ratio ${hundredths(slower)}`],
      ]),
    ].join('\n\n'),
    compared: rows.map(({ kind, ours, byHand }) =>
      ({ what: `a refresh, ${nameOf(kind)}`, unit: 'µs', ours: ours.median, byHand: byHand.median })),
    charts: {
      'performance-refresh.svg': {
        title: 'CPU of a refresh',
        unit: 'µs, less is better',
        bars: rows.flatMap(({ kind, ours, byHand }) => [
          { label: `fastify-jwt-accounts, ${nameOf(kind)}`, value: ours.median, isOurs: true },
          { label: `@fastify/jwt and MikroORM by hand, ${nameOf(kind)}`, value: byHand.median, isOurs: false },
        ]),
      },
    },
    targets: rows.map(({ kind, ratio }) => ({
      what: `CPU of a refresh, by that of its statements, ${nameOf(kind)}`,
      most: 1.5,
      found: ratio.bare.median,
    })),
  }
}
