// On each database.
import diagnostics from 'node:diagnostics_channel'
import { mock } from 'node:test'
import { Type } from '@sinclair/typebox'
import t, { type Test } from 'tap'
import { Event } from '../../lib/events/entity.ts'
import type { AccountsOptions, RefreshClaims } from '../../lib/index.ts'
import { bearer, buildOnFile, decode, password } from '../support/build.ts'
import { addTrigger, dropTrigger } from '../support/databases.ts'

const types = [
  'register',
  'login',
  'login-failed',
  'logout',
  'password-changed',
  'reuse',
  'roles-changed',
  'user-disabled',
  'user-enabled',
  'user-changed',
  'user-deleted',
  'closed',
  'reauthenticated',
  'token-revoked',
] as const
const userAgent = 'Ada’s browser\n\u0000'
const silent = { logger: { level: 'silent' } }

/** All that is published until the test ends, with the name of its channel, less the ids of requests. */
function hear (t: Test, names: readonly string[] = types): Record<string, unknown>[] {
  const heard: Record<string, unknown>[] = []
  for (const type of names) {
    const listen = (message: unknown) => {
      const { requestId, ...told } = message as { requestId: string | null }
      heard.push({ type, ...told })
    }
    diagnostics.subscribe(`fastify-jwt-accounts:${type}`, listen)
    t.teardown(() => diagnostics.unsubscribe(`fastify-jwt-accounts:${type}`, listen))
  }
  return heard
}

async function storing (t: Test, options: AccountsOptions = {}) {
  const built = await buildOnFile(t, { events: { store: true }, ...options }, silent)
  const ask = (method: 'POST' | 'PUT' | 'PATCH' | 'DELETE', url: string, payload?: object, token?: string) =>
    built.app.inject({ method, url, headers: { ...bearer(token), 'user-agent': userAgent }, ...payload && { payload } })
  /** What is stored, in the form of what is told. */
  const stored = async () =>
    (await built.sql.all('select * from accounts_events order by id')).map((row) => ({
      type: row.type,
      instance: 'accounts',
      userId: row.user_id,
      sessionId: row.session_id,
      actorId: row.actor_id,
      reason: row.reason,
      ip: row.ip,
      userAgent: row.user_agent,
      data: typeof row.data === 'string' ? JSON.parse(row.data) : row.data,
    }))
  const tokensOf = async (url: string, payload: object) => (await ask('POST', url, payload)).json()
  return { ...built, ask, stored, tokensOf, ada: { username: 'ada', password } }
}

t.test('what happens to an account is told, and stored where the app wants that', async (t) => {
  const { app, ask, stored, tokensOf, ada } = await storing(t)
  const heard = hear(t)
  const first = await tokensOf('/auth/register', ada)
  const second = await tokensOf('/auth/login', ada)
  await ask('POST', '/auth/login', { ...ada, password: 'a wrong one, and long enough' })
  await ask('POST', '/auth/login', { username: 'nobody', password })
  await ask('POST', '/auth/reauthenticate', { password: 'a wrong one' }, first.access_token)
  await ask('POST', '/auth/logout', { refresh_token: second.refresh_token })
  await ask('POST', '/auth/logout', { refresh_token: second.refresh_token })
  const third = await tokensOf('/auth/login', ada)
  const { sid: thirdId } = decode(third.access_token).payload
  await ask('DELETE', `/auth/sessions/${thirdId}`, undefined, first.access_token)
  const changed = await ask(
    'PUT',
    '/auth/password',
    { current_password: password, new_password: 'another horse battery staple' },
    first.access_token
  )
  await ask('DELETE', '/auth/sessions', undefined, changed.json().access_token)
  const code = (await app.accounts.issueTokens(first.user.id)).access_token
  await app.accounts.users.setPassword(first.user.id, 'a third horse battery staple')

  const { id } = first.user
  const [firstId, secondId, codeId] = [first.access_token, second.access_token, code].map(
    (token) => decode(token).payload.sid
  )
  const by = { ...byAsking, userId: id }
  const byCode = { ...by, ip: null, userAgent: null }
  t.same(heard, [
    { ...by, type: 'register', sessionId: firstId },
    { ...by, type: 'login', sessionId: secondId },
    { ...by, type: 'login-failed', sessionId: null, reason: 'login' },
    { ...by, type: 'login-failed', sessionId: null, reason: 'login', userId: null },
    { ...by, type: 'login-failed', sessionId: null, reason: 'confirm' },
    { ...by, type: 'logout', sessionId: secondId, reason: 'logout' },
    { ...by, type: 'login', sessionId: thirdId },
    { ...by, type: 'logout', sessionId: thirdId, reason: 'ended' },
    { ...by, type: 'password-changed', sessionId: firstId },
    { ...by, type: 'logout', sessionId: null, reason: 'everywhere' },
    { ...byCode, type: 'login', sessionId: codeId },
    { ...byCode, type: 'password-changed', sessionId: null },
  ])
  t.same(await stored(), heard)
})

