// On each database.
import { mock } from 'node:test'
import { test } from 'tap'
import { bearer, build, decode, password } from '../../support/build.ts'
import { freshDatabase, kind, open } from '../../support/databases.ts'
import { migratedDatabase } from '../../support/spares.ts'
import { buildWithKeys } from './with-keys.ts'

const day = 86_400

test('a user makes a key, whose text is shown once, and it opens what takes keys', async (t) => {
  const { get, makeKey, ofKey } = await buildWithKeys(t)
  const { key, ...made } = await makeKey({ scopes: ['orders:read'] })
  t.match(key, /^fja_\w{71}$/)
  t.match(made, { name: 'CI', scopes: ['orders:read'], hint: key.slice(-4) })
  t.equal(Date.parse(made.expires_at) - Date.parse(made.created_at), 90 * day * 1000)

  const listed = await ofKey('GET', '')
  t.strictSame(listed.json(), { keys: [{ ...made, last_used_at: null, last_used_ip: null }] })
  t.notMatch(listed.body, key)

  const opened = await get('/orders', key)
  t.match(opened.json(), { user: { username: 'ada' }, auth: { keyId: made.id, scopes: ['orders:read'] } })
})

test('a key says who it is of, what it is for and until when, and no more', async (t) => {
  const { get, makeKey } = await buildWithKeys(t)
  const { key, id, expires_at: expiresAt } = await makeKey({ scopes: ['orders:write', 'orders:read'] })
  const { user, auth } = (await get('/keyed', key)).json()
  const exp = Math.floor(Date.parse(expiresAt) / 1000)
  t.strictSame(auth, {
    header: {},
    location: 'header',
    fresh: false,
    instance: 'accounts',
    claims: { sub: user.id, client_id: user.id, scope: 'orders:write orders:read', exp },
    keyId: id,
    scopes: ['orders:write', 'orders:read'],
  })
})

test('a key is made by who has given the password of late, and by no session of before', async (t) => {
  const { app, ofKey, post, signIn } = await buildWithKeys(t)
  mock.timers.enable({ apis: ['Date'], now: Date.now() })
  t.teardown(() => mock.timers.reset())
  mock.timers.tick(601_000)
  t.match((await ofKey('POST', '', { name: 'late' })).json(), { code: 'ACCOUNTS_TOKEN_STALE' })

  const { access_token: token } = await signIn()
  await app.accounts.sessions.revokeAll(decode(token).payload.sub)
  t.match((await post('/auth/keys', { name: 'over' }, token)).json(), { code: 'ACCOUNTS_TOKEN_REVOKED' })
})

test('whoever is signed out everywhere while they ask for a key gets none', async (t) => {
  let end: (id: string) => Promise<unknown> = async () => {}
  const { app, ofKey } = await buildWithKeys(t, {
    async verifyClaims ({ sub }) {
      await end(sub)
      return true
    },
  })
  end = (id) => app.accounts.sessions.revokeAll(id)
  t.match((await ofKey('POST', '', { name: 'CI' })).json(), { statusCode: 401, code: 'ACCOUNTS_TOKEN_REVOKED' })
})

test('a name is something to see, a scope is one of the app’s, and a life is as long as may be', async (t) => {
  const { ofKey } = await buildWithKeys(t)
  for (const wrong of [
    {}, { name: '' }, { name: '  ' }, { name: 'a\u0000b' }, { name: '\ud800' }, { name: 'a'.repeat(65) }, { name: 1 },
    { name: 'CI', scopes: ['orders:delete'] }, { name: 'CI', scopes: ['orders:read', 'orders:read'] },
    { name: 'CI', scopes: 'orders:read' }, { name: 'CI', expires_in: 366 * day }, { name: 'CI', expires_in: 0 },
    { name: 'CI', expires_in: null }, { name: 'CI', expires_in: '90d' }, { name: 'CI', user: 'eve' },
  ]) {
    t.match((await ofKey('POST', '', wrong)).json(), { statusCode: 400, code: 'ACCOUNTS_INPUT_INVALID' })
  }
  t.match((await ofKey('POST', '', { name: ' CI ', expires_in: 365 * day })).json(), { name: 'CI' })
})

