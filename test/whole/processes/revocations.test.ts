// On each database.
// In a process of its own, for 35 s: it measures how soon others know.
// With more rounds in trials.
import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import t, { type Test } from 'tap'
import type { AccountsOptions } from '../../../lib/index.ts'
import { freshDatabase, kind, open } from '../../support/databases.ts'
import { until } from '../../support/waiting.ts'
import { startServer, type Answer, type Server } from './process.ts'
import { startProxy } from './proxy.ts'
import { rounds, spread } from '../../support/rounds.ts'

/** No request waits longer than this for a database. */
const mostWaitMs = 10_000

const db = await freshDatabase(t)
const here = await startServer(t, { db })
const sql = open(db)
t.teardown(() => sql.close())

/** How late a timer of this process and an answer that asks no database were together, at worst. */
let lateMs = 0
async function watchMachine (): Promise<void> {
  for (;;) {
    const startedAt = performance.now()
    await pause(50)
    await here.ask('GET', '/nothing')
    lateMs = Math.max(lateMs, performance.now() - startedAt - 50)
  }
}
// It ends with the process that it asks.
watchMachine().catch(() => {})

/** By so much more than what is promised the machine may delay it. */
const slackMs = () => 1000 + lateMs

let count = 0
async function signUp (): Promise<{ access: string, refresh: string }> {
  const { body } = await here.register(`user${count++}`)
  return { access: body.access_token, refresh: body.refresh_token }
}

const startThere = (t: Test, revocation: AccountsOptions['revocation'], url = db) =>
  startServer(t, { db: url, revocation: revocation! })

/** Logs somebody out here, and tells after how long they are refused there. */
async function measure (there: Server): Promise<number> {
  const { access, refresh } = await signUp()
  await there.lets(access)
  const { askedAt, tookMs } = await here.logout(refresh)
  await until(async () => await there.lets(access) === 401)
  return performance.now() - askedAt - tookMs
}

t.test('what one process revokes another refuses within pollInterval and a query', async (t) => {
  const there = await startThere(t, { pollInterval: '1s', maxStaleness: '5s' })
  // At ten moments between two looks at the log.
  const { text, most } = spread(
    await Promise.all(
      Array.from({ length: rounds(10, 50) }, (_, index) => pause(index * 111).then(() => measure(there)))
    )
  )
  t.comment(`refused elsewhere, ${text}`)
  t.ok(most < 1000 + slackMs())
})

t.test(
  'with NOTIFY another process refuses within 100 ms',
  { skip: kind !== 'postgresql' && 'only PostgreSQL tells' },
  async (t) => {
    const there = await startThere(t, { pollInterval: '60s', maxStaleness: '300s' })
    const measured: number[] = []
    while (measured.length < rounds(20, 100)) measured.push(await measure(there))

    const { text, median, most } = spread(measured)
    t.comment(`refused elsewhere, ${text}`)
    t.ok(median < 100 + lateMs)
    t.ok(most < 100 + slackMs())
  }
)

/** How a process and its database are parted, and what brings them together. */
interface Cut {
  url: string
  part: () => unknown
  restore: () => Promise<unknown>
}

const tables = ['users', 'sessions', 'revoked_tokens', 'revision']

/** There is no TCP to a file: its tables are away for a while. */
async function missingTables (): Promise<Cut> {
  const rename = (from: string, to: string) =>
    sql.exec(
      `begin immediate; ${tables.map((table) => `alter table ${from}_${table} rename to ${to}_${table};`).join(' ')} commit`
    )
  return { url: db, part: () => rename('accounts', 'gone'), restore: () => rename('gone', 'accounts') }
}

async function network (t: Test, how: 'refuse' | 'swallow'): Promise<Cut> {
  const proxy = await startProxy(t, db)
  return { url: proxy.url, part: proxy[how], restore: proxy.restore }
}

const cuts: Record<string, (t: Test) => Promise<Cut>> =
  kind === 'sqlite'
    ? { 'whose tables are gone': missingTables }
    : {
        'whose connections are closed': (t) => network(t, 'refuse'),
        'whose packets vanish': (t) => network(t, 'swallow'),
      }

