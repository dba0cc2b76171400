import { post } from '../post.ts'
import { table, type Section } from '../report.ts'
import { interleave, type Pace } from '../rounds.ts'
import { start, type Server } from '../server.ts'
import { hundredths, ratioOf, spreadOf, tenths } from '../statistics.ts'

/** So many people sign in during a round, each once, all at the same time. */
const logins = 40

/** Each from a network of its own: one alone may take no more than a quarter of the line. */
async function logIn ({ offer: { origin, users } }: Server): Promise<void> {
  await Promise.all(users.map((user, index) =>
    post(`${origin}/auth/login`, user, { 'x-forwarded-for': `10.0.0.${index}` })))
}

/** Who signs people in, and argon2 that does nothing else. */
const lanes: Record<string, [file: string, variant: string]> = {
  'fastify-jwt-accounts': ['login', ''],
  '@fastify/jwt, argon2 and MikroORM by hand': ['by-hand', ':memory:'],
  'better-auth, which hashes with scrypt': ['better-auth', 'login'],
  'argon2 alone': ['argon2', ''],
}
const [ourName, byHandName, betterAuthName, aloneName] = Object.keys(lanes) as [string, string, string, string]

interface Measured { perSecond: number, cpuMs: number }

/** How many logins a server does in a second, and what each costs, beside how many hashes argon2 does. */
export async function login ({ starts, rounds, mostMs }: Pace): Promise<Section> {
  const servers = new Map<string, Server>()
  try {
    for (const [name, [file, variant]] of Object.entries(lanes)) servers.set(name, await start(file, variant, logins))
    const measure = async (name: string): Promise<Measured> => {
      const server = servers.get(name)!
      const before = await server.usage()
      const startedAt = performance.now()
      await (name === aloneName ? server.act('run') : logIn(server))
      const elapsedMs = performance.now() - startedAt
      return {
        perSecond: (logins / elapsedMs) * 1000,
        cpuMs: ((await server.usage()).cpuUs - before.cpuUs) / logins / 1000,
      }
    }
    const names = Object.keys(lanes)
    await interleave(names, 2, Infinity, measure)
    const results = await interleave(names, starts * rounds * 2, mostMs / 2, measure)
    const of = (name: string, value: keyof Measured) => results.get(name)!.map((measured) => measured[value])
    const cpuOf = (name: string) => spreadOf(of(name, 'cpuMs')).median
    const row = (name: string) => [
      name,
      tenths(spreadOf(of(name, 'perSecond'))), hundredths(ratioOf(of(name, 'perSecond'), of(aloneName, 'perSecond'))),
      tenths(spreadOf(of(name, 'cpuMs'))), hundredths(ratioOf(of(name, 'cpuMs'), of(aloneName, 'cpuMs'))),
    ]

    return {
      title: 'A login',
      text: [
        `\`POST /auth/login\` with the right password and everything on, limits on guessing included, ${logins} people at once. Beside
it a login as one writes it by hand, with the same hash and no limits; one of better-auth, which has its own hash; and
argon2 that verifies as many passwords, as many of them at a time, with nothing around it. The clients run on the same
cores, and take their time from the hashes: the CPU is the server's alone.`,
        table([['', 'in a second', '× argon2', 'CPU, ms each', '× argon2'], ...names.map(row)]),
      ].join('\n\n'),
      compared: [
        {
          what: 'a login',
          unit: 'ms',
          ours: cpuOf(ourName),
          byHand: cpuOf(byHandName),
          betterAuth: cpuOf(betterAuthName),
        },
      ],
      charts: {
        'performance-login.svg': {
          title: 'CPU of a login',
          unit: 'ms, less is better',
          bars: [ourName, byHandName, betterAuthName].map((name) => ({
            label: name,
            value: cpuOf(name),
            isOurs: name === ourName,
          })),
        },
      },
      targets: [{
        what: 'logins in a second, by those of argon2 alone',
        least: 0.95,
        found: ratioOf(of(ourName, 'perSecond'), of(aloneName, 'perSecond')).median,
      }],
    }
  } finally {
    for (const server of servers.values()) server.stop()
  }
}
