import { answers, type Kind } from '../../test/support/databases.ts'
import { nameOf } from '../database.ts'
import { table, type Section } from '../report.ts'
import { start } from '../server.ts'
import type { Cost, Grown } from '../servers/growth.ts'

/** How many of each, and on which databases. */
export interface Size { on: Kind[], sessions: number, revocations: number }

/** A database that there is, with a hundred thousand of each, unless more are asked for. */
export async function usualSize (): Promise<Size> {
  const on: Kind[] = await answers('postgresql') ? ['sqlite', 'postgresql'] : ['sqlite']
  return { on, sessions: 100_000, revocations: 100_000 }
}

/** What many sessions and revocations cost, beside none. */
export async function growth ({ on, sessions, revocations }: Size): Promise<Section> {
  const found: [Kind, Grown][] = []
  for (const kind of on) {
    const server = await start('growth', kind, sessions, revocations)
    found.push([kind, await server.act('measure')])
    server.stop()
  }

  const [ofSessions, ofRevocations] = [`${numbered(sessions)} sessions`, `${numbered(revocations)} revocations`]
  const tables = found.map(([kind, grown]) => table([
    [nameOf(kind), 'none', `${ofSessions}, ${ofRevocations}`, 'ratio'],
    ...rowsOf(kind, grown, revocations),
  ]))
  return {
    title: 'Growth',
    text: [`What ${ofSessions} and ${ofRevocations} cost: \`npm run bench -- growth ${sessions}\`.`, ...tables].join('\n\n'),
    compared: [],
    charts: {},
    targets: found.flatMap(([kind, { guard, refresh }]) => [
      {
        what: `CPU of a guarded request with ${ofRevocations}, by that with none, ${nameOf(kind)}`,
        most: 1.1,
        found: guard.ratio,
      },
      {
        what: `CPU of a refresh with ${ofSessions}, by that with none, ${nameOf(kind)}`,
        most: 1.3,
        found: refresh.ratio,
      },
    ]),
  }
}

function rowsOf (
  kind: Kind, { guard, strict, refresh, bootMs, bytes, bytesOfSession, pruned }: Grown, revocations: number
) {
  const us = (value: number) => `${value.toFixed(0)} µs`
  const cost = (what: string, { few, many, ratio }: Cost) => [what, us(few), us(many), ratio.toFixed(2)]
  const ms = (value: number) => `${value.toFixed(0)} ms`
  const mb = (value: number) => `${(value / 1e6).toFixed(1)} MB`
  const bytesOfRevocation = (bytes.many - bytes.few) / revocations
  const msOfBatch = pruned.ms / (pruned.sessions / 200)
  return [
    cost('guarded request, CPU', guard),
    cost('strict guarded request, CPU of the app', strict),
    cost('refresh, CPU of the app', refresh),
    ['start of the plugin', ms(bootMs.few), ms(bootMs.many), ''],
    ['memory after it', mb(bytes.few), mb(bytes.many), `${bytesOfRevocation.toFixed(0)} B for each revocation`],
    [
      `disk for each session${kind === 'sqlite' ? ' and a tenth of a user' : ''}`, '',
      `${bytesOfSession.toFixed(0)} B`, '',
    ],
    [
      `prune of ${numbered(pruned.sessions)} sessions`, '', `${(pruned.ms / 1000).toFixed(1)} s`,
      `${msOfBatch.toFixed(1)} ms for each batch of 200`,
    ],
  ]
}

function numbered (count: number): string {
  return count.toLocaleString('en')
}
