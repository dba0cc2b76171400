import type { Chart } from '../chart.ts'
import { connections, load, type Extent, type Seen } from '../load.ts'
import { table, type Section } from '../report.ts'
import { interleave, usual, type Pace } from '../rounds.ts'
import { start, type Server } from '../server.ts'
import { hundredths, ratioOf, spreadOf, tenths, whole, type Spread } from '../statistics.ts'

/** Who guards the route, and with how many different tokens it is asked. */
export interface Lane { name: string, server: [name: string, variant?: string], tokens: number }

const one: Lane[] = [
  { name: 'no guard', server: ['bare'], tokens: 1 },
  { name: 'fastify-jwt-accounts, HS256', server: ['ours', 'HS256 header'], tokens: 1 },
  { name: 'fastify-jwt-accounts, EdDSA', server: ['ours', 'EdDSA header'], tokens: 1 },
  { name: 'fastify-jwt-accounts, HS256, cookie', server: ['ours', 'HS256 cookie'], tokens: 1 },
  { name: 'fast-jwt by hand, cache', server: ['fast-jwt'], tokens: 1 },
  { name: '@fastify/jwt, cache', server: ['fastify-jwt', 'cache'], tokens: 1 },
  { name: '@fastify/jwt', server: ['fastify-jwt'], tokens: 1 },
  { name: 'jose', server: ['jose'], tokens: 1 },
  { name: 'Express, passport-jwt', server: ['passport'], tokens: 1 },
  { name: 'better-auth, cookie cache', server: ['better-auth', 'cookie'], tokens: 1 },
  { name: 'better-auth, bearer, SQLite', server: ['better-auth', 'bearer'], tokens: 1 },
  { name: '@fastify/jwt, a look-up of the token by MikroORM, SQLite', server: ['naive'], tokens: 1 },
]
const manyOf = [
  'no guard',
  'fastify-jwt-accounts, HS256',
  'fastify-jwt-accounts, EdDSA',
  'fastify-jwt-accounts, HS256, cookie',
  'fast-jwt by hand, cache',
  '@fastify/jwt, cache',
  '@fastify/jwt',
]

export interface GuardRow {
  name: string
  tokens: number
  perSecond: Spread
  cpuUs: Spread
  p50Ms: Spread
  p99Ms: Spread
  rssMb: number
  /** How much of the time the server was at work: near 1, the load was enough. */
  busy: number
  /** CPU by that of the bare route, in the same round and with as many tokens. */
  toBare: Spread
  /** CPU of ours, HS256 in the header, by that of this one. */
  fromOurs: Spread
  /** CPU by that with one token. */
  toOneToken: Spread
}
export interface GuardResult { rounds: number, rows: GuardRow[] }

interface Measured extends Seen { cpuUs: number, rssMb: number, busy: number }

/** Uses CPU of the server for the load, and only for it. */
async function measure (server: Server, users: number, extent: Extent): Promise<Measured> {
  const { origin, users: all } = server.offer
  const before = await server.usage()
  const startedAt = performance.now()
  const seen = await load({ origin, users: all.slice(0, users) }, extent)
  const elapsedUs = (performance.now() - startedAt) * 1000
  const after = await server.usage()
  const cpuUs = after.cpuUs - before.cpuUs
  return { ...seen, cpuUs: cpuUs / seen.requests, rssMb: after.rssBytes / 1e6, busy: cpuUs / elapsedUs }
}

/**
 * Starts the servers of these lanes, lets each see every token twice, so that what is measured knows them, and measures
 * them in turns.
 */
export async function measureAll (lanes: Lane[], manyTokens: number, pace: Pace): Promise<Map<Lane, Measured[]>> {
  const servers = new Map<string, Server>()
  try {
    for (const { name, server: [file, variant = ''] } of lanes.filter(({ tokens }) => tokens === 1)) {
      servers.set(name, await start(file, variant, manyOf.includes(name) ? manyTokens : 1))
    }
    const measureFor =
      (extent: Extent) =>
        ({ name, tokens }: Lane) =>
          measure(servers.get(name)!, tokens, extent)
    for (const lane of lanes) await measureFor({ turns: 2 })(lane)
    for (const lane of lanes) await measureFor({ ms: pace.roundMs })(lane)
    return await interleave(lanes, pace.rounds, pace.mostMs / pace.starts, measureFor({ ms: pace.roundMs }))
  } finally {
    for (const server of servers.values()) server.stop()
  }
}