test('where there are no scopes a key has none, and where there is no longest life it may live for ever', async (t) => {
  const { get, makeKey, ofKey } = await buildWithKeys(t, { keys: { scopes: [], maxAge: false } })
  t.match((await ofKey('POST', '', { name: 'CI', scopes: ['any'] })).json(), { code: 'ACCOUNTS_INPUT_INVALID' })
  const made = await makeKey({ expires_in: null })
  t.equal(made.expires_at, null)
  t.notOk('exp' in (await get('/keyed', made.key)).json().auth.claims)
})

test('a user has so many keys and no more, and one that is over is none of them', async (t) => {
  const { makeKey, ofKey } = await buildWithKeys(t, { keys: { max: 2 } })
  const first = await makeKey()
  await makeKey()
  t.match(await makeKey(), { statusCode: 409, code: 'ACCOUNTS_KEYS_FULL' })
  await ofKey('DELETE', `/${first.id}`)
  t.match(await makeKey(), { name: 'CI' })
})

test('of many who make the last key at once one does', async (t) => {
  const { ofKey } = await buildWithKeys(t, { keys: { max: 1 } })
  const answers = await Promise.all(Array.from({ length: 8 }, () => ofKey('POST', '', { name: 'CI' })))
  t.strictSame(answers.map(({ statusCode }) => statusCode).toSorted(), [201, ...Array(7).fill(409)])
})

test('a key gets another name, and its owner alone sees, renames and ends it', async (t) => {
  const { app, get, makeKey, ofKey, post, signUp } = await buildWithKeys(t)
  const { id, key } = await makeKey()
  t.match((await ofKey('PATCH', `/${id}`, { name: ' Nightly ' })).json(), { id, name: 'Nightly' })

  const { access_token: eve } = await signUp('eve')
  t.strictSame((await get('/auth/keys', eve)).json(), { keys: [] })
  const headers = bearer(eve)
  for (const target of [id, 'none', '019c2a64-6f3e-7b42-9c39-5d6bb1a3f0d1']) {
    const asked = { url: `/auth/keys/${target}`, headers }
    t.equal((await app.inject({ ...asked, method: 'PATCH', payload: { name: 'Mine' } })).statusCode, 404)
    t.equal((await app.inject({ ...asked, method: 'DELETE' })).statusCode, 404)
    t.equal((await post(`/auth/keys/${target}/rotate`, {}, eve)).statusCode, 404)
  }
  t.equal((await get('/keyed', key)).statusCode, 200)
})

test('a key that is ended opens nothing from then on', async (t) => {
  const { get, makeKey, ofKey } = await buildWithKeys(t)
  const { id, key } = await makeKey()
  t.equal((await get('/keyed', key)).statusCode, 200)
  t.equal((await ofKey('DELETE', `/${id}`)).statusCode, 204)
  for (const path of ['/keyed', '/strict-keyed']) {
    t.match((await get(path, key)).json(), { statusCode: 401, code: 'ACCOUNTS_TOKEN_REVOKED' })
  }
  t.strictSame((await ofKey('GET', '')).json(), { keys: [] })
  t.equal((await ofKey('DELETE', `/${id}`)).statusCode, 404)
})

test('a rotated key has another text, and the one of before is good for the overlap', async (t) => {
  const { get, makeKey, ofKey } = await buildWithKeys(t)
  mock.timers.enable({ apis: ['Date'], now: Date.now() })
  t.teardown(() => mock.timers.reset())
  const before = await makeKey({ scopes: ['orders:read'], expires_in: 10 * day })
  mock.timers.tick(60_000)
  t.equal((await get('/keyed', before.key)).statusCode, 200)

  const after = (await ofKey('POST', `/${before.id}/rotate`, { overlap: 300 })).json()
  t.match(after, { id: before.id, name: 'CI', scopes: ['orders:read'], hint: after.key.slice(-4) })
  t.not(after.key, before.key)
  t.equal(Date.parse(after.expires_at) - Date.now(), 10 * day * 1000, 'it lives as long as at first')
  t.equal((await get('/orders', before.key)).statusCode, 200)
  t.equal((await get('/orders', after.key)).statusCode, 200)

  mock.timers.tick(300_000)
  t.match((await get('/orders', before.key)).json(), { code: 'ACCOUNTS_TOKEN_EXPIRED' })
  t.match((await get('/strict-keyed', before.key)).json(), { code: 'ACCOUNTS_TOKEN_EXPIRED' })
  t.equal((await get('/orders', after.key)).statusCode, 200)
})

