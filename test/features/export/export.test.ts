// On each database.
import { randomUUID } from 'node:crypto'
import t from 'tap'
import accounts from '../../../lib/index.ts'
import { bearer, build, buildOnFile, cheap, client, emptyDatabase, secret } from '../../support/build.ts'
import { Fastify } from '../../support/fastify.ts'

t.test('somebody gets a copy of all that is kept of them, and of nobody else', async (t) => {
  const { app, get, signUp, signIn } = await build(t, {
    events: { store: true },
    hooks: { onExport: async ({ username }) => ({ books: [`${username}'s`], gone: undefined }) },
  })
  await signUp('eve')
  await signUp()
  const { access_token: token, user } = await signIn()
  const answer = await get('/auth/me/export', token)
  t.equal(answer.statusCode, 200)
  t.match(answer.headers, {
    'content-type': 'application/json; charset=utf-8',
    'content-disposition': 'attachment; filename="account.json"',
    'cache-control': 'no-store',
  })
  const file = answer.json()
  t.strictSame(Object.keys(file), ['user', 'sessions', 'events', 'app'])
  t.match(file.user, { id: user.id, username: 'ada', created_at: /^2/, email_verified_at: null })
  t.equal(file.sessions.length, 2)
  t.strictSame(Object.keys(file.sessions[0]), ['id', 'created_at', 'last_used_at', 'user_agent', 'ip', 'borrowed', 'data'])
  t.strictSame(file.events.map(({ type }: { type: string }) => type), ['register', 'login', 'exported'])
  t.strictSame(file.app, { books: ["ada's"] })
  t.notMatch(answer.body, /argon2|salt|hash|"eve"/)
  t.ok(app)
})

t.test('without a table of events and a hook there is nothing of either', async (t) => {
  const { get, signUp } = await build(t)
  const { access_token: token } = await signUp()
  t.match((await get('/auth/me/export', token)).json(), { events: [], app: null })
})

t.test('many events come in pages', async (t) => {
  const { get, signUp, sql } = await buildOnFile(t, { events: { store: true } })
  const { access_token: token, user } = await signUp()
  for (let made = 0; made < 999; made++) {
    await sql.run('insert into accounts_events (id, type, user_id, created_at) values (?, ?, ?, ?)',
      randomUUID(), 'login', user.id, new Date())
  }
  const { events } = (await get('/auth/me/export', token)).json()
  t.equal(new Set(events.map(({ id }: { id: string }) => id)).size, 1001)
})

t.test('it asks for a password that was given just now, and for a token of somebody who is there', async (t) => {
  const { app, get, signUp } = await build(t)
  const { user } = await signUp()
  const stale = await app.accounts.issueTokens(user.id)
  t.match((await get('/auth/me/export', stale.access_token)).json(), { code: 'ACCOUNTS_TOKEN_STALE' })
  t.equal((await app.inject({ url: '/auth/me/export', headers: bearer('x') })).statusCode, 401)
})

t.test('a hook that refuses is the answer', async (t) => {
  const { get, signUp } = await build(t, {
    hooks: { onExport: () => { throw Object.assign(new Error('Tomorrow'), { statusCode: 403 }) } },
  })
  const { access_token: token } = await signUp()
  t.match((await get('/auth/me/export', token)).json(), { statusCode: 403, message: 'Tomorrow' })
})

t.test('somebody who is deleted once their token was checked gets nothing', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  app.addHook('preHandler', async ({ user }) => { if (user) await app.accounts.users.delete(user.id) })
  await app.register(accounts, { db: await emptyDatabase(t), secret, password: cheap })
  const { get, signUp } = client(app)
  const { access_token: token } = await signUp()
  t.match((await get('/auth/me/export', token)).json(), { statusCode: 401, code: 'ACCOUNTS_TOKEN_REVOKED' })
})
