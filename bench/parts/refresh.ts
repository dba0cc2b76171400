import { nameOf, place, type BenchKind } from '../database.ts'
import { post } from '../post.ts'
import { table, type Section } from '../report.ts'
import { interleave, type Pace } from '../rounds.ts'
import { start, type Server } from '../server.ts'
import { hundredths, ratioOf, spreadOf, whole, type Spread } from '../statistics.ts'

/** So many sessions refresh at the same time, each one step after the other, and so many steps in a round. */
const sessions = 8
const steps = 25

interface Row { kind: BenchKind, statements: number, ours: Spread, bare: Spread, ratio: Spread, perSecond: Spread }

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

async function measureOn (kind: BenchKind, { starts, rounds, mostMs }: Pace): Promise<Row | undefined> {
  const [one, other] = [await place(kind), await place(kind)]
  if (!one || !other) return
  const [ours, bare] = [await start('refresh', one.db, sessions), await start('statements', other.db, sessions)]
  let statements = 0
  try {
    const measure = async (server: Server) => {
      if (server === bare) await bare.act('restore')
      const before = await server.usage()
      const startedAt = performance.now()
      const refreshes = server === ours ? await refreshAll(ours) : await bare.act('run').then((done) => { statements = done.statements; return done.refreshes })
      const elapsedMs = performance.now() - startedAt
      return { cpuUs: ((await server.usage()).cpuUs - before.cpuUs) / refreshes, perSecond: refreshes / elapsedMs * 1000 }
    }
    await interleave([ours, bare], 5, Infinity, measure)
    const results = await interleave([ours, bare], starts * rounds * 2, mostMs / 4, measure)
    const [cpuOurs, cpuBare] = [ours, bare].map((server) => results.get(server)!.map(({ cpuUs }) => cpuUs)) as [number[], number[]]
    return { kind, statements, ours: spreadOf(cpuOurs), bare: spreadOf(cpuBare), ratio: ratioOf(cpuOurs, cpuBare), perSecond: spreadOf(results.get(ours)!.map(({ perSecond }) => perSecond)) }
  } finally {
    ours.stop()
    bare.stop()
    await one.drop()
    await other.drop()
  }
}

/** What `POST /auth/refresh` costs beside its own statements. */
export async function refresh (pace: Pace): Promise<Section> {
  const rows = [await measureOn('sqlite', pace), await measureOn('postgresql', pace)].filter((row) => row !== undefined)
  return {
    title: 'A refresh',
    text: [
      `\`POST /auth/refresh\`, where each refresh writes, beside the very statements that it runs: they are written down as they
come, and then run again by the driver alone, each prepared once, with nothing around them: no HTTP, no token that is
checked, and none that is signed. ${sessions} sessions at a time.`,
      table([
        ['database', 'statements', 'a refresh, CPU µs', 'its statements, CPU µs', 'ratio', 'refreshes/s'],
        ...rows.map(({ kind, statements, ours, bare, ratio, perSecond }) => [nameOf(kind), `${statements}`, whole(ours), whole(bare), hundredths(ratio), whole(perSecond)]),
      ]),
    ].join('\n\n'),
    charts: {
      'performance-refresh.svg': {
        title: 'CPU of a refresh',
        unit: 'µs, less is better',
        bars: rows.flatMap(({ kind, ours, bare }) => [
          { label: `a refresh, ${nameOf(kind)}`, value: ours.median, isOurs: true },
          { label: `its statements alone, ${nameOf(kind)}`, value: bare.median, isOurs: false },
        ]),
      },
    },
    targets: rows.map(({ kind, ratio }) => ({ what: `CPU of a refresh, by that of its statements, ${nameOf(kind)}`, most: 1.5, found: ratio.median })),
  }
}