test('a key that is rotated without an overlap is over at once, and no overlap outlives the key of before', async (t) => {
  const { get, makeKey, ofKey } = await buildWithKeys(t)
  const { id, key } = await makeKey()
  t.equal((await get('/keyed', key)).statusCode, 200)
  const next = (await ofKey('POST', `/${id}/rotate`, { overlap: 0 })).json()
  t.match((await get('/keyed', key)).json(), { code: 'ACCOUNTS_TOKEN_EXPIRED' })
  t.equal((await get('/keyed', next.key)).statusCode, 200)
  t.match((await ofKey('POST', `/${id}/rotate`, { overlap: 8 * day })).json(), { code: 'ACCOUNTS_INPUT_INVALID' })

  mock.timers.enable({ apis: ['Date'], now: Date.now() })
  t.teardown(() => mock.timers.reset())
  const short = await makeKey({ expires_in: 60 })
  await ofKey('POST', `/${short.id}/rotate`, { overlap: day })
  t.equal((await get('/keyed', short.key)).statusCode, 200)
  mock.timers.tick(60_000)
  t.match((await get('/keyed', short.key)).json(), { code: 'ACCOUNTS_TOKEN_EXPIRED' })
})

test('a strict guard goes by the rows as they are', async (t) => {
  const db = kind === 'sqlite' ? await freshDatabase(t) : await migratedDatabase(t, kind)
  const { get, makeKey } = await buildWithKeys(t, { db })
  const { key } = await makeKey()
  t.equal((await get('/strict-keyed', key)).statusCode, 200)
  const sql = open(db)
  t.teardown(() => sql.close())
  await sql.run('update accounts_users set disabled_at = ?', new Date())
  t.match((await get('/strict-keyed', key)).json(), { code: 'ACCOUNTS_TOKEN_REVOKED' })
})

test('no key opens what makes keys, and of our routes one alone takes a key', async (t) => {
  const { app, get, makeKey } = await buildWithKeys(t, { routes: { users: true } })
  const { id, key } = await makeKey()
  t.match((await get('/auth/me', key)).json(), { username: 'ada' })
  const others: [method: 'DELETE' | 'GET' | 'PATCH' | 'POST' | 'PUT', url: string, payload?: object][] = [
    ['POST', '/auth/keys', { name: 'more' }], ['GET', '/auth/keys'], ['PATCH', `/auth/keys/${id}`, { name: 'x' }],
    ['POST', `/auth/keys/${id}/rotate`, {}], ['DELETE', `/auth/keys/${id}`], ['PATCH', '/auth/me', {}],
    ['DELETE', '/auth/me'], ['GET', '/auth/sessions'], ['DELETE', '/auth/sessions'], ['GET', '/auth/me/export'],
    ['PUT', '/auth/password', { current_password: password, new_password: 'an0ther long password' }],
    ['POST', '/auth/reauthenticate', { password }], ['GET', '/auth/users'],
  ]
  for (const [method, url, payload] of others) {
    const answer = await app.inject({ method, url, headers: bearer(key), ...payload && { payload } })
    t.match(answer.json(), { statusCode: 403, code: 'ACCOUNTS_KEY_REFUSED' }, `${method} ${url}`)
  }
})

test('without the option there is no route, and nothing to call', async (t) => {
  const { app, post, signUp } = await build(t)
  const { access_token: token } = await signUp()
  t.equal((await post('/auth/keys', { name: 'CI' }, token)).statusCode, 404)
  t.equal(app.accounts.keys, undefined)
})
