import { randomUUID } from 'node:crypto'
import { rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Fastify from 'fastify'
import accounts, { type TokenResponse } from '../lib/index.ts'
import { open, servers, type Kind, type Sql } from '../test/support/databases.ts'
import { fillRevocations, fillSessions } from './fill.ts'

/**
 * What a million sessions and a hundred thousand living revocations cost, beside none: `npm run bench:growth`, or with a
 * database and other numbers `npm run bench:growth -- postgresql 100000 10000`. It prints a table.
 */
const [kind = 'sqlite', sessions = 1_000_000, revocations = 100_000] = process.argv.slice(2).map((word) => /^\d+$/.test(word) ? Number(word) : word) as [Kind?, number?, number?]
const expired = sessions / 10
const secret = 'Zq8vT2kLw9XcR5nYb3HjM7pFs1DgA4uE'
const password = 'correct horse battery staple'

/** Interleaved rounds of so many requests: what disturbs one app disturbs the other. */
const rounds = 60
const requests = 250

interface Place { db: string, bytes: (sql: Sql) => Promise<number>, drop: () => Promise<void> }

/** An empty database. */
async function place (): Promise<Place> {
  const name = `accounts_bench_${randomUUID().replaceAll('-', '')}`
  if (kind === 'sqlite') {
    const db = join(tmpdir(), `${name}.sqlite`)
    return { db, bytes: async () => statSync(db).size, drop: async () => ['', '-wal', '-shm'].forEach((end) => rmSync(db + end, { force: true })) }
  }
  const server = open(servers[kind])
  await server.run(`create database ${name}`)
  const size = kind === 'postgresql'
    ? 'select sum(pg_total_relation_size(oid)) as n from pg_class where relname = \'accounts_sessions\''
    : `select data_length + index_length as n from information_schema.tables where table_schema = '${name}' and table_name = 'accounts_sessions'`
  return {
    db: Object.assign(new URL(servers[kind]), { pathname: `/${name}` }).href,
    bytes: async (sql) => Number((await sql.get(size))!.n),
    async drop () {
      await server.run(`drop database ${name}${kind === 'postgresql' ? ' with (force)' : ''}`)
      await server.close()
    },
  }
}

/** An app on a database, how long it took to start in ms, and how much memory that left in use. */
async function start (db: string) {
  const before = memory()
  const startedAt = performance.now()
  const app = Fastify()
  await app.register(accounts, { db, secret, refresh: { window: 0 }, prune: { interval: 0 }, password: { argon2: { memoryCost: 1024, timeCost: 1 } } })
  app.get('/cached', { onRequest: app.authenticate }, async () => 'in')
  app.get('/strict', { onRequest: app.accounts.guard({ consistency: 'strict' }) }, async () => 'in')
  await app.ready()
  return { app, bootMs: performance.now() - startedAt, bytes: memory() - before }
}
type Started = Awaited<ReturnType<typeof start>>

function memory (): number {
  globalThis.gc?.()
  return process.memoryUsage().heapUsed
}

/** Somebody who is signed in, and what they do. */
async function client ({ app }: Started) {
  const tokens: TokenResponse = (await app.inject({ method: 'POST', url: '/auth/register', payload: { username: `user ${randomUUID()}`, password } })).json()
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

const median = (values: number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!

/** The medians of both, and the median of the ratios within each round. */
async function compare (few: () => Promise<void>, many: () => Promise<void>, times = requests) {
  const pairs: [number, number][] = []
  await cpu(few, times)
  await cpu(many, times)
  for (let round = 0; round < rounds; round++) pairs.push([await cpu(few, times), await cpu(many, times)])
  return { few: median(pairs.map(([a]) => a)), many: median(pairs.map(([, b]) => b)), ratio: median(pairs.map(([a, b]) => b / a)) }
}

const [small, large] = [await place(), await place()]
const sql = open(large.db)
try {
  await (await start(large.db)).app.close()
  const empty = await start(small.db)
  const bytesBefore = await large.bytes(sql)
  await fillSessions(sql, kind, { sessions, expired })
  const perSession = (await large.bytes(sql) - bytesBefore) / sessions
  await fillRevocations(sql, kind, revocations)
  const full = await start(large.db)

  const few = await client(empty)
  const many = await client(full)
  const guard = await compare(few.cached, many.cached)
  const strict = await compare(few.strict, many.strict, 40)
  const refresh = await compare(few.refresh, many.refresh, 20)

  const prunedAt = performance.now()
  const pruned = await full.app.accounts.prune()
  const pruneMs = performance.now() - prunedAt

  const us = (value: number) => `${value.toFixed(0)} µs`
  const row = (...cells: string[]) => `| ${cells.join(' | ')} |`
  console.log([
    row(`${kind}, Node ${process.versions.node}`, 'none', `${sessions.toLocaleString('en')} sessions, ${revocations.toLocaleString('en')} revocations`, 'ratio'),
    row('---', '---', '---', '---'),
    row('guarded request, CPU', us(guard.few), us(guard.many), guard.ratio.toFixed(2)),
    row('strict guarded request, CPU of the app', us(strict.few), us(strict.many), strict.ratio.toFixed(2)),
    row('refresh, CPU of the app', us(refresh.few), us(refresh.many), refresh.ratio.toFixed(2)),
    row('start of the plugin', `${empty.bootMs.toFixed(0)} ms`, `${full.bootMs.toFixed(0)} ms`, ''),
    row('memory after it', `${(empty.bytes / 1e6).toFixed(1)} MB`, `${(full.bytes / 1e6).toFixed(1)} MB`, `${((full.bytes - empty.bytes) / revocations).toFixed(0)} B for each revocation`),
    row(`disk for each session${kind === 'sqlite' ? ' and a tenth of a user' : ''}`, '', `${perSession.toFixed(0)} B`, ''),
    row(`prune of ${pruned.sessions.toLocaleString('en')} sessions`, '', `${(pruneMs / 1000).toFixed(1)} s`, `${(pruneMs / (pruned.sessions / 200)).toFixed(1)} ms for each batch of 200`),
  ].join('\n'))
  await empty.app.close()
  await full.app.close()
} finally {
  await sql.close()
  await small.drop()
  await large.drop()
}