/** Somebody who may change others, and Ada, with all that tells of it. */
async function withAdmin (t: Test, options: AccountsOptions = {}) {
  const built = await storing(t, {
    routes: { users: true, revoke: true },
    user: { fields: { city: Type.Optional(Type.String()) } },
    ...options,
  })
  const root = await built.tokensOf('/auth/register', { username: 'root', password })
  await built.app.accounts.users.setRoles(root.user.id, ['admin'])
  const ada = await built.tokensOf('/auth/register', built.ada)
  const before = await built.stored()
  return { ...built, root, first: ada, id: ada.user.id, since: async () => (await built.stored()).slice(before.length) }
}

const byAsking = {
  instance: 'accounts',
  ip: '127.0.0.1',
  userAgent: 'Ada’s browser',
  actorId: null,
  reason: null,
  sessionId: null,
  data: null,
}
const byCode = { ...byAsking, ip: null, userAgent: null }

t.test('what is changed of a user is told and stored, by whichever way, and what changes nothing is not', async (t) => {
  const { app, ask, id, since, first, root } = await withAdmin(t)
  const heard = hear(t)
  const change = (payload: object) => ask('PATCH', `/auth/users/${id}`, payload, root.access_token)
  await ask('PATCH', '/auth/me', { city: 'London' }, first.access_token)
  await ask('PATCH', '/auth/me', { city: 'London' }, first.access_token)
  await change({ roles: ['clerk'] })
  await change({ roles: ['clerk'], disabled: false })
  await change({ roles: [], city: null, disabled: true })
  await change({ disabled: false })
  const { users } = app.accounts
  await users.update(id, { username: 'countess', email: 'ada@example.com' })
  await users.setRoles(id, ['clerk'])
  await users.setRoles(id, ['clerk'])
  await users.disable(id)
  await users.disable(id)
  await users.enable(id)
  t.same(await since(), heard)
  await users.delete(id)

  const own = { ...byAsking, userId: id }
  const asked = { ...own, actorId: root.user.id }
  const code = { ...byCode, userId: id }
  t.same(heard, [
    { ...own, type: 'user-changed' },
    { ...asked, type: 'roles-changed' },
    ...['user-changed', 'roles-changed', 'user-disabled'].map((type) => ({ ...asked, type })),
    { ...asked, type: 'user-enabled' },
    ...['user-changed', 'roles-changed', 'user-disabled', 'user-enabled', 'user-deleted'].map((type) => ({
      ...code,
      type,
    })),
  ])
  t.same(await since(), heard.map((event) => ({ ...event as object, ip: null, userAgent: null })),
    'of who is gone nobody sees any more where it was')
})

t.test('an event tells by which request it happened, as the log of the app names it', async (t) => {
  const { app, sql } = await buildOnFile(t, { events: { store: true } }, { requestIdHeader: 'x-request', ...silent })
  const payload = { username: 'ada', password }
  const named = (id: string) =>
    app.inject({ method: 'POST', url: '/auth/register', headers: { 'x-request': id }, payload })
  const heard: unknown[] = []
  const listen = (message: unknown) => { heard.push((message as { requestId: string | null }).requestId) }
  diagnostics.subscribe('fastify-jwt-accounts:register', listen)
  diagnostics.subscribe('fastify-jwt-accounts:user-deleted', listen)
  t.teardown(() => diagnostics.unsubscribe('fastify-jwt-accounts:register', listen))
  t.teardown(() => diagnostics.unsubscribe('fastify-jwt-accounts:user-deleted', listen))
  const { user } = (await named(`one-of-a-kind\t${'x'.repeat(100)}`)).json()
  await app.accounts.users.delete(user.id)
  const told = [`one-of-a-kind${'x'.repeat(50)}`, null]
  t.same(heard, told)
  t.same((await sql.all('select * from accounts_events order by id')).map(({ request_id: id }) => id), told)
})

