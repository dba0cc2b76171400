import { post } from '../post.ts'
import { table, type Section } from '../report.ts'
import { interleave, type Pace } from '../rounds.ts'
import { start, type Server } from '../server.ts'
import { hundredths, ratioOf, spreadOf, tenths } from '../statistics.ts'

/** So many people sign in during a round, each once, all at the same time. */
const logins = 40

async function logIn ({ offer: { origin, users } }: Server): Promise<void> {
  await Promise.all(users.map((user) => post(`${origin}/auth/login`, user)))
}

/** How many logins a server does in a second, beside how many hashes argon2 does. */
export async function login ({ starts, rounds, mostMs }: Pace): Promise<Section> {
  const [ours, argon2] = [await start('login', '', logins), await start('argon2', '', logins)]
  try {
    const measure = async (server: Server) => {
      const before = await server.usage()
      const startedAt = performance.now()
      await (server === ours ? logIn(ours) : argon2.act('run'))
      const elapsedMs = performance.now() - startedAt
      return { perSecond: logins / elapsedMs * 1000, cpuMs: ((await server.usage()).cpuUs - before.cpuUs) / logins / 1000 }
    }
    await interleave([ours, argon2], 2, Infinity, measure)
    const results = await interleave([ours, argon2], starts * rounds * 2, mostMs / 4, measure)
    const of = (server: Server, value: 'perSecond' | 'cpuMs') => results.get(server)!.map((measured) => measured[value])
    const names = new Map([[ours, 'login'], [argon2, 'argon2 alone']])
    const row = (server: Server) => [
      names.get(server)!,
      tenths(spreadOf(of(server, 'perSecond'))), hundredths(ratioOf(of(server, 'perSecond'), of(argon2, 'perSecond'))),
      tenths(spreadOf(of(server, 'cpuMs'))), hundredths(ratioOf(of(server, 'cpuMs'), of(argon2, 'cpuMs'))),
    ]

    return {
      title: 'A login',
      text: [
        `\`POST /auth/login\` with the right password and everything on, limits on guessing included, ${logins} people at once, beside
argon2 that verifies as many passwords, as many of them at a time, with nothing around it. The clients run on the same
cores, and take their time from the hashes: the CPU is the server's alone.`,
        table([['', 'in a second', '× argon2', 'CPU, ms each', '× argon2'], row(ours), row(argon2)]),
      ].join('\n\n'),
      charts: { 'performance-login.svg': { title: 'CPU of a login', unit: 'ms, less is better', bars: [ours, argon2].map((server) => ({ label: names.get(server)!, value: spreadOf(of(server, 'cpuMs')).median, isOurs: server === ours })) } },
      targets: [{ what: 'logins in a second, by those of argon2 alone', least: 0.95, found: ratioOf(of(ours, 'perSecond'), of(argon2, 'perSecond')).median }],
    }
  } finally {
    ours.stop()
    argon2.stop()
  }
}
