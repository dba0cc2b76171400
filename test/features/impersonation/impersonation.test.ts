// On each database.
import { generateKeyPairSync } from 'node:crypto'
import { Type } from '@sinclair/typebox'
import t from 'tap'
import { signIn } from '../../../lib/testing.ts'
import { bearer, build, decode, mint, secret } from '../../support/build.ts'
import { buildLending, impersonated, lending } from './support.ts'

t.test('an admin acts as a user by a token that names both, and by nothing else', async (t) => {
  const { impersonate, ada, root, send } = await buildLending(t)
  const answer = await impersonate()
  t.equal(answer.statusCode, 200)
  const { access_token: token, ...rest } = answer.json()
  const user = { id: ada.user.id, username: 'ada', email: 'ada@example.com', email_verified: false, roles: [] }
  t.strictSame(rest, { token_type: 'Bearer', expires_in: 900, user })
  t.equal(answer.headers['set-cookie'], undefined)
  const { payload } = decode(token)
  t.strictSame(payload.act, { sub: root.user.id })
  t.match(payload, { sub: ada.user.id, exp: payload.iat + 900 })
  t.notOk('auth_time' in payload)

  for (const path of ['/guarded', '/strict']) {
    const seen = (await send('GET', path, token)).json()
    t.match(seen, { user: { id: ada.user.id }, auth: { actor: root.user.id, fresh: false } })
  }
  t.notOk('actor' in (await send('GET', '/guarded', root.tokens.access_token)).json().auth)
})

t.test('where tokens travel in cookies a borrowed one does not', async (t) => {
  const { app, root, ada } = await buildLending(t, { transport: 'both' })
  const cookies = await signIn(app, 'root', { transport: 'cookie' })
  const csrf = (cookies.tokens as { csrf_token: string }).csrf_token
  const answer = await app.inject({
    method: 'POST',
    url: `/auth/users/${ada.user.id}/impersonate`,
    headers: { ...cookies.headers, 'x-csrf-token': csrf },
    payload: { reason: 'Ticket 1' },
  })
  t.equal(answer.statusCode, 200)
  t.equal(answer.headers['set-cookie'], undefined)
  t.strictSame(decode(answer.json().access_token).payload.act, { sub: root.user.id })
})

t.test('nothing about two factors stands in the token, and none is asked for', async (t) => {
  const { app } = await buildLending(t, { factors: { requireFor: ['cashier'] } })
  await signIn(app, { username: 'eve', roles: ['cashier'] }, { acr: 'aal2' })
  const { tokens, headers } = await signIn(app, 'eve', { actor: 'root' })
  const { payload } = decode(tokens.access_token)
  t.notOk('acr' in payload || 'amr' in payload)
  t.match((await app.inject({ url: '/guarded', headers })).json(), { auth: { acr: 'aal1', amr: [] } })
})

t.test('a guard with fresh, acr or impersonated: false refuses it', async (t) => {
  const { app, borrow, send, ada } = await buildLending(t, { factors: true })
  const guards = {
    '/fresh': { fresh: true },
    '/old': { fresh: '7d' },
    '/two': { acr: 'aal2' },
    '/own': { impersonated: false },
    '/own/maybe': { optional: true, impersonated: false },
    '/own/stateless': { consistency: 'stateless', impersonated: false },
  } as const
  for (const [path, options] of Object.entries(guards)) {
    app.get(path, { preHandler: app.accounts.guard(options) }, async () => 'seen')
  }
  app.get('/token', { preHandler: app.accounts.guard({ consistency: 'stateless' }) }, async () => 'seen')
  const token = await borrow()
  for (const path of Object.keys(guards)) t.match((await send('GET', path, token)).json(), impersonated, path)
  t.equal((await send('GET', '/token', token)).body, 'seen')
  t.equal((await send('GET', '/own', ada.tokens.access_token)).body, 'seen')
  t.equal((await app.inject('/own/maybe')).body, 'seen')
})