t.test('who closes an account, and who deletes that of another, are told apart', async (t) => {
  const { ask, id, since, first, root, tokensOf } = await withAdmin(t)
  const { user: bob } = await tokensOf('/auth/register', { username: 'bob', password })
  const heard = hear(t)
  t.equal((await ask('DELETE', '/auth/me', undefined, first.access_token)).statusCode, 204)
  t.equal((await ask('DELETE', `/auth/users/${bob.id}`, undefined, root.access_token)).statusCode, 204)
  t.equal((await ask('DELETE', `/auth/users/${bob.id}`, undefined, root.access_token)).statusCode, 404)
  t.same(heard, [{ ...byAsking, type: 'closed', userId: id }, {
    ...byAsking, type: 'user-deleted', userId: bob.id, actorId: root.user.id,
  }])
  t.same((await since()).slice(1), heard)
})

t.test('a password that is given again, and a token that is revoked by itself, are told and stored', async (t) => {
  const { app, ask, id, since, first, tokensOf, ada } = await withAdmin(t)
  const [second, third] = [await tokensOf('/auth/login', ada), await tokensOf('/auth/login', ada)]
  const [firstId, secondId, thirdId] = [first, second, third].map(
    ({ access_token: token }) => decode(token).payload.sid
  )
  const heard = hear(t)
  const again = (await ask('POST', '/auth/reauthenticate', { password }, first.access_token)).json()
  await ask('POST', '/auth/revoke', { token: again.access_token })
  await ask('POST', '/auth/revoke', { token: again.access_token })
  await app.accounts.revoke(second.access_token)
  await ask('POST', '/auth/revoke', { token: third.refresh_token })
  t.same(heard, [
    { ...byAsking, type: 'reauthenticated', userId: id, sessionId: firstId },
    { ...byAsking, type: 'token-revoked', userId: id, sessionId: firstId },
    { ...byCode, type: 'token-revoked', userId: id, sessionId: secondId },
    { ...byAsking, type: 'logout', userId: id, sessionId: thirdId, reason: 'logout' },
  ])
  t.same((await since()).slice(2), heard)
})

t.test('of a session that ends while its password is checked no more is told', async (t) => {
  const during: { end?: () => Promise<unknown> } = {}
  const { app, ask, first, since } = await withAdmin(t, { claims: async () => { await during.end?.(); return {} } })
  during.end = () => app.accounts.sessions.revoke(decode(first.access_token).payload.sid)
  const heard = hear(t)
  t.match((await ask('POST', '/auth/reauthenticate', { password }, first.access_token)).json(), {
    code: 'ACCOUNTS_TOKEN_REVOKED',
  })
  t.match(heard, [{ type: 'logout', reason: 'ended' }])
  t.same((await since()).map(({ type }) => type), ['logout'])
})

t.test('a session that ends to make room for another is told, and stored, before it', async (t) => {
  const { since, first, tokensOf, ada, id } = await withAdmin(t, { sessions: { max: 1 } })
  const heard = hear(t)
  const second = await tokensOf('/auth/login', ada)
  const [firstId, secondId] = [first, second].map(({ access_token: token }) => decode(token).payload.sid)
  t.same(heard, [
    { ...byAsking, type: 'logout', userId: id, sessionId: firstId, reason: 'limit' },
    { ...byAsking, type: 'login', userId: id, sessionId: secondId },
  ])
  t.same(await since(), heard)
})

t.test('nothing is changed of a user whose event cannot be stored', async (t) => {
  const { app, ask, id, sql, first, root, stored } = await withAdmin(t)
  const rows = () =>
    Promise.all(
      ['users', 'sessions', 'revoked_tokens', 'revision'].map((table) =>
        sql.all(`select * from accounts_${table} order by id`)
      )
    )
  const before = [await rows(), await stored()]
  const heard = hear(t)
  await addTrigger(sql, 'before insert', 'accounts_events', 'fail')
  for (const change of [{ roles: ['clerk'] }, { disabled: true }, { city: 'London' }]) {
    t.equal((await ask('PATCH', `/auth/users/${id}`, change, root.access_token)).statusCode, 409)
  }
  t.equal((await ask('DELETE', `/auth/users/${id}`, undefined, root.access_token)).statusCode, 409)
  t.equal((await ask('DELETE', '/auth/me', undefined, first.access_token)).statusCode, 409)
  t.equal((await ask('POST', '/auth/reauthenticate', { password }, first.access_token)).statusCode, 409)
  t.equal((await ask('POST', '/auth/revoke', { token: first.access_token })).statusCode, 409)
  await t.rejects(app.accounts.users.update(id, { username: 'countess' }), { code: 'ACCOUNTS_CONSTRAINT_VIOLATED' })
  await dropTrigger(sql, 'accounts_events')
  t.same([[await rows(), await stored()], heard], [before, []])
})

