// Lets people use three processes on one PostgreSQL for ten minutes, or as many as are given, while processes are
// killed and the database ends as in a power cut, and asks whether all that was acknowledged is so: `npm run soak --
// 1`.
import { setTimeout as pause } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import { open } from '../test/support/databases.ts'
import { createCluster } from './cluster.ts'
import { createPerson, type Person } from '../test/whole/processes/person.ts'
import { speaking, startServer, type Answer, type Server, type Speaker } from '../test/whole/processes/process.ts'
import { createChance } from '../test/support/rounds.ts'
import { checkRows } from '../test/whole/processes/rows.ts'

const minutes = Number(process.argv[2] ?? 10)
if (!(minutes > 0)) throw new Error('npm run soak -- MINUTES')

/**
 * So many people at once. Each does so much at most, for so long at most, before it is asked whether all is as they
 * were told.
 */
const crowd = 16
const mostActs = 60
const mostLifeMs = 40_000

/** Of those who are done, so many are asked again at the end, after everything else that has happened. */
const mostAskedAgain = 100

/**
 * Memory is judged once everything that is kept for a time has begun to be let go, and where all tokens are that it has
 * room for.
 */
const warmUpMs = 4 * 60_000
const mostHeapGrowth = 0.5
const mostRssGrowth = 3

/** After so many there is nothing new to learn. */
const mostViolations = 20

/** So much later than the database a process may find its way back to it. */
const graceMs = 3000
const maxStalenessMs = 5000

const options = {
  access: { expiresIn: '2m' },
  revocation: { pollInterval: '1s', maxStaleness: '5s' },
  sessions: { max: 1000 },
  prune: { interval: 0 },
} as const

const violations: string[] = []
const complain = (what: string) => {
  violations.push(`after ${Math.round((performance.now() - beganAt) / 1000)} s: ${what}`)
}

/** What is counted, in the order in which it is told. */
const counts = {
  requests: 0,
  'without an answer, of a process that was killed': 0,
  '503 while the database was away': 0,
  acknowledged: 0,
  people: 0,
  'asked whether all was as they were told': 0,
  'asked again at the end': 0,
  'processes killed': 0,
  'restarts of the database': 0,
}

const chance = createChance({ comment: (text) => console.log(text) })
const cluster = await createCluster()
const beganAt = performance.now()
const endsAt = beganAt + minutes * 60_000
const isWell = () => violations.length < mostViolations
const isOn = () => performance.now() < endsAt && isWell()

/** When the database was away, and a while longer. */
const outages: { from: number, to: number }[] = []
const isExcused = ({ status, body, askedAt, tookMs }: Answer) =>
  status === 503 &&
  body.code === 'ACCOUNTS_UNAVAILABLE' &&
  outages.some(({ from, to }) => askedAt < to && from < askedAt + tookMs)

function sinceOutage ({ askedAt }: Answer): string {
  const last = outages.findLast(({ from }) => from < askedAt)
  return last ? `${Math.round(askedAt - last.to + graceMs)} ms after the database was back` : 'before it was ever away'
}

const killed = new Set<Speaker>()
const ends: (() => Promise<void>)[] = []
const waits: number[] = []
let isOver = false

/** A process whose every answer is looked at, and whose end too. */
async function start (): Promise<Server> {
  const server = await startServer({ teardown: (end) => ends.push(end) }, { db: cluster.url, ...options })
  server.ended.then(() => {
    if (!isOver && !killed.has(watched)) complain(`a process ended by itself: ${server.complaints()}`)
  })

  async function ask (...what: Parameters<Speaker['ask']>): Promise<Answer> {
    counts.requests++
    const answer = await server.ask(...what).catch((error) => {
      if (killed.has(watched)) counts['without an answer, of a process that was killed']++
      throw error
    })
    waits.push(answer.tookMs)
    if (isExcused(answer)) counts['503 while the database was away']++
    else if (answer.status >= 500) {
      complain(
        `${what[0]} ${what[1]} gave ${answer.status} ${answer.body.code} after ${Math.round(answer.tookMs)} ms, asked ${sinceOutage(answer)}`
      )
    }
    return answer
  }

  const watched: Server = { ...server, ...speaking(ask) }
  return watched
}

const others = (server?: Server) => servers.filter((one) => one !== server && !killed.has(one))

/** Asks this one or that one, until one is there that has a database. */
const anybody = speaking(async (...what) => {
  for (;;) {
    const server = chance.pick(others())
    const answer = await server.ask(...what).catch((error) => { if (!killed.has(server)) throw error })
    if (answer && !isExcused(answer)) return answer
    await pause(100)
  }
})

const retired: Person[] = []

async function live (): Promise<void> {
  const person = createPerson(`user${counts.people++}`, chance, '30s', {
    isDead: (server) => killed.has(server),
    isExcused,
  })
  const until = Math.min(performance.now() + mostLifeMs, endsAt)
  for (let acts = 0; acts < mostActs && performance.now() < until && isOn(); acts++) {
    const server = chance.pick(others())
    if (!await person.act(server, chance.pick(others(server)))) break
    await pause(chance.below(100))
  }

  // By now every process knows what was ended anywhere.
  await pause(maxStalenessMs + 500)
  await verify(person)
  counts['asked whether all was as they were told']++
  counts.acknowledged += person.acknowledged
  if (retired.length < mostAskedAgain) retired.push(person)
  else retired[chance.below(mostAskedAgain)] = person
}

