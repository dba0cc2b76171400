// On each database.
import { randomUUID } from 'node:crypto'
import diagnostics from 'node:diagnostics_channel'
import { EventEmitter } from 'node:events'
import { mock } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import type { SqlEntityManager } from '@mikro-orm/sqlite'
import type { FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import type { AccountsOptions } from '../../lib/index.ts'
import { bearer, build, buildOnFile, decode, password } from '../support/build.ts'
import { addEntries, addTrigger, dropTrigger, type Sql } from '../support/databases.ts'
import { letPass, until } from '../support/waiting.ts'

const silent = { logger: { level: 'silent' } }

/** Two apps that share a database, as two processes do, and Ada, who is signed in. */
async function twoApps (t: Test, options: (which: 'here' | 'there') => AccountsOptions = () => ({})) {
  const here = await buildOnFile(t, options('here'), silent)
  const there = await build(t, { ...options('there'), db: here.db }, silent)
  const tokens = await here.signUp()
  const letsIn = async (app: { get: typeof here.get }) => (await app.get('/guarded', tokens.access_token)).statusCode
  return { here, there, tokens, letsIn }
}

const minutes = 60_000
const revoked = { statusCode: 401, code: 'ACCOUNTS_TOKEN_REVOKED' }

/** The clock on the wall goes on by so much, and back when it is asked to. */
function stepClock (t: Test, ms: number): () => void {
  mock.timers.enable({ apis: ['Date'], now: Date.now() + ms })
  t.teardown(() => mock.timers.reset())
  return () => mock.timers.reset()
}

/** Time passes, by both clocks. The one on the wall has to be stopped. */
function goOn (t: Test, ms: number): void {
  letPass(t, ms)
  mock.timers.tick(ms)
}

/** Waits until the log has been read once more. */
async function nextRead (app: FastifyInstance): Promise<void> {
  const since = performance.now()
  await until(async () => (await app.accounts.check()).stalenessMs < performance.now() - since)
}

/** Looks at the log only when woken: `look` waits until what is new is known. */
function lookingWhenAsked () {
  let wake = () => {}
  const look = async ({ app }: Pick<Awaited<ReturnType<typeof build>>, 'app'>) => {
    wake()
    await nextRead(app)
  }
  const revocation: AccountsOptions['revocation'] = {
    pollInterval: '60s',
    maxStaleness: '300s',
    wake: (onMessage) => {
      wake = onMessage
    },
  }
  return { look, revocation }
}

t.test('the log has no end at 32 bits', async (t) => {
  const { look, revocation } = lookingWhenAsked()
  const { here, there, letsIn } = await twoApps(t, (which) => which === 'there' ? { revocation } : {})
  await addEntries(here.sql, 1, { from: 2 ** 40 })
  for (let round = 0; round < 2; round++) {
    const { access_token: access, refresh_token: token } = await here.signIn()
    t.equal((await here.post('/auth/logout', { refresh_token: token })).statusCode, 204)
    await look(there)
    t.equal((await there.get('/guarded', access)).statusCode, 401)
  }
  t.equal(await letsIn(here), 200)
  t.match(
    await here.sql.all('select revision from accounts_revoked_tokens order by revision'),
    [0, 1, 2].map((more) => ({ revision: 2 ** 40 + more }))
  )
})

t.test('each of two revocations is known after the next look at the log', async (t) => {
  const { look, revocation } = lookingWhenAsked()
  const { here, there } = await twoApps(t, (which) => which === 'there' ? { revocation } : {})
  for (let round = 0; round < 2; round++) {
    const { access_token: access, refresh_token: token } = await here.signIn()
    await here.post('/auth/logout', { refresh_token: token })
    await look(there)
    t.equal((await there.get('/guarded', access)).statusCode, 401)
  }
})

t.test('what one process revokes is refused by another after its next look at the log', async (t) => {
  const { here, there, tokens, letsIn } = await twoApps(t)
  t.same([await letsIn(here), await letsIn(there)], [200, 200])
  await here.post('/auth/logout', { refresh_token: tokens.refresh_token })
  t.equal(await letsIn(here), 401, 'in the same process at once')

  const ms = await until(async () => await letsIn(there) === 401)
  t.comment(`refused elsewhere after ${Math.round(ms)} ms`)
})

t.test("a message on a bus of the host's is answered by a look at the log", async (t) => {
  const bus = new EventEmitter()
  const wake = (onMessage: () => void) => {
    bus.on('revoked', onMessage)
    return () => { bus.emit('revoked') }
  }
  const { here, there, tokens, letsIn } = await twoApps(t, () => ({
    revocation: { pollInterval: '60s', maxStaleness: '300s', wake },
  }))
  t.equal(await letsIn(there), 200)
  await here.post('/auth/logout', { refresh_token: tokens.refresh_token })
  const ms = await until(async () => await letsIn(there) === 401)
  t.comment(`refused elsewhere after ${Math.round(ms)} ms`)
  for (let index = 0; index < 100; index++) bus.emit('revoked')
})

t.test('a bus that only listens, or is awaited, is one too', async (t) => {
  let message = () => {}
  const { here, there, tokens, letsIn } = await twoApps(t, (which) => ({
    revocation: {
      pollInterval: '60s',
      maxStaleness: '300s',
      ...(which === 'there' && {
        wake: async (onMessage) => {
          onMessage()
          message = onMessage
        },
      }),
    },
  }))
  t.equal(await letsIn(there), 200)
  await here.post('/auth/logout', { refresh_token: tokens.refresh_token })
  t.equal(await letsIn(there), 200)
  message()
  await until(async () => await letsIn(there) === 401)
})

t.test('a bus that cannot be joined keeps the app from starting', async (t) => {
  await t.rejects(build(t, { revocation: { wake: () => { throw new Error('no bus') } } }), { message: 'no bus' })
})

t.test('who has not read the log for maxStaleness lets nobody in until it is read', async (t) => {
  const { app, signUp, get, sql } = await buildOnFile(t, { revocation: { maxStaleness: '2s' } }, silent)
  app.get('/stateless', { preHandler: app.accounts.guard({ consistency: 'stateless' }) }, async () => 'in')
  const { access_token: token } = await signUp()
  t.equal((await get('/guarded', token)).statusCode, 200)

  await sql.exec('alter table accounts_revoked_tokens rename to gone')
  t.equal((await get('/guarded', token)).statusCode, 200, 'not too old yet')
  await until(async () => (await get('/guarded', token)).statusCode === 503)
  t.match((await get('/guarded', token)).json(), { code: 'ACCOUNTS_UNAVAILABLE' })
  t.equal((await get('/stateless', token)).statusCode, 200, 'a stateless guard asks nobody')
  t.match(await app.accounts.check(), { healthy: false, databaseMs: Number })

  await sql.exec('alter table gone rename to accounts_revoked_tokens')
  t.equal((await get('/guarded', token)).statusCode, 200, 'and it recovers by itself')
  t.match(await app.accounts.check(), { healthy: true, databaseMs: Number, revocations: 0 })
})

t.test('a process that was stalled lets no stale answer out', async (t) => {
  const asked: string[] = []
  const isRevoked = (claims: { sid: string }) => { asked.push(claims.sid); return false }
  for (const [maxStaleness, options] of [
    ['2s', {}],
    ['2s', { isRevoked }],
    ['5m', {}],
    ['5m', { isRevoked }],
  ] as const) {
    const { here, there, tokens, letsIn } = await twoApps(t, () => ({ ...options, revocation: { maxStaleness } }))
    t.equal(await letsIn(there), 200)
    await here.post('/auth/logout', { refresh_token: tokens.refresh_token })
    asked.length = 0

    // Both stand still, and no timer runs before the request does.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2100)
    t.equal(await letsIn(there), 401)
    t.same(asked, [], 'nor is the app asked of a session that is over')
  }
})

t.test('a process that begins later knows what was revoked before, however much it is', async (t) => {
  const { signUp, signIn, post, db, sql } = await buildOnFile(t)
  const first = await signUp()
  await post('/auth/logout', { refresh_token: first.refresh_token })
  await addEntries(sql, 12_000, { from: 2 })
  const last = await signIn()
  await post('/auth/logout', { refresh_token: last.refresh_token })

  const { app, get } = await build(t, { db })
  for (const { access_token: token } of [first, last]) t.equal((await get('/guarded', token)).statusCode, 401)
  t.match(await app.accounts.check(), { revocations: 12_002 })
})

t.test(
  'a process knows all that was revoked before it began, whatever the times say, and that is no news',
  async (t) => {
    const { db, sql } = await buildOnFile(t)
    await addEntries(sql, 2, { expiresAt: new Date(Date.now() - 100_000) })
    await addEntries(sql, 3, { from: 3, expiresAt: new Date(Date.now() + 100_000) })
    const { app } = await build(t, { db, access: { expiresIn: '1s' } })
    t.match(await app.accounts.check(), { revocations: 5 })
    t.equal(app.accounts.counters.revocationsRead, 0)
  }
)

t.test(
  'a process that begins while the clock is ahead lets no token in that was revoked, when it is right again',
  async (t) => {
    const { signUp, post, db } = await buildOnFile(t)
    const { access_token: token, refresh_token: refreshToken } = await signUp()
    await post('/auth/logout', { refresh_token: refreshToken })
    const stepBack = stepClock(t, 1_200_000)
    const { app, get } = await build(t, { db })
    await app.ready()
    stepBack()
    t.match((await get('/guarded', token)).json(), { code: 'ACCOUNTS_TOKEN_REVOKED' })
  }
)

t.test('what was revoked long before a process began is forgotten when no token can be alive for it', async (t) => {
  const { db, sql } = await buildOnFile(t)
  await addEntries(sql, 2, { expiresAt: new Date(Date.now() - 100_000) })
  const { app, signUp, post } = await build(t, { db, access: { expiresIn: '1s' } })
  t.match(await app.accounts.check(), { revocations: 2 })
  letPass(t, 62_000)
  stepClock(t, 62_000)
  await post('/auth/logout', { refresh_token: (await signUp()).refresh_token })
  t.match(await app.accounts.check(), { revocations: 1 })
})

t.test('what no token can be alive for is not remembered', async (t) => {
  const { app, signUp, signIn, post } = await build(t, { access: { expiresIn: '1s' } })
  await post('/auth/logout', { refresh_token: (await signUp()).refresh_token })
  t.match(await app.accounts.check(), { revocations: 1 })
  await nextRead(app)
  letPass(t, 62_000)
  stepClock(t, 62_000)
  await post('/auth/logout', { refresh_token: (await signIn()).refresh_token })
  t.match(await app.accounts.check(), { revocations: 1 })
})

t.test('what was revoked is remembered for as long as a leeway lets its tokens in', async (t) => {
  const { app, signUp, signIn, post } = await build(t, { access: { expiresIn: '1s' }, leeway: '60s' })
  await post('/auth/logout', { refresh_token: (await signUp()).refresh_token })
  letPass(t, 100_000)
  await post('/auth/logout', { refresh_token: (await signIn()).refresh_token })
  t.match(await app.accounts.check(), { revocations: 2 })
})

t.test('a clock that steps ahead and back brings no token back to life', async (t) => {
  const { signUp, signIn, post, get } = await build(t, { revocation: { pollInterval: '60s', maxStaleness: '300s' } })
  const { access_token: token, refresh_token: refreshToken } = await signUp()
  const other = await signIn()
  await post('/auth/logout', { refresh_token: refreshToken })
  const stepBack = stepClock(t, 1_200_000)
  await post('/auth/logout', { refresh_token: other.refresh_token })
  stepBack()
  t.equal((await get('/guarded', token)).statusCode, 401)
})

t.test('a clock that steps back brings no token back to life that was forgotten by then', async (t) => {
  const asked: string[] = []
  const isRevoked = (claims: { sid: string }) => { asked.push(claims.sid); return false }
  for (const options of [{}, { isRevoked }]) {
    const { app, signUp, signIn, post, get } = await build(t, options)
    const [first, ...others] = [await signUp(), await signIn(), await signIn()]
    await post('/auth/logout', { refresh_token: first.refresh_token })
    await nextRead(app)
    letPass(t, 17 * minutes)
    const stepBack = stepClock(t, 17 * minutes)
    await post('/auth/logout', { refresh_token: others[0]!.refresh_token })
    t.match(await app.accounts.check(), { revocations: 1 })
    stepBack()
    for (const { access_token: token } of [first, others[0]!]) t.match((await get('/guarded', token)).json(), revoked)
    t.equal((await get('/guarded', others[1]!.access_token)).statusCode, 200, 'who has not signed out stays')
    t.notOk(asked.includes(decode(first.access_token).payload.sid), 'nor is the app asked of a session that is over')
  }
})

t.test('a clock that has stepped back has what was revoked remembered for as long', async (t) => {
  const { app, signUp, signIn, post, get } = await build(t)
  const [first, second] = [await signUp(), await signIn()]
  await post('/auth/logout', { refresh_token: first.refresh_token })
  await nextRead(app)
  letPass(t, 17 * minutes)
  await post('/auth/logout', { refresh_token: second.refresh_token })
  await nextRead(app)
  stepClock(t, 14 * minutes)
  await post('/auth/logout', { refresh_token: (await signIn()).refresh_token })
  for (const { access_token: token } of [first, second]) t.match((await get('/guarded', token)).json(), revoked)
})

t.test(
  'a process whose clock is behind remembers what others revoke for as long as it takes tokens for good',
  async (t) => {
    const { look, revocation } = lookingWhenAsked()
    const { here, there, tokens } = await twoApps(t, (which) => (which === 'there' ? { revocation } : {}))
    await here.post('/auth/logout', { refresh_token: tokens.refresh_token })
    stepClock(t, -5 * minutes)
    await look(there)
    goOn(t, 17 * minutes)
    await there.post('/auth/logout', { refresh_token: (await there.signIn()).refresh_token })
    t.match((await there.get('/guarded', tokens.access_token)).json(), { code: 'ACCOUNTS_TOKEN_REVOKED' })
    t.match(await there.app.accounts.check(), { revocations: 2 })
    await look(there)
    goOn(t, 17 * minutes)
    await there.post('/auth/logout', { refresh_token: (await there.signIn()).refresh_token })
    t.match(await there.app.accounts.check(), { revocations: 1 }, 'and no longer')
  }
)

t.test('a clock that was 31 days ahead for a while takes no session away, and brings none back', async (t) => {
  const { app, signUp, signIn, post, get, refresh } = await build(t, { refresh: { expiresIn: '60d', maxAge: '60d' } })
  const logOut = (token: string) => post('/auth/logout', { refresh_token: token })
  const [ended, stays, ...others] = [await signUp(), await signIn(), await signIn(), await signIn()]
  await logOut(ended.refresh_token)
  await nextRead(app)
  const stepBack = stepClock(t, 31 * 24 * 60 * minutes)
  for (const { refresh_token: token } of others) {
    goOn(t, 17 * minutes)
    await logOut(token)
    await nextRead(app)
  }
  t.match(await app.accounts.check(), { revocations: 1 })
  stepBack()
  for (const { access_token: token } of [ended, ...others]) t.match((await get('/guarded', token)).json(), revoked)
  t.equal((await get('/guarded', stays.access_token)).statusCode, 200)
  const next = (await refresh(stays.refresh_token)).json()
  t.equal((await get('/guarded', next.access_token)).statusCode, 200)
  await logOut(next.refresh_token)
  t.match((await get('/guarded', next.access_token)).json(), { code: 'ACCOUNTS_TOKEN_REVOKED' })
})

t.test('what was revoked while the own clock was wrong is known when it is right again', async (t) => {
  const { look, revocation } = lookingWhenAsked()
  const { here, there, tokens, letsIn } = await twoApps(t, (which) => which === 'there' ? { revocation } : {})
  t.equal(await letsIn(there), 200)
  await here.app.accounts.users.setRoles(tokens.user.id, ['admin'])
  const stepBack = stepClock(t, 1_200_000)
  await look(there)
  stepBack()
  t.match((await there.get('/guarded', tokens.access_token)).json(), { user: { roles: ['admin'] } })
})

t.test('a machine that has slept asks before it lets anybody in', async (t) => {
  const { here, there, tokens, letsIn } = await twoApps(t, () => ({
    revocation: { pollInterval: '60s', maxStaleness: '300s' },
  }))
  t.equal(await letsIn(there), 200)
  await here.post('/auth/logout', { refresh_token: tokens.refresh_token })
  stepClock(t, 301_000)
  t.equal(await letsIn(there), 401)
})

t.test('what a process revokes whose tokens live shorter is over for as long as tokens live here', async (t) => {
  const { look, revocation } = lookingWhenAsked()
  const { here, there } = await twoApps(t, (which) =>
    which === 'there' ? { revocation, access: { expiresIn: '1h' } } : {}
  )
  const tokens = await there.signIn()
  await here.post('/auth/logout', { refresh_token: tokens.refresh_token })
  await look(there)
  stepClock(t, 1_800_000)
  letPass(t, 1_800_000)
  await there.app.accounts.revoke((await there.signIn()).access_token)
  await there.app.accounts.prune()
  const later = await build(t, { db: here.db, access: { expiresIn: '1h' } })
  for (const { get } of [there, later]) t.equal((await get('/guarded', tokens.access_token)).statusCode, 401)
})

for (const [what, end] of [
  [
    'session',
    async ({ app }, id) => {
      await app.accounts.sessions.revoke(id.session)
    },
  ],
  [
    'user',
    async ({ app }, id) => {
      await app.accounts.users.disable(id.user)
    },
  ],
] satisfies [
  string,
  (here: Awaited<ReturnType<typeof build>>, id: { session: string; user: string }) => Promise<void>
][]) {
  t.test(`a ${what} that ends while the user is read is over when the answer is there`, async (t) => {
    for (const [when, options] of [
      ['told meanwhile', {}],
      ['read for too long', { pollInterval: '60s', maxStaleness: '300s' }],
    ] as const) {
      const { here, there, tokens, letsIn } = await twoApps(t, () => ({ revocation: options }))
      const [began, done] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
      const client = (there.app.accounts.orm.em as SqlEntityManager).getConnection().getClient()
      const execute = client.executeQuery.bind(client)
      client.executeQuery = async (query) => {
        const result = await execute(query)
        if ((query as { sql: string }).sql.includes('accounts_users')) {
          began.resolve()
          await done.promise
        }
        return result as never
      }
      const asking = letsIn(there)
      await began.promise
      await end(here, { session: decode(tokens.access_token).payload.sid, user: tokens.user.id })
      if (when === 'told meanwhile') await until(async () => there.app.accounts.counters.revocationsRead > 0)
      else letPass(t, 301_000)
      done.resolve()
      t.equal(await asking, 401, when)
    }
  })
}

t.test("a bus of the host's is told of what ends, and of nothing else", async (t) => {
  let messages = 0
  const { signUp, signIn, post } = await build(t, { revocation: { wake: () => () => { messages++ } } })
  await signUp()
  const { refresh_token: token } = await signIn()
  t.equal(messages, 0)
  await post('/auth/logout', { refresh_token: token })
  t.equal(messages, 1)
})

t.test("a bus of the host's that fails is told to the log, and changes no answer", async (t) => {
  const lines: string[] = []
  const busses = [() => { throw new Error('no bus today') }, async () => { throw new Error('no bus today') }, undefined]
  const server = { logger: { level: 'error', stream: { write: (line: string) => { lines.push(line) } } } }
  for (const send of busses) {
    const { post, signUp, get } = await build(
      t,
      { revocation: { ...(send && { wake: () => send as () => void }) } },
      server
    )
    const { access_token: token, refresh_token: refreshToken } = await signUp()
    t.equal((await post('/auth/logout', { refresh_token: refreshToken })).statusCode, 204)
    t.equal((await get('/guarded', token)).statusCode, 401)
  }
  const line = /no bus today.*A message to other processes was not sent/
  t.match(lines, [line, line])
  t.equal(lines.length, 2, 'where there is none nothing is wrong')
})

t.test('a database that was put back from a backup is read anew', async (t) => {
  const { app, signUp, signIn, post, get, sql } = await buildOnFile(t)
  const { access_token: token } = await signUp()
  await post('/auth/logout', { refresh_token: (await signIn()).refresh_token })
  t.match((await get('/guarded', token)).json(), { user: { username: 'ada' } })
  await nextRead(app)

  await sql.exec("update accounts_users set username = 'Ada L.'; delete from accounts_revoked_tokens")
  await until(async () => (await get('/guarded', token)).json().user.username === 'Ada L.')
})

t.test('a replica that lagged and took over is noticed by its log, though it has as many entries', async (t) => {
  const { app, signUp, signIn, post, get, sql } = await buildOnFile(t)
  const { access_token: token } = await signUp()
  const { access_token: other } = await signIn()
  await post('/auth/logout', { refresh_token: (await signIn()).refresh_token })
  t.equal((await get('/guarded', other)).statusCode, 200)
  await nextRead(app)

  await sql.run('update accounts_revoked_tokens set id = ?, subject = ?', randomUUID(), decode(other).payload.sid)
  await until(async () => (await get('/guarded', other)).statusCode === 401)
  t.equal((await get('/guarded', token)).statusCode, 200)
  t.equal(app.accounts.counters.revocationsRead, 0, 'what it had before is no news')
})

/** The rows as they were before any session had ended, as a backup has them that was put back. */
async function undo (sql: Sql): Promise<void> {
  await sql.exec(`
    begin;
    update accounts_sessions set revoked_at = null, revoke_reason = null, gen = 0, floor_gen = 0;
    delete from accounts_revoked_tokens;
    update accounts_revision set revision = 0;
    commit;
  `)
}

const countEnded = async (sql: Sql) =>
  (await sql.get('select count(*) as n from accounts_sessions where revoked_at is not null'))!.n

t.test('what a backup brings back is ended for good by processes that knew, and nothing else is', async (t) => {
  const { here, there, tokens } = await twoApps(t, () => ({ events: { store: true } }))
  const { sql, db } = here
  const stays = await here.signIn()
  const others = [await here.signIn(), await here.signIn()]
  await here.app.accounts.revoke(others[0]!.access_token)
  const gone = [tokens, ...others]
  for (const { refresh_token: token } of gone) await here.post('/auth/logout', { refresh_token: token })
  for (const { app } of [here, there]) await nextRead(app)
  await sql.exec('delete from accounts_events; ')
  await undo(sql)

  await until(async () => await countEnded(sql) === gone.length)
  for (const { app } of [here, there]) await nextRead(app)
  const ids = gone.map(({ access_token: token }) => decode(token).payload.sid).sort()
  t.match(await sql.all('select subject, kind, epoch from accounts_revoked_tokens order by subject'),
    ids.map((subject) => ({ subject, kind: 'session', epoch: null })), 'each once')
  t.match(await sql.all('select type, session_id, user_id, reason from accounts_events order by session_id'),
    ids.map((id) => ({ type: 'logout', session_id: id, user_id: tokens.user.id, reason: 'restore' })))
  t.match(await sql.all('select id, revoke_reason from accounts_sessions where revoked_at is not null order by id'),
    ids.map((id) => ({ id, revoke_reason: 'restore' })))

  const begun = await build(t, { db })
  for (const { access_token: access, refresh_token: refresh } of gone) {
    t.match((await begun.get('/guarded', access)).json(), revoked)
    t.match((await begun.refresh(refresh)).json(), revoked)
  }
  for (const { get, refresh } of [here, there, begun]) {
    t.equal((await get('/guarded', (await refresh(stays.refresh_token)).json().access_token)).statusCode, 200)
  }
})

t.test('what is lost before the process that wrote it has read it is written again too', async (t) => {
  const { look, revocation } = lookingWhenAsked()
  const { app, signUp, signIn, post, sql } = await buildOnFile(t, { revocation })
  const [first, second] = [await signUp(), await signIn()]
  await post('/auth/logout', { refresh_token: first.refresh_token })
  await undo(sql)
  await look({ app })
  await until(async () => await countEnded(sql) === 1)
  await post('/auth/logout', { refresh_token: second.refresh_token })
  await look({ app })
  t.same((await sql.all('select subject from accounts_revoked_tokens order by revision')).map(({ subject }) => subject),
    [first, second].map(({ access_token: token }) => decode(token).payload.sid))
})

t.test('tokens that a proof of who one is has made void stay void, and the session goes on', async (t) => {
  const { app, signUp, signIn, post, refresh, sql, db } = await buildOnFile(t)
  const [before, other] = [await signUp(), await signIn()]
  const after = (await post('/auth/reauthenticate', { password }, before.access_token)).json()
  await nextRead(app)
  await undo(sql)
  await until(async () => (await sql.get('select max(floor_gen) as floor from accounts_sessions'))!.floor === 1000)
  t.equal(await countEnded(sql), 0)

  const begun = await build(t, { db })
  t.match((await begun.get('/guarded', before.access_token)).json(), { code: 'ACCOUNTS_TOKEN_SUPERSEDED' })
  t.match((await begun.refresh(before.refresh_token)).json(), { code: 'ACCOUNTS_TOKEN_SUPERSEDED' })
  for (const { refresh_token: token } of [after, other]) t.equal((await begun.refresh(token)).statusCode, 200)
  const again = (await begun.post('/auth/reauthenticate', { password }, after.access_token)).json()
  t.match((await begun.get('/guarded', after.access_token)).json(), { code: 'ACCOUNTS_TOKEN_SUPERSEDED' })
  t.equal((await refresh(again.refresh_token)).statusCode, 200)
})

t.test('a database that takes nothing yet is asked again, and the log says so', async (t) => {
  const lines: string[] = []
  const server = { logger: { level: 'warn', stream: { write: (line: string) => { lines.push(line) } } } }
  const { app, signUp, post, get, sql } = await buildOnFile(t, {}, server)
  const { access_token: access, refresh_token: token } = await signUp()
  await post('/auth/logout', { refresh_token: token })
  await nextRead(app)
  await undo(sql)
  await addTrigger(sql, 'before insert', 'accounts_revoked_tokens', 'fail')
  await until(() => lines.some((line) => line.includes('cannot be written again yet')))
  t.equal(await countEnded(sql), 0)
  t.match((await get('/guarded', access)).json(), revoked, 'and guards go on meanwhile')
  await dropTrigger(sql, 'accounts_revoked_tokens')
  await until(async () => await countEnded(sql) === 1)
  await until(() => lines.some((line) => /"sessions":1.*it is written again/.test(line)))
})

t.test('what other processes revoke is told on a channel, once, with its lag', async (t) => {
  const heard: { lagMs: number }[] = []
  const listen = (event: unknown) => { heard.push(event as { lagMs: number }) }
  diagnostics.subscribe('fastify-jwt-accounts:revocations', listen)
  t.teardown(() => diagnostics.unsubscribe('fastify-jwt-accounts:revocations', listen))
  const { here, there } = await twoApps(t)

  for (const count of [1, 2]) {
    await here.post('/auth/logout', { refresh_token: (await here.signIn()).refresh_token })
    await until(async () => heard.length >= count)
  }
  t.match(heard, Array(2).fill({ instance: 'accounts', entries: 1, lagMs: Number }))
  for (const { lagMs } of heard) t.ok(lagMs >= 0 && lagMs < 60_000, `${lagMs} ms`)
  t.same([here, there].map(({ app }) => app.accounts.counters.revocationsRead), [0, 2])
})

t.test('an app that is closed looks at the log no more', async (t) => {
  const lines: string[] = []
  const { app } = await build(
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
  await app.close()
  lines.length = 0
  await pause(1500)
  t.strictSame(lines, [])
})

t.test(
  'the log tells from which epoch on the tokens of a user are good, and beside it of each session that goes on',
  async (t) => {
    const { app, signUp, sql } = await buildOnFile(t)
    const {
      user: { id },
      access_token: access,
    } = await signUp()
    await app.accounts.users.disable(id)
    await app.accounts.sessions.revokeAll(id)
    t.match(await sql.all('select kind, subject, epoch from accounts_revoked_tokens order by revision'), [
      { kind: 'session', subject: decode(access).payload.sid, epoch: null },
      ...[1, 2].map((epoch) => ({ kind: 'user', subject: id, epoch })),
    ])
  }
)

t.test('whatever ends all sessions of a user, each has its entry', async (t) => {
  const ends: ((app: FastifyInstance, id: string, access: string) => Promise<unknown>)[] = [
    (app, id) => app.accounts.sessions.revokeAll(id),
    (app, id) => app.accounts.users.disable(id),
    (app, id) => app.accounts.users.setPassword(id, `${password} of another`),
    (app, id) => app.accounts.users.delete(id),
    (app, id) => app.accounts.orm.em.fork().transactional((em) => app.accounts.users.delete(id, { em })),
    (app, _, access) => app.inject({ method: 'DELETE', url: '/auth/me', headers: bearer(access) }),
  ]
  for (const end of ends) {
    const { app, signUp, signIn, sql } = await buildOnFile(t)
    const { user: { id }, ...first } = await signUp()
    const both = [first, await signIn()].map(({ access_token: token }) => decode(token).payload.sid)
    await end(app, id, first.access_token)
    const entries = await sql.all("select subject, epoch from accounts_revoked_tokens where kind = 'session'")
    t.strictSame(entries.map(({ subject }) => subject).sort(), both.sort())
    t.ok(entries.every(({ epoch }) => epoch === null))
  }
})

t.test('the log tells of a floor, which the session goes on with, in every process', async (t) => {
  const { app, db, signUp, post, get, sql } = await buildOnFile(t)
  const another = await build(t, { db })
  const { access_token: first } = await signUp()
  const { access_token: second } = (await post('/auth/reauthenticate', { password }, first)).json()
  const { access_token: third } = (
    await app.inject({
      method: 'PUT',
      url: '/auth/password',
      headers: bearer(second),
      payload: { current_password: password, new_password: `${password}!` },
    })
  ).json()
  const { sid, sub } = decode(first).payload
  t.match(await sql.all('select kind, subject, epoch from accounts_revoked_tokens order by revision'), [
    { kind: 'session', subject: sid, epoch: 1000 },
    { kind: 'session', subject: sid, epoch: 2000 },
    { kind: 'user', subject: sub, epoch: 1 },
  ])
  await until(async () => (await another.get('/guarded', second)).json().code === 'ACCOUNTS_TOKEN_SUPERSEDED')
  const begun = await build(t, { db })
  for (const { get } of [another, begun]) {
    for (const old of [first, second]) { t.match((await get('/guarded', old)).json(), { code: 'ACCOUNTS_TOKEN_SUPERSEDED' }) }
    t.equal((await get('/guarded', third)).statusCode, 200)
  }
  await post('/auth/logout', undefined, third)
  for (const token of [first, third]) t.match((await get('/guarded', token)).json(), { code: 'ACCOUNTS_TOKEN_REVOKED' })
})

t.test('of two revocations of a token only one is written', async (t) => {
  const { app, signUp, sql, get } = await buildOnFile(t)
  const { access_token: token } = await signUp()
  await app.accounts.revoke(token)
  await app.accounts.revoke(token)
  t.equal((await get('/guarded', token)).statusCode, 401)
  t.match(await sql.all('select kind, subject from accounts_revoked_tokens'), [
    { kind: 'token', subject: decode(token).payload.jti },
  ])
})