t.test('a theft is told and stored once, by a refresh, by a guard and by what was voided', async (t) => {
  const { ask, app, stored, tokensOf, ada } = await storing(t, { refresh: { window: 0 } })
  const heard = hear(t, ['reuse'])
  await tokensOf('/auth/register', ada)
  for (const url of ['/auth/refresh', '/with-refresh']) {
    const { refresh_token: token } = await tokensOf('/auth/login', ada)
    await ask('POST', '/auth/refresh', { refresh_token: token })
    await Promise.all([1, 2, 3].map(() => ask('POST', url, { refresh_token: token })))
    t.match(heard.splice(0), [{ sessionId: decode(token).payload.sid, ip: '127.0.0.1', userAgent: 'Ada’s browser' }])
  }
  t.equal((await stored()).filter(({ type }) => type === 'reuse').length, 2)
  t.equal(app.accounts.counters.refreshesReused >= 2, true)
})

t.test('who keeps one session ends each of the others', async (t) => {
  const { ask, stored, tokensOf, ada } = await storing(t)
  const { access_token: token } = await tokensOf('/auth/register', ada)
  const others = [await tokensOf('/auth/login', ada), await tokensOf('/auth/login', ada)].map(
    ({ access_token: other }) => decode(other).payload.sid
  )
  await ask('DELETE', '/auth/sessions?keep=current', undefined, token)
  const ended = (await stored()).filter(({ type }) => type === 'logout')
  t.same(
    ended.map(({ sessionId, reason }) => [sessionId, reason]).toSorted(),
    others.map((id) => [id, 'ended']).toSorted()
  )
})

t.test('nothing happens without its event, and no event without what it tells of', async (t) => {
  const { ask, sql, stored, tokensOf, ada } = await storing(t)
  const first = await tokensOf('/auth/register', ada)
  const before = await stored()
  const heard = hear(t)
  await addTrigger(sql, 'before insert', 'accounts_events', 'fail')

  t.equal((await ask('POST', '/auth/register', { ...ada, username: 'bob' })).statusCode, 409)
  t.equal((await ask('POST', '/auth/login', ada)).statusCode, 409)
  t.equal(
    (await ask('POST', '/auth/login', { ...ada, password: 'a wrong one' })).statusCode,
    401,
    'a failure has happened, whatever is stored of it'
  )
  t.equal((await ask('POST', '/auth/logout', { refresh_token: first.refresh_token })).statusCode, 409)
  t.equal(
    (
      await ask(
        'PUT',
        '/auth/password',
        { current_password: password, new_password: 'another horse battery staple' },
        first.access_token
      )
    ).statusCode,
    409
  )
  t.equal((await ask('DELETE', '/auth/sessions', undefined, first.access_token)).statusCode, 409)

  await dropTrigger(sql, 'accounts_events')
  t.same(await stored(), before)
  t.match(heard, [{ type: 'login-failed' }])
  t.equal(heard.length, 1)
  t.equal((await sql.all('select id from accounts_users')).length, 1)
  t.same((await sql.all('select id from accounts_sessions where revoked_at is null')).length, 1)
  t.equal((await ask('POST', '/auth/login', ada)).statusCode, 200, 'the password is the one of before')
})

t.test('a transaction of the app’s that is rolled back tells nothing', async (t) => {
  const { app, stored, tokensOf, ada } = await storing(t)
  const { user } = await tokensOf('/auth/register', ada)
  const before = await stored()
  const heard = hear(t)
  const em = app.accounts.orm.em.fork()
  await t.rejects(em.transactional(async (tx) => {
    await app.accounts.sessions.revokeAll(user.id, { em: tx })
    throw new Error('no')
  }))
  t.same([await stored(), heard], [before, []])
  await em.transactional(async (tx) => {
    await app.accounts.sessions.revokeAll(user.id, { em: tx })
    t.same(heard, [])
  })
  t.match(heard, [{ type: 'logout', reason: 'everywhere', userId: user.id }])
  t.same((await stored()).slice(before.length), heard)
})