async function verify (person: Person): Promise<void> {
  await person.verify(anybody, anybody)
  person.complaints.splice(0).forEach(complain)
}

async function killOne (): Promise<() => Promise<void>> {
  const index = 1 + chance.below(servers.length - 1)
  const victim = servers[index]!
  killed.add(victim)
  await victim.kill()
  counts['processes killed']++
  return async () => { servers[index] = await start() }
}

async function restartDatabase (): Promise<void> {
  const outage = { from: performance.now(), to: Infinity }
  outages.push(outage)
  await cluster.stop()
  await pause(chance.below(2) * chance.below(8000))
  await cluster.start()
  outage.to = performance.now() + graceMs
  counts['restarts of the database']++
}

/** One thing after the other: who begins anew needs a database. */
async function trouble (): Promise<void> {
  while (isOn()) {
    await pause(2000 + chance.below(6000))
    const what = chance.below(6)
    const replace = what === 0 ? undefined : await killOne()
    if (what < 2) await restartDatabase()
    await replace?.()
  }
}

interface Sample {
  atMs: number
  rss: number
  heap: number
}

const samples: Sample[] = []

/** Of the one process that nobody kills. */
async function weigh (): Promise<void> {
  while (isOn()) {
    const { body: { rss, heapUsed } } = await servers[0]!.ask('GET', '/memory')
    samples.push({ atMs: performance.now() - beganAt, rss: rss / 2 ** 20, heap: heapUsed / 2 ** 20 })
    await pause(5000)
  }
}

/** By least squares, in MiB a minute. */
function slopeOf (what: 'rss' | 'heap', of: Sample[]): number {
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
  const [atMinute, size] = [of.map(({ atMs }) => atMs / 60_000), of.map((sample) => sample[what])]
  const [middle, usual] = [mean(atMinute), mean(size)]
  return (
    mean(atMinute.map((at, index) => (at - middle) * (size[index]! - usual))) /
    mean(atMinute.map((at) => (at - middle) ** 2))
  )
}

function judgeMemory (): void {
  const settled = samples.filter(({ atMs }) => atMs > warmUpMs)
  const judged = settled.length > 24 ? settled : samples
  for (const [what, name, most] of [
    ['heap', 'held after a collection', mostHeapGrowth],
    ['rss', 'resident', mostRssGrowth],
  ] as const) {
    const sizes = judged.map((sample) => sample[what])
    const slope = slopeOf(what, judged)
    row(
      `MiB ${name}, first, last, most${judged === settled ? ' after the warm-up' : ''}`,
      [sizes[0]!, sizes.at(-1)!, Math.max(...sizes)].map((size) => size.toFixed(1)).join(', ')
    )
    row(`MiB ${name}, growth a minute${judged === settled ? '' : ' (too short a run to judge by)'}`, slope.toFixed(2))
    if (judged === settled && slope > most) {
      complain(`memory grows: ${slope.toFixed(2)} MiB a minute ${name}, and not ${most} at most`)
    }
  }
}

function row (name: string, value: unknown): void {
  console.log(`| ${name} | ${value} |`)
}

async function end (): Promise<void> {
  isOver = true
  await Promise.all(ends.map((end) => end()))
  await cluster.remove()
}

process.once('SIGINT', async () => {
  await end()
  process.exit(130)
})

let servers: Server[] = []
try {
  await cluster.start()
  servers = [await start(), await start(), await start()]
  await servers[0]!.ask('POST', '/fill')
  waits.length = 0
  const crowds = Array.from({ length: crowd }, async () => { while (isOn()) await live() })
  await Promise.all([...crowds, trouble(), weigh()])

  for (const person of retired) {
    if (!isWell()) break
    await verify(person)
    counts['asked again at the end']++
  }
  const sql = open(cluster.url)
  const same = (found: unknown, wanted: unknown, name: string) => {
    if (!isDeepStrictEqual(found, wanted)) complain(`of the rows: ${name}, and yet ${JSON.stringify(found)}`)
  }
  await checkRows({ same }, sql)
  await sql.close()
  for (const server of servers) if (server.complaints()) complain(`a process said: ${server.complaints()}`)
} catch (error) {
  complain(String((error as Error).stack))
} finally {
  await end()
}

const sorted = waits.toSorted((a, b) => a - b)
console.log('| what | how much |\n| --- | --- |')
row('minutes', ((performance.now() - beganAt) / 60_000).toFixed(1))
for (const [name, value] of Object.entries(counts)) row(name, value)
row(
  'ms for an answer, half of them, 99 of 100, all',
  [0.5, 0.99, 1].map((part) => Math.round(sorted[Math.ceil(part * sorted.length) - 1]!)).join(', ')
)
judgeMemory()
row('violations', violations.length)
for (const violation of violations) console.log(violation)
process.exitCode = violations.length > 0 ? 1 : 0
