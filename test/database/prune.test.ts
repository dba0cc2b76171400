// On each database.
import os from 'node:os'
import { mock } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { build, buildOnFile } from '../support/build.ts'
import { addEntries, kind, type Sql } from '../support/databases.ts'
import { letPass } from '../support/waiting.ts'

const day = 86_400_000

/** The clock on the wall is wrong by so much, until it is put right. */
function putClock (t: Test, ms: number): () => void {
  const { now } = Date
  const clock = mock.method(Date, 'now', () => now() + ms)
  t.teardown(() => clock.mock.restore())
  return () => clock.mock.restore()
}

const countOf = async (table: string, sql: Sql) => (await sql.get(`select count(*) as n from ${table}`))!.n

t.test('what no token can be alive for is deleted, and nothing else', async (t) => {
  const { app, signUp, signIn, post, refresh, sql } = await buildOnFile(t, {
    refresh: { expiresIn: '1d', maxAge: '2d' },
  })
  await post('/auth/logout', { refresh_token: (await signUp()).refresh_token })
  await signIn()
  t.same(await app.accounts.prune(), { sessions: 0, revocations: 0, throttle: 0, events: 0, spent: 0 })

  mock.timers.enable({ apis: ['Date'], now: Date.now() + day - 60_000 })
  t.teardown(() => mock.timers.reset())
  const late = await signIn()
  mock.timers.tick(120_001)
  t.same(await app.accounts.prune(), { sessions: 2, revocations: 1, throttle: 0, events: 0, spent: 0 })
  t.equal((await refresh(late.refresh_token)).statusCode, 200)
  t.same([await countOf('accounts_sessions', sql), await countOf('accounts_revoked_tokens', sql)], [1, 0])
})

t.test('a row of the app’s that refers to an old session holds up nothing but the sessions', async (t) => {
  const { app, signUp, post, sql } = await buildOnFile(t)
  await post('/auth/logout', { refresh_token: (await signUp()).refresh_token })
  const { id } = (await sql.get('select id from accounts_sessions'))!
  const session = {
    sqlite: 'text',
    postgresql: 'uuid',
    mariadb: 'varchar(36) character set utf8mb4 collate utf8mb4_bin',
  }[kind]
  await sql.exec(
    `create table devices (id int primary key, session ${session} not null, foreign key (session) references accounts_sessions (id)); `
  )
  await sql.run('insert into devices values (?, ?)', 1, id)
  await sql.run('update accounts_sessions set refresh_expires_at = ?, expires_day = 0', new Date(0))
  await sql.run('update accounts_revoked_tokens set expires_at = ?, created_at = ?', new Date(0), new Date(0))
  await t.rejects(app.accounts.prune(), { code: 'ACCOUNTS_CONSTRAINT_VIOLATED' })
  t.same([await countOf('accounts_sessions', sql), await countOf('accounts_revoked_tokens', sql)], [1, 0])
  await sql.run('delete from devices')
  t.match(await app.accounts.prune(), { sessions: 1 })
})

t.test('what a process revokes whose tokens live longer is kept for as long as those', async (t) => {
  const { signUp, post, db } = await buildOnFile(t, { access: { expiresIn: '1h' } })
  const { app } = await build(t, { db, access: { expiresIn: '1s' } })
  await post('/auth/logout', { refresh_token: (await signUp()).refresh_token })
  mock.timers.enable({ apis: ['Date'], now: Date.now() + 3_600_000 })
  t.teardown(() => mock.timers.reset())
  t.match(await app.accounts.prune(), { revocations: 0 })
  mock.timers.tick(600_000)
  t.match(await app.accounts.prune(), { revocations: 1 })
})

t.test('much is deleted in batches, and two who prune at once do it once', async (t) => {
  const { app, signUp, sql } = await buildOnFile(t)
  await signUp()
  await addEntries(sql, 1000, { expiresAt: new Date(0) })
  const [first, second] = await Promise.all([app.accounts.prune(), app.accounts.prune()])
  t.same(first, { sessions: 0, revocations: 1000, throttle: 0, events: 0, spent: 0 })
  t.same(second, first)
})

t.test('it is done by itself, and the option says how often', async (t) => {
  const { signUp, sql } = await buildOnFile(t, { prune: { interval: '1s' } })
  await signUp()
  await addEntries(sql, 1, { expiresAt: new Date(0) })
  while (await countOf('accounts_revoked_tokens', sql) > 0) await pause(20)
})

t.test('a prune that fails is told to the log, and tried again', async (t) => {
  const lines: string[] = []
  const { sql } = await buildOnFile(
    t,
    { prune: { interval: '1s' } },
    {
      logger: {
        level: 'warn',
        stream: {
          write: (line: string) => {
            lines.push(line)
          },
        },
      },
    }
  )
  await addEntries(sql, 1, { expiresAt: new Date(0) })
  await sql.run('alter table accounts_sessions rename to gone')
  while (!lines.some((line) => line.includes('could not be pruned'))) await pause(20)
  await sql.exec('alter table gone rename to accounts_sessions')
  while (await countOf('accounts_revoked_tokens', sql) > 0) await pause(20)
})

