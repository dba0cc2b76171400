import { execFileSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Kind } from '../../test/support/databases.ts'
import { nameOf, place } from '../database.ts'
import { table, type Section } from '../report.ts'
import { interleave, type Pace } from '../rounds.ts'
import { start } from '../server.ts'
import { hundredths, ratioOf, spreadOf, whole, type Spread } from '../statistics.ts'

type Who = 'ours' | 'peers'

interface Row {
  kind: Kind
  ours: [ms: Spread, cpu: Spread]
  peers: [ms: Spread, cpu: Spread]
  ratio: Spread
  cpuRatio: Spread
}

async function measureOn (kind: Kind, { starts, rounds, mostMs }: Pace): Promise<Row | undefined> {
  const database = await place(kind)
  if (!database) return
  try {
    const measure = async (who: Who) => {
      const server = await start('boot', who, database.db)
      const { cpuUs } = await server.usage()
      server.stop()
      return { ms: Number(server.offer.origin), cpuMs: cpuUs / 1000 }
    }
    // The tables are made, and files are in the cache of the system.
    for (const who of ['ours', 'peers'] as const) await measure(who)
    const results = await interleave<Who, { ms: number; cpuMs: number }>(
      ['ours', 'peers'],
      starts * rounds,
      mostMs / 4,
      measure
    )
    const of = (who: Who, value: 'ms' | 'cpuMs') => results.get(who)!.map((measured) => measured[value])
    const spreadsOf = (who: Who): [Spread, Spread] => [spreadOf(of(who, 'ms')), spreadOf(of(who, 'cpuMs'))]
    return {
      kind,
      ours: spreadsOf('ours'),
      peers: spreadsOf('peers'),
      ratio: ratioOf(of('ours', 'ms'), of('peers', 'ms')),
      cpuRatio: ratioOf(of('ours', 'cpuMs'), of('peers', 'cpuMs')),
    }
  } finally {
    await database.drop()
  }
}

/** Ours as the package has it, and the entities as an app of one's own has them: compiled, each in its file. */
function build (): void {
  const root = join(import.meta.dirname, '..', '..')
  const built = join(root, 'reports', 'boot')
  rmSync(built, { recursive: true, force: true })
  const run = (...args: string[]) => execFileSync(process.execPath, args, { cwd: root })
  run(join('checks', 'bundle.ts'), join(built, 'ours'))
  const output = ['--declaration', 'false', '--emitDeclarationOnly', 'false', '--outDir', join(built, 'peers')]
  run(join('node_modules', 'typescript', 'bin', 'tsc'), '-p', 'tsconfig.build.json', ...output)
}

/** How long it takes from the start of the process until the app is ready, on a database that has its tables. */
export async function boot (pace: Pace): Promise<Section> {
  build()
  const rows = [await measureOn('sqlite', pace), await measureOn('postgresql', pace)].filter((row) => row !== undefined)
  return {
    title: 'The start of an app',
    text: [
      `From the start of the process until the app is ready, on a database that has its tables: ours as it is published,
beside an app of Fastify, @fastify/jwt and a connected MikroORM that knows the same entities.`,
      table([
        [
          'database',
          'ours, ms',
          'Fastify, @fastify/jwt, MikroORM, ms',
          'ratio',
          'ours, CPU ms',
          'the others, CPU ms',
          'ratio',
        ],
        ...rows.map(({ kind, ours, peers, ratio, cpuRatio }) => [
          nameOf(kind),
          whole(ours[0]),
          whole(peers[0]),
          hundredths(ratio),
          whole(ours[1]),
          whole(peers[1]),
          hundredths(cpuRatio),
        ]),
      ]),
    ].join('\n\n'),
    compared: rows.map(({ kind, ours, peers }) =>
      ({ what: `the start of an app, ${nameOf(kind)}`, unit: 'ms', ours: ours[1].median, byHand: peers[1].median })),
    charts: {
      'performance-start.svg': {
        title: 'CPU of the start of an app',
        unit: 'ms, less is better',
        bars: rows.flatMap(({ kind, ours, peers }) => [
          { label: `fastify-jwt-accounts, ${nameOf(kind)}`, value: ours[1].median, isOurs: true },
          { label: `Fastify, @fastify/jwt, MikroORM, ${nameOf(kind)}`, value: peers[1].median, isOurs: false },
        ]),
      },
    },
    targets: rows.map(({ kind, ratio }) => ({
      what: `time to start, by that of Fastify, @fastify/jwt and MikroORM, ${nameOf(kind)}`,
      most: 1.3,
      found: ratio.median,
    })),
  }
}