t.test('by default events are told and not stored', async (t) => {
  const { app, signUp, sql } = await buildOnFile(t)
  const heard = hear(t)
  const { user } = await signUp()
  t.match(heard, [{ type: 'register' }])
  await app.accounts.users.delete(user.id)
  t.match(heard, [{}, { type: 'user-deleted', userId: user.id }], 'and there is nothing to erase')
  t.same(await sql.all('select * from accounts_events'), [])
})

t.test('events hold no password, no token and nothing that was typed', async (t) => {
  const { ask, stored, tokensOf, ada } = await storing(t)
  const heard = hear(t)
  const tokens = await tokensOf('/auth/register', ada)
  await ask('POST', '/auth/login', { username: 'my password in the wrong field', password: 'another secret of mine' })
  await ask('POST', '/auth/logout', { refresh_token: tokens.refresh_token })
  const all = JSON.stringify([heard, await stored()])
  for (const secret of [
    password,
    'wrong field',
    'another secret',
    ...tokens.access_token.split('.'),
    ...tokens.refresh_token.split('.'),
  ]) { t.notOk(all.includes(secret)) }
})

t.test('a request that does not prove where it comes from is told', async (t) => {
  const { app, stored } = await storing(t, { transport: 'cookie' })
  const heard = hear(t, ['csrf-failed'])
  await app.inject({
    method: 'POST',
    url: '/auth/login',
    headers: { 'sec-fetch-site': 'cross-site', 'user-agent': userAgent },
    payload: { username: 'ada', password },
  })
  t.same(heard, [{ type: 'csrf-failed', instance: 'accounts', ip: '127.0.0.1', userAgent: 'Ada’s browser' }])
  t.same(await stored(), [])
})

t.test('events are kept for as long as the app wants, and outlive their user', async (t) => {
  const { app, sql, stored, tokensOf, ada } = await storing(t, { events: { store: true, keepFor: '30d' } })
  const { user } = await tokensOf('/auth/register', ada)
  await tokensOf('/auth/login', ada)
  await app.accounts.users.delete(user.id)
  t.match(await app.accounts.prune(), { events: 0 })
  await sql.run(
    'update accounts_events set created_at = ? where type = ?',
    new Date(Date.now() - 31 * 86400_000),
    'register'
  )
  t.match(await app.accounts.prune(), { events: 1 })
  t.match(await stored(), [{ type: 'login', userId: user.id }])
})

t.test('a stored theft says which of two siblings came when, and from where', async (t) => {
  const { app, sql, tokensOf, ada } = await storing(t, { refresh: { window: 30 } })
  const heard = hear(t, ['reuse'])
  mock.timers.enable({ apis: ['Date'], now: Date.now() })
  t.teardown(() => mock.timers.reset())
  const { refresh_token: first } = await tokensOf('/auth/register', ada)
  const come = async (token: string, remoteAddress: string, userAgent: string) =>
    (
      await app.inject({
        method: 'POST',
        url: '/auth/refresh',
        payload: { refresh_token: token },
        remoteAddress,
        headers: { 'user-agent': userAgent },
      })
    ).json()

  const { refresh_token: owners } = await come(first, '192.0.2.1', 'owner')
  const { refresh_token: thiefs } = await come(first, '192.0.2.66', 'thief')
  mock.timers.tick(62_000)
  const ownersCameAt = Date.now()
  await come(owners, '192.0.2.1', 'owner')
  mock.timers.tick(1000)
  t.match(await come(thiefs, '192.0.2.66', 'thief'), { code: 'ACCOUNTS_REFRESH_REUSED' })

  const [ownersClaims, thiefsClaims] = [owners, thiefs].map((token) => decode(token).payload) as [
    RefreshClaims,
    RefreshClaims
  ]
  const { data, ...row } = (await sql.get('select * from accounts_events where type = ?', 'reuse'))!
  const known = {
    shown: { gen: 1, br: thiefsClaims.br, issuedAt: thiefsClaims.iat * 1000 },
    session: {
      gen: 2,
      prevGen: 1,
      prevBranch: ownersClaims.br,
      lastUsedAt: ownersCameAt,
      ip: '192.0.2.1',
      userAgent: 'owner',
    },
  }
  t.same(typeof data === 'string' ? JSON.parse(data) : data, known)
  t.match(row, { ip: '192.0.2.66', user_agent: 'thief' })
  t.match(heard, [{ data: known }])
  const [event] = await app.accounts.orm.em.fork().find(Event, { type: 'reuse' })
  t.same(event!.data, known)
})