t.test('it is of nobody who may do something, of nobody who is kept out, and not of oneself', async (t) => {
  const { app, impersonate, root, ada, borrow } = await buildLending(t, { closing: { grace: '7d' } })
  const { users } = app.accounts
  const admin = await users.create({ username: 'admin', roles: ['admin'] })
  const colleague = await users.create({ username: 'colleague', roles: ['shop', 'support'] })
  const disabled = await users.create({ username: 'disabled', disabledAt: new Date() })
  const leaving = await users.create({ username: 'leaving' })
  await users.close(leaving.id)
  for (const { id } of [root.user, admin, colleague, disabled, leaving]) {
    t.match((await impersonate(id)).json(), { statusCode: 403, code: 'ACCOUNTS_FORBIDDEN' })
  }
  for (const id of ['x', '%00', '01a20000-0000-7000-8000-000000000000']) t.equal((await impersonate(id)).statusCode, 404)
  t.match((await impersonate(colleague.id, undefined, await borrow())).json(), impersonated, 'no chain')
  t.match((await impersonate(root.user.id, undefined, ada.tokens.access_token)).json(), { code: 'ACCOUNTS_FORBIDDEN' })
  const stale = await app.accounts.issueTokens(root.user.id)
  t.match((await impersonate(ada.user.id, undefined, stale.access_token)).json(), { code: 'ACCOUNTS_TOKEN_STALE' })
})

t.test('roles that are no list, which only the database can have, permit nothing', async (t) => {
  const { app, sql, ada, root, impersonate } = await buildLending(t)
  const makeText = ({ user }: { user: { id: string } }) =>
    sql.run('update accounts_users set roles = ? where id = ?', '"support"', user.id)
  await makeText(ada)
  t.equal((await impersonate()).statusCode, 200)
  await makeText(root)
  t.equal((await impersonate()).statusCode, 403)
  const asked = app.accounts.users.impersonate(ada.user.id, { actorId: root.user.id, reason: 'x' })
  await t.rejects(asked, { code: 'ACCOUNTS_FORBIDDEN' })
})

t.test('a reason is asked for, and kept with who and whom', async (t) => {
  const { impersonate, ada, root, events } = await buildLending(t)
  const lone = String.fromCharCode(0xd800)
  for (const reason of [undefined, '', '  ', '\0', lone, 'x'.repeat(201), 7]) {
    t.match((await impersonate(ada.user.id, { reason })).json(), { code: 'ACCOUNTS_INPUT_INVALID' })
  }
  t.match((await impersonate(ada.user.id, { reason: 'x', admin: root.user.id })).json(), { statusCode: 400 })
  for (const reason of ['Ticket 1', `a\0b${lone}c`, '👩‍🚀'.repeat(66)]) await impersonate(ada.user.id, { reason })
  const token = (await impersonate(ada.user.id, { reason: 'é'.repeat(200) })).json().access_token
  const stored = await events('impersonate')
  t.match(stored, [{ user_id: ada.user.id, actor_id: root.user.id, session_id: /-/ }, {}, {}, {}])
  const texts = stored.map(({ data }) => (typeof data === 'string' ? JSON.parse(data) : data).text)
  t.strictSame(texts, ['Ticket 1', 'abc', '👩‍🚀'.repeat(66).replaceAll(/\p{C}/gu, ''), 'é'.repeat(200)])
  t.equal(decode(token).payload.sid, stored.at(-1)!.session_id)
})

t.test('every event of the session names the admin', async (t) => {
  const { send, borrow, events, root, ada } = await buildLending(t, {
    user: { fields: { nick: Type.Optional(Type.String()) } }, routes: { users: true, revoke: true },
  })
  const [first, second] = [await borrow(), await borrow()]
  t.equal((await send('PATCH', '/auth/me', first, { nick: 'Countess' })).statusCode, 200)
  t.equal((await send('POST', '/auth/logout', first, {})).statusCode, 204)
  t.equal((await send('POST', '/auth/revoke', second, { token: second })).statusCode, 200)
  for (const type of ['user-changed', 'logout', 'token-revoked']) {
    t.match(await events(type), [{ user_id: ada.user.id, actor_id: root.user.id }], type)
  }
  t.equal((await send('GET', '/guarded', second)).statusCode, 401)
})

t.test('the user sees it among their sessions, without who and where, and can end it', async (t) => {
  const { app, send, borrow, ada, root } = await buildLending(t)
  const token = await borrow()
  const list = async () => (await send('GET', '/auth/sessions', ada.tokens.access_token)).json().sessions
  const { sid } = decode(token).payload
  const [borrowed, own] = (await list()).toSorted((one: { current: boolean }) => one.current ? 1 : -1)
  t.match(borrowed, { id: sid, current: false, borrowed: true, ip: null, user_agent: null })
  t.match(own, { current: true, borrowed: false })
  const managed = await app.accounts.sessions.list(ada.user.id)
  t.match(managed.find(({ id }) => id === sid), { actorId: root.user.id, ip: '127.0.0.1' })
  const file = (await send('GET', '/auth/me/export', ada.tokens.access_token)).json()
  t.match(file.sessions.find(({ id }: { id: string }) => id === sid), { borrowed: true, ip: null })

  t.equal((await send('DELETE', `/auth/sessions/${sid}`, ada.tokens.access_token)).statusCode, 204)
  t.equal((await send('GET', '/guarded', token)).statusCode, 401)
  t.equal((await list()).length, 1)
})

