import { randomUUID } from 'node:crypto'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import Fastify from 'fastify'
import accounts, { type TokenResponse } from '../../lib/index.ts'
import { open, type Kind } from '../../test/support/databases.ts'
import { place } from '../database.ts'
import { fillRevocations, fillSessions } from '../fill.ts'
import { ratioOf, spreadOf } from '../statistics.ts'
import { offer, secret, tokens as sessions, variant } from './offer.ts'

/** Two apps in this process, one on an empty database and one on a full one, and what each of them costs. */
const [kind, revocations] = [variant as Kind, Number(process.argv[4])]
const expired = sessions / 10
const password = 'correct horse battery staple'

/** Interleaved rounds of so many requests: what disturbs one app disturbs the other. */
const rounds = 60
const requests = 250

setFlagsFromString('--expose-gc')
const collectGarbage: () => void = runInNewContext('gc')

/** The medians in µs, and that of the ratios within each round. */
export interface Cost { few: number, many: number, ratio: number }

/** With nothing in the database, and with all of it. */
export interface Grown {
  guard: Cost
  strict: Cost
  refresh: Cost
  bootMs: { few: number, many: number }
  bytes: { few: number, many: number }
  bytesOfSession: number
  pruned: { sessions: number, ms: number }
}

/** An app on a database, how long it took to start, and how much memory that left in use. */
async function start (db: string) {
  const before = memory()
  const startedAt = performance.now()
  const app = Fastify()
  await app.register(accounts, {
    db,
    secret,
    refresh: { window: 0 },
    prune: { interval: 0 },
    password: { argon2: { memoryCost: 1024, timeCost: 1 } },
  })
  app.get('/cached', { onRequest: app.authenticate }, async () => 'in')
  app.get('/strict', { onRequest: app.accounts.guard({ consistency: 'strict' }) }, async () => 'in')
  await app.ready()
  return { app, bootMs: performance.now() - startedAt, bytes: memory() - before }
}

function memory (): number {
  collectGarbage()
  return process.memoryUsage().heapUsed
}

/** Somebody who is signed in, and what they do. */
async function client ({ app }: Awaited<ReturnType<typeof start>>) {
  const payload = { username: `user ${randomUUID()}`, password }
  const tokens: TokenResponse = (await app.inject({ method: 'POST', url: '/auth/register', payload })).json()
  let { refresh_token: token } = tokens
  const guarded = (url: string) => async () => {
    const { statusCode } = await app.inject({ url, headers: { authorization: `Bearer ${tokens.access_token}` } })
    if (statusCode !== 200) throw new Error(`${url}: ${statusCode}`)
  }
  return {
    cached: guarded('/cached'),
    strict: guarded('/strict'),
    async refresh () {
      const answer = await app.inject({ method: 'POST', url: '/auth/refresh', payload: { refresh_token: token } })
      if (answer.statusCode !== 200) throw new Error(answer.body)
      token = answer.json().refresh_token
    },
  }
}

/** CPU of the process in µs, each time the act is done so often. */
async function cpu (act: () => Promise<void>, times: number): Promise<number> {
  const before = process.cpuUsage()
  for (let done = 0; done < times; done++) await act()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / times
}

async function compare (few: () => Promise<void>, many: () => Promise<void>, times = requests): Promise<Cost> {
  const [ofFew, ofMany]: [number[], number[]] = [[], []]
  for (const act of [few, many]) await cpu(act, times)
  for (let round = 0; round < rounds; round++) {
    ofFew.push(await cpu(few, times))
    ofMany.push(await cpu(many, times))
  }
  return { few: spreadOf(ofFew).median, many: spreadOf(ofMany).median, ratio: ratioOf(ofMany, ofFew).median }
}

async function measure (): Promise<Grown> {
  const [small, large] = [(await place(kind))!, (await place(kind))!]
  const sql = open(large.db)
  try {
    await (await start(large.db)).app.close()
    const empty = await start(small.db)
    const bytesBefore = await large.bytes(sql)
    await fillSessions(sql, kind, { sessions, expired })
    const bytesOfSession = (await large.bytes(sql) - bytesBefore) / sessions
    await fillRevocations(sql, kind, revocations)
    const full = await start(large.db)

    const [few, many] = [await client(empty), await client(full)]
    const guard = await compare(few.cached, many.cached)
    const strict = await compare(few.strict, many.strict, 40)
    const refresh = await compare(few.refresh, many.refresh, 20)

    const prunedAt = performance.now()
    const pruned = await full.app.accounts.prune()
    const ms = performance.now() - prunedAt
    for (const { app } of [empty, full]) await app.close()
    return {
      guard,
      strict,
      refresh,
      bootMs: { few: empty.bootMs, many: full.bootMs },
      bytes: { few: empty.bytes, many: full.bytes },
      bytesOfSession,
      pruned: { sessions: pruned.sessions, ms },
    }
  } finally {
    await sql.close()
    for (const { drop } of [small, large]) await drop()
  }
}

offer('', [], { measure })
