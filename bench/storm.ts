import { fork } from 'node:child_process'
import { once } from 'node:events'
import { Agent, request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { hash, verify } from 'argon2'
import Fastify from 'fastify'
import accounts, { type TokenResponse } from '../lib/index.ts'
import { usualConcurrency } from '../lib/passwords/options.ts'

/**
 * What 500 logins at once do to a server, at the production cost: `npm run bench:storm`. The server and argon2 alone each
 * have a process of their own, and are measured in turns, as often as there is time for. It prints a table.
 */
const logins = 500

/** What throughput is measured with: so many passwords, by so many clients who come again at once. */
const passwords = 30
const clients = 20

const mostRounds = 25

/** Of this process, after which no round is begun. */
const mostMs = 35_000
const password = 'correct horse battery staple'
const cost = { memoryCost: 19456, timeCost: 2, parallelism: 1 }
const role = process.argv[2]

/** One that serves: it says where, and then how much memory it has taken at most. */
async function serve (): Promise<void> {
  const app = Fastify()
  await app.register(accounts, { db: ':memory:', secret: 'Zq8vT2kLw9XcR5nYb3HjM7pFs1DgA4uE', sessions: { max: 1000 }, prune: { interval: 0 } })
  app.get('/guarded', { onRequest: app.authenticate }, async () => 'in')
  const { body } = await app.inject({ method: 'POST', url: '/auth/register', payload: { username: 'ada', password } })
  const origin = await app.listen({ port: 0, host: '127.0.0.1' })
  process.on('message', () => process.send!({ mostBytes: process.resourceUsage().maxRSS * 1024 }))
  process.send!({ origin, token: (JSON.parse(body) as TokenResponse).access_token, bytes: process.memoryUsage().rss })
}

/** One that verifies so many passwords as fast as argon2 can at the same concurrency, and says how long it took. */
async function verifyAlone (): Promise<void> {
  const stored = await hash(password, cost)
  process.on('message', async () => process.send!({ ms: await timeOf(usualConcurrency(process.env), () => verify(stored, password)) }))
  process.send!({})
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

const quantile = (values: number[], part: number) => values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) * part)]!
const median = (values: number[]) => quantile(values, 0.5)

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

async function measure (): Promise<void> {
  const [server, alone] = [fork(import.meta.filename, ['serve']), fork(import.meta.filename, ['alone'])]
  try {
    const [[{ origin, token, bytes }]] = await Promise.all([once(server, 'message'), once(alone, 'message')])
    const agent = new Agent({ keepAlive: true })
    const body = JSON.stringify({ username: 'ada', password: 'another password!' })
    const login = () => ask(`${origin}/auth/login`, agent, { 'content-type': 'application/json' }, body)

    const idle = await guarded(origin, token, sleep(1500))
    const storm = Promise.all(Array.from({ length: logins }, login))
    const during = await guarded(origin, token, storm)
    const answers = await storm

    const pairs: [ours: number, raw: number][] = []
    while (pairs.length === 0 || (pairs.length < mostRounds && performance.now() < mostMs)) {
      const ours = await timeOf(clients, login)
      alone.send({})
      const [{ ms }] = await once(alone, 'message')
      pairs.push([ours, ms])
    }
    agent.destroy()
    server.send({})
    const [{ mostBytes }] = await once(server, 'message')
    const busy = answers.filter(({ status }) => status === 503)
    const p99 = [idle, during].map((times) => quantile(times, 0.99)) as [number, number]

    const perSecond = (ms: number) => (passwords / ms * 1000).toFixed(1)
    const row = (...cells: string[]) => `| ${cells.join(' | ')} |`
    console.log([
      row(`${logins} logins at once, ${usualConcurrency(process.env)} hashes at once, Node ${process.versions.node}`, ''),
      row('---', '---'),
      row('answered', `${answers.length} of ${logins}`),
      row('401', `${answers.filter(({ status }) => status === 401).length}`),
      row('503 with Retry-After', `${busy.filter(({ retryAfter }) => Number(retryAfter) >= 1).length} of ${busy.length}`),
      row('memory before, and at most', `${(bytes / 1e6).toFixed(0)} MB, ${(mostBytes / 1e6).toFixed(0)} MB`),
      row(`logins of ${clients} clients in a second`, perSecond(median(pairs.map(([ours]) => ours)))),
      row('argon2 alone', perSecond(median(pairs.map(([, raw]) => raw)))),
      row(`ratio, of ${pairs.length} rounds`, (median(pairs.map(([, raw]) => raw)) / median(pairs.map(([ours]) => ours))).toFixed(2)),
      row('guarded request, p99, idle and in the storm', `${p99[0].toFixed(1)} ms, ${p99[1].toFixed(1)} ms, ratio ${(p99[1] / p99[0]).toFixed(1)}`),
    ].join('\n'))
  } finally {
    server.kill()
    alone.kill()
  }
}

await ({ serve, alone: verifyAlone }[role ?? ''] ?? measure)()