/** What a request to a guarded route costs, beside the same route of others. */
export async function guard (pace: Pace, manyTokens = 10_000): Promise<GuardResult> {
  const many = one.filter(({ name }) => manyOf.includes(name)).map((lane) => ({ ...lane, tokens: manyTokens }))
  const lanes = [...one, ...many]
  const results = new Map<Lane, Measured[]>(lanes.map((lane) => [lane, []]))
  for (let begun = 0; begun < pace.starts; begun++) {
    for (const [lane, measured] of await measureAll(lanes, manyTokens, pace)) results.get(lane)!.push(...measured)
  }

  const of = (lane: Lane, value: keyof Measured) => results.get(lane)!.map((measured) => measured[value])
  const cpuOf = (name: string, tokens: number) =>
    of(
      lanes.find((lane) => lane.name === name && lane.tokens === tokens)!,
      'cpuUs'
    )
  const rows = lanes.map((lane): GuardRow => ({
    name: lane.name,
    tokens: lane.tokens,
    perSecond: spreadOf(of(lane, 'perSecond')),
    cpuUs: spreadOf(of(lane, 'cpuUs')),
    p50Ms: spreadOf(of(lane, 'p50Ms')),
    p99Ms: spreadOf(of(lane, 'p99Ms')),
    rssMb: spreadOf(of(lane, 'rssMb')).median,
    busy: spreadOf(of(lane, 'busy')).median,
    toBare: ratioOf(of(lane, 'cpuUs'), cpuOf('no guard', lane.tokens)),
    fromOurs: ratioOf(cpuOf('fastify-jwt-accounts, HS256', lane.tokens), of(lane, 'cpuUs')),
    toOneToken: ratioOf(of(lane, 'cpuUs'), cpuOf(lane.name, 1)),
  }))
  return { rounds: results.get(one[0]!)!.length, rows }
}

export function describeGuard ({ rounds, rows }: GuardResult): Section {
  const [ourName, betterAuthName] = ['fastify-jwt-accounts, HS256', 'better-auth, bearer, SQLite']
  const [byHandName, cachedName] = [
    '@fastify/jwt, a look-up of the token by MikroORM, SQLite',
    'better-auth, cookie cache',
  ]
  const row = (name: string, isMany = false) =>
    rows.find((found) => found.name === name && (found.tokens > 1) === isMany)!
  const [one, many] = [rows.filter(({ tokens }) => tokens === 1), rows.filter(({ tokens }) => tokens > 1)]
  const cells = (found: GuardRow) => [
    found.name,
    whole(found.perSecond),
    tenths(found.cpuUs),
    hundredths(found.toBare),
    hundredths(found.p50Ms),
    hundredths(found.p99Ms),
    found.rssMb.toFixed(0),
  ]
  const head = ['guard', 'requests/s', 'CPU, µs a request', 'CPU, × no guard', 'p50, ms', 'p99, ms', 'RSS, MB']
  const count = many[0]!.tokens.toLocaleString('en')

  return {
    title: 'A guarded route',
    text: [
      `The same route everywhere, which answers with the id of the signed-in user. Ours is \`app.authenticate\` as it is by
default: it knows each revocation exactly, and gives \`request.user\` from the database as it is now. jose, fast-jwt,
@fastify/jwt and passport-jwt check signature and expiry and nothing more: what was revoked they let in. Caches are as
large as ours, ${(20_000).toLocaleString('en')} tokens. ${rounds} rounds over ${connections} connections; servers are started anew ${usual.starts} times.`,
      '### One token',
      table([head, ...one.map(cells)]),
      `### ${count} tokens`,
      'Each of another user, and each shown before the measurement began.',
      table([[...head, 'CPU, × one token'], ...many.map((found) => [...cells(found), hundredths(found.toOneToken)])]),
    ].join('\n\n'),
    compared: [
      {
        what: 'a guarded request',
        unit: 'µs',
        ours: row(ourName).cpuUs.median,
        byHand: row(byHandName).cpuUs.median,
        betterAuth: row(betterAuthName).cpuUs.median,
      },
      {
        what: 'a guarded request, where theirs lets in what was revoked',
        unit: 'µs',
        ours: row(ourName).cpuUs.median,
        byHand: row('@fastify/jwt').cpuUs.median,
        betterAuth: row(cachedName).cpuUs.median,
      },
    ],
    charts: {
      'performance-guard.svg': chartOf('CPU of a guarded request', one),
      'performance-guard-many.svg': chartOf(`CPU of a guarded request, ${count} tokens`, many),
    },
    targets: [
      {
        what: 'CPU of a guarded request, by that of the same route unguarded',
        most: 1.35,
        found: row(ourName).toBare.median,
      },
      { what: 'the same with a cookie', most: 1.35, found: row(`${ourName}, cookie`).toBare.median },
      { what: `the same with ${count} tokens`, most: 1.35, found: row(ourName, true).toBare.median },
      { what: 'by that of `request.jwtVerify()`', most: 0.6, found: row('@fastify/jwt').fromOurs.median },
      { what: `the same with ${count} tokens`, most: 0.6, found: row('@fastify/jwt', true).fromOurs.median },
      { what: "by that of better-auth's cached session", most: 1 / 6, found: row(cachedName).fromOurs.median },
      {
        what: 'EdDSA by HS256',
        most: 1.05,
        found: row('fastify-jwt-accounts, EdDSA').toBare.median / row(ourName).toBare.median,
      },
    ],
  }
}

/** Ours beside what one would use instead: no guard at all is none of these. */
function chartOf (title: string, rows: GuardRow[]): Chart {
  return {
    title,
    unit: 'µs, less is better',
    bars: rows
      .filter(({ name }) => name !== 'no guard')
      .map(({ name, cpuUs }) => ({
        label: name,
        value: cpuUs.median,
        isOurs: name.startsWith('fastify-jwt-accounts'),
      })),
  }
}