t.test('it takes no place of another session', async (t) => {
  const { app, send, borrow, ada } = await buildLending(t, { sessions: { max: 2 } })
  const tokens = [await borrow(), await borrow(), await borrow()]
  const second = await signIn(app, 'ada', { transport: 'body' })
  for (const token of [...tokens, ada.tokens.access_token, second.tokens.access_token]) {
    t.equal((await send('GET', '/strict', token)).statusCode, 200)
  }
  await signIn(app, 'ada')
  t.equal((await send('GET', '/strict', ada.tokens.access_token)).statusCode, 401)
  for (const token of tokens) t.equal((await send('GET', '/strict', token)).statusCode, 200)
})

t.test('other services are told who acts, and code is', async (t) => {
  const { app, borrow, post, root } = await buildLending(t, {
    introspection: { clients: [{ id: 'shop', secret: 'x'.repeat(32) }] }, routes: { users: true, introspect: true },
  })
  const token = await borrow()
  const body = { token, client_id: 'shop', client_secret: 'x'.repeat(32) }
  const told = (await post('/auth/introspect', body)).json()
  t.match(told, { active: true, act: { sub: root.user.id }, username: 'ada' })
  t.notOk('auth_time' in told)
  t.match(await app.accounts.verify(token), { claims: { act: { sub: root.user.id } }, user: { username: 'ada' } })
})

t.test('a known token costs no query', async (t) => {
  const { app, borrow, send } = await buildLending(t)
  const token = await borrow()
  await send('GET', '/guarded', token)
  const { usersRead, tokensVerified } = app.accounts.counters
  await send('GET', '/guarded', token)
  t.match(app.accounts.counters, { usersRead, tokensVerified })
})

t.test('what happens while the claims are asked for counts', async (t) => {
  let meanwhile: () => Promise<unknown> = async () => {}
  const { app, impersonate, ada, root, borrow } = await buildLending(t, {
    claims: async () => {
      await meanwhile()
      return {}
    },
  })
  const { sessions, users } = app.accounts
  const eve = await users.create({ username: 'eve' })
  t.equal(typeof await borrow(), 'string')
  meanwhile = () => users.delete(eve.id)
  t.equal((await impersonate(eve.id)).statusCode, 404)
  meanwhile = () => sessions.revokeAll(root.user.id)
  t.match((await impersonate(ada.user.id)).json(), { code: 'ACCOUNTS_TOKEN_REVOKED' })
  meanwhile = async () => {}
  const again = await signIn(app, 'root', { transport: 'body' })
  meanwhile = () => users.delete(root.user.id)
  const answer = await impersonate(ada.user.id, undefined, again.tokens.access_token)
  t.match(answer.json(), { code: 'ACCOUNTS_TOKEN_REVOKED' })
})

t.test('code borrows too, by the same rules, in a transaction of its own or of the app', async (t) => {
  const { app, sql, ada, root } = await buildLending(t)
  const { users, orm } = app.accounts
  const options = { actorId: root.user.id, reason: 'Ticket 2' }
  t.match(await users.impersonate(ada.user.id, options), { expires_in: 900, user: { username: 'ada' } })
  for (const [id, given, code] of [
    [root.user.id, options, 'ACCOUNTS_FORBIDDEN'],
    [ada.user.id, { ...options, actorId: ada.user.id }, 'ACCOUNTS_FORBIDDEN'],
    [root.user.id, { ...options, actorId: ada.user.id }, 'ACCOUNTS_FORBIDDEN'],
    [ada.user.id, { ...options, actorId: '01a20000-0000-7000-8000-000000000000' }, 'ACCOUNTS_NOT_FOUND'],
    [ada.user.id, { ...options, actorId: 'root' }, 'ACCOUNTS_NOT_FOUND'],
    ['ada', options, 'ACCOUNTS_NOT_FOUND'],
    [ada.user.id, { ...options, reason: '' }, 'ACCOUNTS_INPUT_INVALID'],
    [ada.user.id, { actorId: root.user.id }, 'ACCOUNTS_INPUT_INVALID'],
    [ada.user.id, { ...options, maxAge: '1d' }, 'ACCOUNTS_OPTIONS_INVALID'],
  ] as const) await t.rejects(users.impersonate(id, given as never), { code }, code)

  const borrowed = () => sql.all('select id from accounts_sessions where actor_id is not null')
  await orm.em.fork().transactional(async (em) => {
    await users.impersonate(ada.user.id, { ...options, em })
    throw new Error('no')
  }).catch(() => {})
  t.equal((await borrowed()).length, 1)
})

