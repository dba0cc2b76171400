// On each database.
import { mock } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import type { FastifyReply } from 'fastify'
import { test, type Test } from 'tap'
import type { AccountsOptions } from '../../../lib/index.ts'
import { bearer, build, buildOnFile, password } from '../../support/build.ts'
import { freshDatabase, kind, open } from '../../support/databases.ts'
import { migratedDatabase } from '../../support/spares.ts'
import { until } from '../../support/waiting.ts'
import { buildWithKeys } from './with-keys.ts'

const revoked = { statusCode: 401, code: 'ACCOUNTS_TOKEN_REVOKED' }

test('a user who is disabled has no keys any more, also once they are let in again', async (t) => {
  const { ada, app, get, makeKey, signIn } = await buildWithKeys(t)
  const { key } = await makeKey()
  t.equal((await get('/keyed', key)).statusCode, 200)
  await app.accounts.users.disable(ada.user.id)
  for (const path of ['/keyed', '/strict-keyed']) t.match((await get(path, key)).json(), revoked)
  await app.accounts.users.enable(ada.user.id)
  for (const path of ['/keyed', '/strict-keyed']) t.match((await get(path, key)).json(), revoked)
  t.strictSame((await get('/auth/keys', (await signIn()).access_token)).json(), { keys: [] })
})

test('a user who is deleted has none either', async (t) => {
  const { ada, app, get, makeKey } = await buildWithKeys(t)
  const [known, unknown] = [await makeKey(), await makeKey()]
  t.equal((await get('/keyed', known.key)).statusCode, 200)
  await app.accounts.users.delete(ada.user.id)
  t.match((await get('/keyed', known.key)).json(), revoked)
  t.match((await get('/keyed', unknown.key)).json(), { code: 'ACCOUNTS_TOKEN_INVALID' })
})

test('an account that is about to be deleted has no keys, and does not get them back', async (t) => {
  const { ada, app, get, makeKey, ofKey } = await buildWithKeys(t, { closing: { grace: '30d' } })
  const { key } = await makeKey()
  t.equal((await get('/keyed', key)).statusCode, 200)
  await app.accounts.users.close(ada.user.id)
  t.match((await get('/keyed', key)).json(), revoked)
  await app.accounts.users.restore(ada.user.id)
  t.match((await get('/keyed', key)).json(), revoked)
  t.equal((await ofKey('GET', '')).statusCode, 401)
})

test('a disabled user, and one who is about to go, gets no key from code', async (t) => {
  const { app } = await buildWithKeys(t, { closing: { grace: '30d' } })
  const { keys, users } = app.accounts
  const make = (id: string) => keys.create(id, { name: 'CI' })
  const [bob, eve] = [await users.create({ username: 'bob' }), await users.create({ username: 'eve' })]
  await users.disable(bob.id)
  await users.close(eve.id)
  for (const id of [bob.id, eve.id, 'nobody', '019c2a64-6f3e-7b42-9c39-5d6bb1a3f0d1']) {
    await t.rejects(make(id), { code: 'ACCOUNTS_NOT_FOUND' })
  }
})

test('another password, and a logout everywhere, leave keys alone', async (t) => {
  const { ada, app, get, makeKey } = await buildWithKeys(t)
  const { key } = await makeKey()
  await app.inject({
    method: 'PUT',
    url: '/auth/password',
    headers: bearer(ada.access_token),
    payload: { current_password: password, new_password: 'another battery of horses' },
  })
  await app.accounts.sessions.revokeAll(ada.user.id)
  for (const path of ['/keyed', '/strict-keyed']) t.equal((await get(path, key)).statusCode, 200)
})

/** Requests by a key whose answers are open, and the signals of them. */
async function streaming (t: Test, options: AccountsOptions = {}) {
  const begun: { signal: AbortSignal, reply: FastifyReply }[] = []
  const built = await buildWithKeys(t, options, (app) =>
    app.get('/stream', { preHandler: app.accounts.guard({ keys: true }) }, ({ auth: { signal } }, reply) => {
      begun.push({ signal, reply })
    }))
  t.teardown(() => begun.forEach(({ reply }) => reply.send('over')))

  return {
    ...built,
    async begin (key: string) {
      const before = begun.length
      built.get('/stream', key).catch(() => {})
      await until(() => begun.length > before)
      const { signal } = begun[before]!
      return { signal, reason: () => (signal.reason as { code?: string } | undefined)?.code }
    },
  }
}

test('a signal fires when its key ends, or its user is no more let in', async (t) => {
  const { ada, app, begin, makeKey, ofKey } = await streaming(t)
  const [one, other] = [await makeKey(), await makeKey()]
  const [first, second] = [await begin(one.key), await begin(other.key)]
  await ofKey('DELETE', `/${one.id}`)
  t.equal(first.reason(), 'ACCOUNTS_TOKEN_REVOKED')
  t.equal(second.signal.aborted, false)
  await app.accounts.users.disable(ada.user.id)
  t.equal(second.reason(), 'ACCOUNTS_TOKEN_REVOKED')
})

/** The clock is looked at about once a second. */
const pastALook = () => pause(1100)