t.test('an app that closes does not wait for the end of a long prune', async (t) => {
  const { app, signUp, sql } = await buildOnFile(t, { prune: { interval: 0 } })
  await signUp()
  await addEntries(sql, 20_000, { expiresAt: new Date(0) })
  const pruning = app.accounts.prune()
  await app.close()
  t.ok((await pruning).revocations < 20_000)
})

for (const [how, ms] of [
  ['20 minutes ahead', 1_200_000],
  ['31 days ahead', 31 * day],
  ['2 hours behind', -7_200_000],
] as const) {
  t.test(`a process whose clock is ${how} prunes nothing, and says so`, async (t) => {
    const lines: string[] = []
    const { app, db, signUp, signIn, post, refresh } = await buildOnFile(
      t,
      {},
      {
        logger: {
          level: 'warn',
          stream: {
            write: (line: string) => {
              lines.push(line)
            },
          },
        },
      }
    )
    const ended = await signUp()
    const living = await signIn()
    await post('/auth/logout', { refresh_token: ended.refresh_token })

    const putRight = putClock(t, ms)
    const words = /Nothing is pruned\. The clock of this process is \d+\.\d s (ahead of|behind) the /
    await t.rejects(app.accounts.prune(), { code: 'ACCOUNTS_UNAVAILABLE', message: words })
    t.match(lines, [words])
    const { healthy, clockSkewMs } = await app.accounts.check()
    t.ok(healthy)
    t.ok(Math.abs(clockSkewMs! - ms) < 10_000, `${clockSkewMs} ms`)

    putRight()
    t.equal((await refresh(living.refresh_token)).statusCode, 200)
    const later = await build(t, { db })
    t.match((await later.get('/guarded', ended.access_token)).json(), { code: 'ACCOUNTS_TOKEN_REVOKED' })
    t.same(await app.accounts.prune(), { sessions: 0, revocations: 0, throttle: 0, events: 0, spent: 0 })
  })
}

t.test('a clock that is off by less than a minute prunes', async (t) => {
  const { app, sql, db } = await buildOnFile(t)
  for (const ms of [-50_000, 50_000]) {
    await addEntries(sql, 1, { expiresAt: new Date(0) })
    const putRight = putClock(t, ms)
    t.match(await app.accounts.prune(), { revocations: 1 }, db)
    putRight()
  }
})

t.test('what is old by a clock that was put ahead together with its database stays', async (t) => {
  const { app, sql } = await buildOnFile(t, {}, { logger: { level: 'silent' } })
  await addEntries(sql, 1, { expiresAt: new Date(Date.now() - 1_200_000) })
  const { uptime } = os
  letPass(t, -3_600_000)
  t.teardown(() => mock.restoreAll())
  mock.method(os, 'uptime', () => uptime() - 3600)
  if (kind === 'sqlite') await t.rejects(app.accounts.prune(), { code: 'ACCOUNTS_UNAVAILABLE' })
  else t.match(await app.accounts.prune(), { revocations: 0 })
  t.equal(await countOf('accounts_revoked_tokens', sql), 1)
})

t.test('a machine that has slept prunes', async (t) => {
  const { app } = await build(t, { db: ':memory:' })
  const { uptime } = os
  t.teardown(() => mock.restoreAll())
  mock.method(os, 'uptime', () => uptime() + 3600)
  putClock(t, 3_600_000)
  t.match(await app.accounts.prune(), { sessions: 0 })
  const { clockSkewMs } = await app.accounts.check()
  t.ok(Math.abs(clockSkewMs!) < 5000, `${clockSkewMs} ms`)
})

t.test('health tells of the database and of the log, and never throws', async (t) => {
  const { app, sql } = await buildOnFile(t, {}, { logger: { level: 'silent' } })
  const { healthy, databaseMs, stalenessMs, revocations, clockSkewMs } = await app.accounts.check()
  t.same({ healthy, revocations }, { healthy: true, revocations: 0 })
  t.ok(Math.abs(clockSkewMs!) < 10_000)
  t.ok(databaseMs! > 0 && stalenessMs >= 0)
  await sql.exec('alter table accounts_revision rename to gone')
  t.match(await app.accounts.check(), { healthy: false, databaseMs: null })
})

t.test('a process that was stalled just now is healthy if it can read the log', async (t) => {
  const { app } = await build(t, { revocation: { pollInterval: '60s', maxStaleness: '300s' } })
  letPass(t, 60_001)
  const { healthy, stalenessMs } = await app.accounts.check()
  t.ok(healthy)
  t.ok(stalenessMs < 60_000, 'it was read')
})
