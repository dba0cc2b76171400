import { Agent, request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { usualConcurrency } from '../../lib/features/passwords/options.ts'
import { table, type Section } from '../report.ts'
import { start, type Server } from '../server.ts'
import { guardedPath } from '../servers/offer.ts'
import { quantile, ratioOf, spreadOf } from '../statistics.ts'

/** So many come at once, and so often: of a single storm a p99 is what three requests took. */
const logins = 500
const storms = 5

/** What throughput is measured with: so many passwords, by so many clients who come again at once. */
const passwords = 200
const clients = 20

/** The first are not counted: code is compiled meanwhile, as that of a server is that has run for a minute. */
const warmUps = 3
const rounds = 7

/** What came of all storms, and how long guarded requests took before them and meanwhile, in ms. */
interface Stormed { answers: Answer[], idle: number, during: number }
interface Answer { status: number, retryAfter: string | undefined, ms: number }
interface Taken { ms: number, cpuMs: number }

const agent = new Agent({ keepAlive: true })
let networks = 0

/**
 * What 500 logins at once do to a server, at the production cost, five times over. Then how many logins are answered in
 * a second, beside argon2 alone, and a bare route that asks argon2, with a hash on every core, and with one core left
 * for all the rest.
 */
export async function storm (): Promise<Section> {
  const most = usualConcurrency(process.env)
  const server = await start('storm', `${most}`)
  const { rssBytes } = await server.usage()
  const stormed = await stormOver(server)
  const { mostRssBytes } = await server.usage()
  const rows = [...rowsOf(stormed, rssBytes, mostRssBytes), ...await throughput(most, server)]
  server.stop()
  if (most > 1) {
    const fewer = await start('storm', `${most - 1}`)
    rows.push(guardedRow(`${most - 1} at once: `, await stormOver(fewer)), ...await throughput(most - 1, fewer))
    fewer.stop()
  }

  return {
    title: 'A login storm',
    text: [
      'Many logins at once, with a wrong password: [passwords.md](passwords.md#the-line) tells what it means.',
      table([[`${storms} times ${logins} logins at once, ${most} hashes at once`, ''], ...rows]),
    ].join('\n\n'),
    compared: [],
    charts: {},
    targets: [{
      what: 'p99 of a guarded request in a login storm, by that when idle',
      most: 3,
      found: stormed.during / stormed.idle,
    }],
  }
}

async function stormOver (server: Server): Promise<Stormed> {
  const [idle, during, answers]: [number[], number[], Answer[]] = [[], [], []]
  for (let left = storms; left > 0; left--) {
    idle.push(...await guarded(server, sleep(1500)))
    const storming = Promise.all(Array.from({ length: logins }, () => login(server)))
    during.push(...await guarded(server, storming))
    answers.push(...await storming)
  }
  const p99 = (times: number[]) => quantile(times.toSorted((a, b) => a - b), 0.99)
  return { answers, idle: p99(idle), during: p99(during) }
}

/** Guarded requests, one after the other, until it is over. */
async function guarded ({ offer: { origin, users: [headers] } }: Server, over: Promise<unknown>): Promise<number[]> {
  const own = new Agent({ keepAlive: true })
  const times: number[] = []
  const state = { isOver: false }
  over.finally(() => { state.isOver = true })
  while (!state.isOver) {
    times.push((await ask(`${origin}${guardedPath}`, own, headers!)).ms)
    await sleep(2)
  }
  own.destroy()
  return times
}

/** Each from a network of its own: one alone may take no more than a quarter of the line. */
function login ({ offer: { origin } }: Server): Promise<Answer> {
  networks++
  const network = `10.0.${networks >> 8 & 255}.${networks & 255}`
  const headers = { 'content-type': 'application/json', 'x-forwarded-for': network }
  const body = JSON.stringify({ username: 'ada', password: 'another password!' })
  return ask(`${origin}/auth/login`, agent, headers, body)
}

function ask (url: string, agent: Agent, headers: Record<string, string>, body?: string): Promise<Answer> {
  const startedAt = performance.now()
  return new Promise((resolve, reject) => {
    const method = body === undefined ? 'GET' : 'POST'
    const sent = request(url, { agent, timeout: 30_000, headers, method }, (answer) => {
      answer.resume().on('end', () => resolve({
        status: answer.statusCode!,
        retryAfter: answer.headers['retry-after'],
        ms: performance.now() - startedAt,
      }))
    })
    sent.on('error', reject).on('timeout', () => sent.destroy(new Error('no answer in 30 s')))
    sent.end(body)
  })
}

/** Each in a process of its own, in turns. */
async function throughput (atOnce: number, ours: Server): Promise<string[][]> {
  const [bare, alone] = [await start('bare-login', `${atOnce}`, clients), await start('argon2', `${atOnce}`, passwords)]
  const acts = new Map<Server, () => Promise<unknown>>([
    [ours, () => byClients(() => login(ours))],
    [bare, () => byClients(() => login(bare))],
    [alone, () => alone.act('run')],
  ])
  const taken = new Map<Server, Taken[]>([...acts.keys()].map((server) => [server, []]))
  for (let round = 0; round < warmUps + rounds; round++) {
    for (const [server, act] of acts) {
      const found = await takenBy(server, act)
      if (round >= warmUps) taken.get(server)!.push(found)
    }
  }
  bare.stop()
  alone.stop()

  const of = (server: Server, what: keyof Taken) => taken.get(server)!.map((round) => round[what])
  const perSecond = (server: Server) => (passwords / spreadOf(of(server, 'ms')).median * 1000).toFixed(1)
  const cpu = (server: Server) => `${(spreadOf(of(server, 'cpuMs')).median / passwords).toFixed(1)} ms of CPU`
  const ratio = (server: Server, what: keyof Taken) => ratioOf(of(server, what), of(ours, what)).median.toFixed(2)
  const beside = (server: Server) =>
    `${perSecond(server)}, ratio ${ratio(server, 'ms')}; ${cpu(server)}, ratio ${ratio(server, 'cpuMs')}`
  return [
    [`${atOnce} at once: logins of ${clients} clients in a second`, `${perSecond(ours)}; ${cpu(ours)}`],
    ['a bare route that asks argon2', beside(bare)],
    ['argon2 alone', beside(alone)],
  ]
}

async function takenBy (server: Server, act: () => Promise<unknown>): Promise<Taken> {
  const before = await server.usage()
  const startedAt = performance.now()
  await act()
  const ms = performance.now() - startedAt
  return { ms, cpuMs: ((await server.usage()).cpuUs - before.cpuUs) / 1000 }
}

/** Until it is done for all passwords. */
async function byClients (act: () => Promise<unknown>): Promise<void> {
  let left = passwords
  await Promise.all(Array.from({ length: clients }, async () => { while (left-- > 0) await act() }))
}

function rowsOf (stormed: Stormed, rssBytes: number, mostRssBytes: number): string[][] {
  const { answers } = stormed
  const busy = answers.filter(({ status }) => status === 503)
  const mb = (bytes: number) => `${(bytes / 1e6).toFixed(0)} MB`
  return [
    ['answered', `${answers.length} of ${storms * logins}`],
    ['401', `${answers.filter(({ status }) => status === 401).length}`],
    ['503 with Retry-After', `${busy.filter(({ retryAfter }) => Number(retryAfter) >= 1).length} of ${busy.length}`],
    ['memory before, and at most', `${mb(rssBytes)}, ${mb(mostRssBytes)}`],
    guardedRow('', stormed),
  ]
}

function guardedRow (who: string, { idle, during }: Stormed): string[] {
  const times = `${idle.toFixed(1)} ms, ${during.toFixed(1)} ms, ratio ${(during / idle).toFixed(1)}`
  return [`${who}guarded request, p99, idle and in the storm`, times]
}