test('a signal fires when a key that was rotated is over, and not before', async (t) => {
  const { begin, makeKey, ofKey } = await streaming(t)
  mock.timers.enable({ apis: ['Date'], now: Date.now() })
  t.teardown(() => mock.timers.reset())
  const { id, key } = await makeKey()
  const before = await begin(key)
  const rotated = (await ofKey('POST', `/${id}/rotate`, { overlap: 60 })).json()
  const after = await begin(rotated.key)
  mock.timers.tick(59_000)
  await pastALook()
  t.equal(before.signal.aborted, false)
  mock.timers.tick(1000)
  await until(() => before.signal.aborted)
  t.equal(before.reason(), 'ACCOUNTS_TOKEN_EXPIRED')
  t.equal(after.signal.aborted, false)

  await ofKey('POST', `/${id}/rotate`, { overlap: 0 })
  await until(() => after.signal.aborted)
  t.equal(after.reason(), 'ACCOUNTS_TOKEN_EXPIRED')
})

test('a signal is one, and asks for the reply', async (t) => {
  const { app, begin, makeKey } = await streaming(t)
  const { key } = await makeKey()
  const { signal } = await begin(key)
  t.equal(signal.aborted, false)
  const request = { headers: bearer(key), ip: '192.0.2.7' } as never as Parameters<typeof app.authenticate>[0]
  await app.accounts.guard({ keys: true })(request)
  t.throws(() => request.auth.signal, { code: 'ACCOUNTS_OPTIONS_INVALID' })
  t.match(request.auth, { fresh: false })
})

test('what one process ends another refuses once it has read the log', async (t) => {
  const db = kind === 'sqlite' ? await freshDatabase(t) : await migratedDatabase(t, kind)
  const revocation = { pollInterval: '1s', maxStaleness: '5s' } as const
  const { get, makeKey, ofKey } = await buildWithKeys(t, { db, revocation })
  const other = await keyed(t, db, revocation)
  const [one, rotated] = [await makeKey(), await makeKey()]
  for (const { key } of [one, rotated]) {
    t.equal((await get('/keyed', key)).statusCode, 200)
    t.equal((await other.get('/keyed', key)).statusCode, 200)
  }
  await ofKey('DELETE', `/${one.id}`)
  const next = (await ofKey('POST', `/${rotated.id}/rotate`, { overlap: 0 })).json()
  t.equal((await other.get('/keyed', next.key)).statusCode, 200, 'what is new is read at once')
  await until(async () => (await other.get('/keyed', one.key)).statusCode === 401)
  await until(async () => (await other.get('/keyed', rotated.key)).statusCode === 401)
  t.match((await other.get('/keyed', one.key)).json(), revoked)
  t.equal((await other.get('/keyed', next.key)).statusCode, 200)
})

/** Another process of an app, with a route that takes keys. */
async function keyed (t: Test, db: string, revocation: AccountsOptions['revocation']) {
  const built = await build(t, { db, keys: { scopes: ['orders:read', 'orders:write'] }, revocation: revocation! })
  built.app.get('/keyed', { preHandler: built.app.accounts.guard({ keys: true }) }, async ({ user }) => user)
  return built
}

test('the end of a key that the database has lost is written again by who knows it', async (t) => {
  const lines: string[] = []
  const server = { logger: { level: 'warn', stream: { write: (line: string) => { lines.push(line) } } } }
  const { app, post, signIn, signUp, get, sql } = await buildOnFile(t, { keys: true }, server)
  app.get('/keyed', { preHandler: app.accounts.guard({ keys: true, consistency: 'strict' }) }, async () => 'in')
  const { access_token: token } = await signUp()
  const { id, key } = (await post('/auth/keys', { name: 'CI' }, token)).json()
  t.equal((await get('/keyed', key)).statusCode, 200)
  await app.inject({ method: 'DELETE', url: `/auth/keys/${id}`, headers: bearer(token) })
  const since = performance.now()
  await until(async () => (await app.accounts.check()).stalenessMs < performance.now() - since)

  await post('/auth/logout', { refresh_token: (await signIn()).refresh_token })
  await until(async () => (await app.accounts.check()).stalenessMs < performance.now() - since)
  await sql.run('update accounts_keys set revoked_at = null')
  await sql.run('delete from accounts_revoked_tokens')
  t.match((await get('/keyed', key)).json(), revoked, 'what is known stays true')
  await until(async () => (await sql.get('select revoked_at from accounts_keys'))!.revoked_at !== null)
  await until(() => lines.some((line) => line.includes('the end of API keys')))
  t.match((await get('/keyed', key)).json(), revoked)
})

test('when a key was last used is written once a minute, and when the app ends', async (t) => {
  const db = kind === 'sqlite' ? await freshDatabase(t) : await migratedDatabase(t, kind)
  const { app, get, makeKey, ofKey } = await buildWithKeys(t, { db })
  const [one, other] = [await makeKey(), await makeKey()]
  mock.timers.enable({ apis: ['setTimeout'] })
  t.teardown(() => mock.timers.reset())
  for (const { key } of [one, one]) await get('/keyed', key)
  const sql = open(db)
  t.teardown(() => sql.close())
  const used = () => sql.all('select last_used_at, last_used_ip from accounts_keys order by id')
  t.match(await used(), [{ last_used_at: null }, { last_used_at: null }])
  mock.timers.tick(60_000)
  mock.timers.reset()
  await until(async () => (await used())[0]!.last_used_at !== null)
  t.match(await used(), [{ last_used_at: Number, last_used_ip: '127.0.0.1' }, { last_used_at: null }])
  const listed = (await ofKey('GET', '')).json()
  t.match(listed.keys, [{ last_used_at: /T.*Z$/, last_used_ip: '127.0.0.1' }, { last_used_at: null }])

  await get('/keyed', other.key)
  await app.close()
  t.match((await used())[1], { last_used_at: Number })
})