for (const [how, cutOff] of Object.entries(cuts)) {
  t.test(`a process ${how} lets nobody in after maxStaleness, and recovers by itself`, async (t) => {
    const maxStalenessMs = 2000
    const { url, part, restore } = await cutOff(t)
    const there = await startThere(t, { pollInterval: '1s', maxStaleness: '2s' }, url)
    const [gone, stays] = [await signUp(), await signUp()]
    t.same([await there.lets(gone.access), await there.lets(stays.access)], [200, 200])

    // What is away for all must be logged out from first: read before it is away, it is refused all the sooner.
    if (kind === 'sqlite') await here.logout(gone.refresh)
    await part()
    const partedAt = performance.now()
    if (kind !== 'sqlite') t.equal((await here.logout(gone.refresh)).status, 204)

    const cached: Promise<Answer>[] = []
    const asked: Promise<Answer>[] = []
    while (performance.now() < partedAt + maxStalenessMs + 1500) {
      cached.push(there.ask('GET', '/guarded', cached.length % 2 ? gone.access : stays.access))
      asked.push(there.ask('GET', '/strict', gone.access))
      await pause(100)
    }
    const answers = await Promise.all([...cached, ...asked, there.refresh(stays.refresh), there.login('user0')])
    const late = answers.filter(({ askedAt }) => askedAt > partedAt + maxStalenessMs)
    t.ok(late.length > 10)
    t.same(
      new Set(late.map(({ status }) => status)),
      new Set([503]),
      'nobody is let in, and nobody is said to be unknown'
    )
    const slowest = Math.max(...answers.map(({ tookMs }) => tookMs))
    t.ok(slowest < mostWaitMs + slackMs(), 'nobody waits for ever')
    const slowestGuard = Math.max(...(await Promise.all(cached)).map(({ tookMs }) => tookMs))
    t.ok(slowestGuard < maxStalenessMs + slackMs(), 'and a guard no longer than maxStaleness')

    await restore()
    const recoveredMs = await until(
      async () => (await there.lets(gone.access)) === 401 && (await there.lets(stays.access)) === 200
    )
    t.comment(
      `answered after ${Math.round(slowest)} ms at most, by a guard after ${Math.round(slowestGuard)} ms, recovered after ${Math.round(recoveredMs)} ms`
    )
    t.same([(await there.refresh(stays.refresh)).status, (await there.login('user0')).status], [200, 200])
    t.ok(await measure(there) < 1000 + slackMs(), 'and hears of what is revoked as before')
  })
}

t.test(
  'while a file is locked, guards go on, and no revocation is acknowledged',
  { skip: kind !== 'sqlite' && 'a server locks rows' },
  async (t) => {
    const there = await startThere(t, { pollInterval: '1s', maxStaleness: '2s' })
    const { access, refresh } = await signUp()
    await sql.exec('begin immediate')
    const { status, tookMs } = await here.logout(refresh)
    t.equal(status, 503)
    t.ok(tookMs < mostWaitMs + slackMs())
    t.same([await here.lets(access), await there.lets(access)], [200, 200], 'readers do not wait for a writer')

    await sql.exec('rollback')
    t.equal((await here.logout(refresh)).status, 204)
    t.comment(`the lock was waited for ${Math.round(tookMs)} ms`)
    t.ok((await until(async () => (await there.lets(access)) === 401)) < 1000 + slackMs())
  }
)

/** Makes a process stand still; what it gives lets it go on. */
type Stall = (t: Test, there: Server) => Promise<() => void>

const stalls: Record<string, Stall> = {
  async 'whose event loop is blocked' (t, there) {
    const file = join(t.testdir({}), 'blocked')
    there.ask('POST', '/block', undefined, { file }).catch(() => {})
    await until(async () => existsSync(file))
    return () => rmSync(file)
  },
  async 'that is stopped' (_, there) {
    there.signal('SIGSTOP')
    return () => there.signal('SIGCONT')
  },
}

for (const [how, stall] of Object.entries(stalls)) {
  t.test(`a process ${how} for longer than maxStaleness lets no stale answer out`, async (t) => {
    const there = await startThere(t, { pollInterval: '1s', maxStaleness: '2s' })
    const { access, refresh } = await signUp()
    t.equal(await there.lets(access), 200)

    const goOn = await stall(t, there)
    const stalledAt = performance.now()
    await here.logout(refresh)
    const asked = Array.from({ length: 20 }, () => there.lets(access))
    await pause(stalledAt + 2100 - performance.now())
    goOn()
    t.same(new Set(await Promise.all(asked)), new Set([401]))
  })
}
