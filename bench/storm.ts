import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { Agent, request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { hash, verify } from 'argon2'
import Fastify from 'fastify'
import accounts, { type TokenResponse } from '../lib/index.ts'
import { usualConcurrency } from '../lib/features/passwords/options.ts'
import { createQueue } from '../lib/features/passwords/queue.ts'
import { quantile, ratioOf, spreadOf } from './statistics.ts'

/**
 * What 500 logins at once do to a server, at the production cost, five times over: `npm run bench:storm`. Then how many
 * logins are answered in a second, beside argon2 alone, and a bare route that asks argon2: each in a process of its own, in turns, with
 * a hash on every core, and with one core left for all the rest. It prints a table.
 */
const logins = 500

/** One after the other: of a single one a p99 is what three requests took. */
const storms = 5

/** What throughput is measured with: so many passwords, by so many clients who come again at once. */
const passwords = 200
const clients = 20

/** The first are not counted: code is compiled meanwhile, as that of a server is that has run for a minute. */
const warmUps = 3
const rounds = 7

const password = 'correct horse battery staple'
const cost = { memoryCost: 19456, timeCost: 2, parallelism: 1 }

/** Which lets all of them try. */
const throttle = { accountNetwork: 100_000, network: 100_000, account: 100_000 }
const [, , role = 'measure', concurrency = `${usualConcurrency(process.env)}`] = process.argv

/** One that serves: it says where, and then how much memory it has taken at most. */
async function serve (): Promise<void> {
  const app = Fastify({ trustProxy: true })
  await app.register(accounts, {
    db: ':memory:', secret: 'Zq8vT2kLw9XcR5nYb3HjM7pFs1DgA4uE', password: { concurrency: Number(concurrency) }, throttle, sessions: { max: 1000 }, prune: { interval: 0 },
  })
  app.get('/guarded', { onRequest: app.authenticate }, async () => 'in')
  const { body } = await app.inject({ method: 'POST', url: '/auth/register', payload: { username: 'ada', password } })
  const origin = await app.listen({ port: 0, host: '127.0.0.1' })
  process.on('message', () => process.send!({ mostBytes: process.resourceUsage().maxRSS * 1024, cpuMs: cpuMs() }))
  process.send!({ origin, token: (JSON.parse(body) as TokenResponse).access_token, bytes: process.memoryUsage().rss })
}

/** One that has a route and no accounts, and asks argon2. */
async function serveBare (): Promise<void> {
  const stored = await hash(password, cost)
  const queue = createQueue({}, { concurrency: Number(concurrency), waiting: clients } as never)
  const app = Fastify()
  app.post<{ Body: { password: string } }>('/auth/login', async ({ body }, reply) => {
    const isRight = await queue.run(() => verify(stored, body.password))
    return reply.code(isRight ? 200 : 401).send({})
  })
  process.on('message', () => process.send!({ cpuMs: cpuMs() }))
  process.send!({ origin: await app.listen({ port: 0, host: '127.0.0.1' }) })
}

/** One that verifies so many passwords as fast as argon2 can at the same concurrency, and says how long it took. */
async function verifyAlone (): Promise<void> {
  const stored = await hash(password, cost)
  process.on('message', async () => {
    const before = cpuMs()
    const ms = await timeOf(Number(concurrency), () => verify(stored, password))
    process.send!({ ms, cpuMs: cpuMs() - before })
  })
  process.send!({})
}

/** What this process has used so far. */
function cpuMs (): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

interface Answer { status: number, retryAfter: string | undefined, ms: number }

function ask (url: string, agent: Agent, headers: Record<string, string>, body?: string): Promise<Answer> {
  const startedAt = performance.now()
  return new Promise((resolve, reject) => {
    const sent = request(url, { agent, timeout: 30_000, headers, method: body === undefined ? 'GET' : 'POST' }, (answer) => {
      answer.resume().on('end', () => resolve({ status: answer.statusCode!, retryAfter: answer.headers['retry-after'], ms: performance.now() - startedAt }))
    })
    sent.on('error', reject).on('timeout', () => sent.destroy(new Error('no answer in 30 s')))
    sent.end(body)
  })
}

/** Guarded requests, one after the other, until it is over. */
async function guarded (origin: string, token: string, over: Promise<unknown>): Promise<number[]> {
  const agent = new Agent({ keepAlive: true })
  const times: number[] = []
  const state = { isOver: false }
  over.finally(() => { state.isOver = true })
  while (!state.isOver) {
    times.push((await ask(`${origin}/guarded`, agent, { authorization: `Bearer ${token}` })).ms)
    await sleep(2)
  }
  agent.destroy()
  return times
}

/** How long it takes until it is done so often, by so many at once. */
async function timeOf (atOnce: number, act: () => Promise<unknown>): Promise<number> {
  let left = passwords
  const startedAt = performance.now()
  await Promise.all(Array.from({ length: atOnce }, async () => { while (left-- > 0) await act() }))
  return performance.now() - startedAt
}

interface Child {
  process: ChildProcess
  /** What it has said first. */
  told: { origin: string, token: string, bytes: number }
}

async function start (...args: string[]): Promise<Child> {
  const process = fork(import.meta.filename, args)
  children.push(process)
  const [told] = await once(process, 'message')
  return { process, told }
}

async function reply ({ process }: Child): Promise<{ ms: number, cpuMs: number, mostBytes: number }> {
  process.send({})
  const [told] = await once(process, 'message')
  return told
}

const children: ChildProcess[] = []
const agent = new Agent({ keepAlive: true })

let networks = 0
/** Each from a network of its own: one alone may take no more than a quarter of the line. */
function login ({ told: { origin } }: Child): Promise<Answer> {
  networks++
  const headers = { 'content-type': 'application/json', 'x-forwarded-for': `10.0.${networks >> 8 & 255}.${networks & 255}` }
  return ask(`${origin}/auth/login`, agent, headers, JSON.stringify({ username: 'ada', password: 'another password!' }))
}

const row = (...cells: string[]) => `| ${cells.join(' | ')} |`

/** What came of all storms, and how long guarded requests took before them and meanwhile, in ms. */
async function storm (server: Child): Promise<{ answers: Answer[], idle: number[], during: number[] }> {
  const { origin, token } = server.told
  const [idle, during, answers]: [number[], number[], Answer[]] = [[], [], []]
  for (let left = storms; left > 0; left--) {
    idle.push(...await guarded(origin, token, sleep(1500)))
    const storming = Promise.all(Array.from({ length: logins }, () => login(server)))
    during.push(...await guarded(origin, token, storming))
    answers.push(...await storming)
  }
  return { answers, idle, during }
}

async function rowsOf (server: Child): Promise<string[]> {
  const { answers, ...times } = await storm(server)
  const { mostBytes } = await reply(server)
  const busy = answers.filter(({ status }) => status === 503)
  return [
    row('answered', `${answers.length} of ${storms * logins}`),
    row('401', `${answers.filter(({ status }) => status === 401).length}`),
    row('503 with Retry-After', `${busy.filter(({ retryAfter }) => Number(retryAfter) >= 1).length} of ${busy.length}`),
    row('memory before, and at most', `${(server.told.bytes / 1e6).toFixed(0)} MB, ${(mostBytes / 1e6).toFixed(0)} MB`),
    guardedRow('', times),
  ]
}

function guardedRow (who: string, { idle, during }: { idle: number[], during: number[] }): string {
  const [before, meanwhile] = [idle, during].map((times) => quantile(times.toSorted((a, b) => a - b), 0.99)) as [number, number]
  return row(`${who}guarded request, p99, idle and in the storm`, `${before.toFixed(1)} ms, ${meanwhile.toFixed(1)} ms, ratio ${(meanwhile / before).toFixed(1)}`)
}

/** Time and CPU that a server takes for all passwords. */
async function logInto (server: Child): Promise<Taken> {
  const { cpuMs: before } = await reply(server)
  const ms = await timeOf(clients, () => login(server))
  return { ms, cpuMs: (await reply(server)).cpuMs - before }
}

interface Taken { ms: number, cpuMs: number }
type Who = 'ours' | 'bare' | 'alone'

async function throughput (atOnce: number, server: Child): Promise<string[]> {
  const bare = await start('bare', `${atOnce}`)
  const alone = await start('alone', `${atOnce}`)
  const taken: Record<Who, Taken>[] = []
  for (let round = 0; round < warmUps + rounds; round++) {
    const found = { ours: await logInto(server), bare: await logInto(bare), alone: await reply(alone) }
    if (round >= warmUps) taken.push(found)
  }
  const of = (who: Who, what: keyof Taken) => taken.map((round) => round[who][what])
  const perSecond = (who: Who) => (passwords / spreadOf(of(who, 'ms')).median * 1000).toFixed(1)
  const cpu = (who: Who) => `${(spreadOf(of(who, 'cpuMs')).median / passwords).toFixed(1)} ms of CPU`
  const ratio = (who: Who, what: keyof Taken) => ratioOf(of(who, what), of('ours', what)).median.toFixed(2)
  const beside = (who: Who) => `${perSecond(who)}, ratio ${ratio(who, 'ms')}; ${cpu(who)}, ratio ${ratio(who, 'cpuMs')}`
  return [
    row(`${atOnce} at once: logins of ${clients} clients in a second`, `${perSecond('ours')}; ${cpu('ours')}`),
    row('a bare route that asks argon2', beside('bare')),
    row('argon2 alone', beside('alone')),
  ]
}

async function measure (): Promise<void> {
  const most = usualConcurrency(process.env)
  try {
    const server = await start('serve', `${most}`)
    const rows = [...await rowsOf(server), ...await throughput(most, server)]
    if (most > 1) {
      const fewer = await start('serve', `${most - 1}`)
      rows.push(guardedRow(`${most - 1} at once: `, await storm(fewer)), ...await throughput(most - 1, fewer))
    }
    console.log([row(`${storms} times ${logins} logins at once, ${most} hashes at once, Node ${process.versions.node}`, ''), row('---', '---'), ...rows].join('\n'))
  } finally {
    agent.destroy()
    for (const child of children) child.kill()
  }
}

await ({ serve, bare: serveBare, alone: verifyAlone }[role] ?? measure)()