t.test('without the option there is nothing of it, and act is a claim of the app', async (t) => {
  const claims = () => ({ act: { sub: 'a delegate' } }) as never
  const { app, signUp, post, get } = await build(t, { routes: { users: true, revoke: true }, claims })
  const { access_token: token, user } = await signUp()
  t.equal((await post(`/auth/users/${user.id}/impersonate`, { reason: 'x' }, token)).statusCode, 404)
  await t.rejects(app.accounts.users.impersonate(user.id, { actorId: user.id, reason: 'x' }), {
    code: 'ACCOUNTS_OPTIONS_INVALID', message: /admin\.impersonation/,
  })
  const seen = (await get('/guarded', token)).json()
  t.match(seen.auth.claims.act, { sub: 'a delegate' })
  t.notOk('actor' in seen.auth)
  t.equal((await post('/auth/revoke', { token }, token)).statusCode, 200)

  const on = await build(t, { ...lending, claims })
  t.equal((await on.post('/auth/register', { username: 'ada', password: 'staple battery horse' })).statusCode, 500)
})

t.test('an app without the option refuses tokens of borrowed sessions', async (t) => {
  const { borrow, db } = await buildLending(t)
  const token = await borrow()
  const { get } = await build(t, { db })
  t.match((await get('/guarded', token)).json(), { code: 'ACCOUNTS_TOKEN_INVALID' })
})

t.test('no token is half borrowed', async (t) => {
  for (const factors of [false, true]) {
    const { borrow, get, ada } = await buildLending(t, { factors })
    const { header, payload } = decode(await borrow())
    const { payload: own } = decode(ada.tokens.access_token)
    t.equal((await get('/guarded', mint(header, payload))).statusCode, 200)
    const { act, ...nobodys } = payload
    for (const wrong of [
      nobodys,
      { ...payload, auth_time: payload.iat },
      { ...own, act },
      { ...payload, act: act.sub },
      { ...payload, act: null },
      { ...payload, act: {} },
      { ...payload, act: { sub: '' } },
      { ...payload, act: { sub: 'root' } },
      { ...payload, act: { ...act, act } },
      ...factors ? [{ ...payload, acr: 'phr', amr: ['pop'] }] : [],
    ]) {
      const answer = await get('/guarded', mint(header, wrong, secret))
      t.match(answer.json(), { code: 'ACCOUNTS_TOKEN_INVALID' }, JSON.stringify(wrong))
    }
  }
})

t.test('an app with public keys alone lends nothing, and reads what another has lent', async (t) => {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const { app, borrow, db, ada, root } = await buildLending(t, { secret: { private: privateKey } })
  const token = await borrow()
  const reader = await build(t, { ...lending, db, secret: { public: publicKey } })
  t.equal((await reader.get('/guarded', token)).json().auth.actor, root.user.id)
  const own = bearer(root.tokens.access_token)
  const url = `/auth/users/${ada.user.id}/impersonate`
  t.equal((await reader.app.inject({ method: 'POST', url, headers: own, payload: { reason: 'x' } })).statusCode, 404)
  const asked = reader.app.accounts.users.impersonate(ada.user.id, { actorId: root.user.id, reason: 'x' })
  await t.rejects(asked, { code: 'ACCOUNTS_ISSUING_OFF' })
  t.ok(app)
})

t.test('it lives as long as the option says, and no longer than an access token', async (t) => {
  for (const [options, seconds] of [
    [{ admin: { impersonation: { maxAge: '2m' } } }, 120],
    [{ access: { expiresIn: '1h' }, admin: { impersonation: true } }, 1800],
    [{ access: { expiresIn: '1h' }, admin: { impersonation: { maxAge: '1h' } } }, 3600],
    [{ access: { expiresIn: '5m' }, admin: { impersonation: { notify: false } } }, 300],
  ] as const) {
    const { app } = await build(t, options)
    const { tokens } = await signIn(app, 'ada', { actor: 'root' })
    t.equal(tokens.expires_in, seconds)
  }
  await t.rejects(build(t, { admin: { impersonation: { maxAge: '16m' } } }), {
    code: 'ACCOUNTS_OPTIONS_INVALID', message: /admin\.impersonation\.maxAge must not be longer than access\.expiresIn/,
  })
})
