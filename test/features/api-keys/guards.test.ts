// On each database.
import { test } from 'tap'
import { bearer, build, mint, decode } from '../../support/build.ts'
import { buildWithKeys } from './with-keys.ts'

const tell = async () => 'in'

const refused = { statusCode: 403, code: 'ACCOUNTS_KEY_REFUSED' }

test('a key opens no guard that does not say so', async (t) => {
  const { get, makeKey, post } = await buildWithKeys(t, {}, (app) => {
    const { guard } = app.accounts
    app.get('/fresh', { preHandler: guard({ keys: true, fresh: true }) }, tell)
    app.get('/optional', { preHandler: guard({ optional: true }) }, tell)
    app.get('/stateless', { preHandler: guard({ consistency: 'stateless' }) }, tell)
  })
  const { key } = await makeKey()
  for (const path of ['/guarded', '/strict', '/fresh', '/optional', '/stateless']) {
    t.match((await get(path, key)).json(), refused, path)
  }
  t.match((await post('/with-refresh', {}, key)).json(), refused)
  t.match((await post('/auth/refresh', { refresh_token: key })).json(), { statusCode: 401 })
})

test('a key comes in a header, and from nowhere else', async (t) => {
  const { app, get, makeKey } = await buildWithKeys(t, {
    transport: 'both', locations: ['header', 'cookie', 'query', 'body', 'protocol'],
  })
  const { key } = await makeKey()
  t.equal((await app.inject({ url: '/keyed', headers: { authorization: `bEARER  ${key}` } })).statusCode, 200)
  const elsewhere: object[] = [
    { url: `/keyed?access_token=${key}` },
    { url: '/keyed', headers: { cookie: `__Host-access=${key}; access=${key}` } },
    { url: '/keyed', headers: { 'sec-websocket-protocol': `chat, access_token.${key}` } },
    { url: '/keyed', headers: { 'x-api-key': key } },
    { url: '/keyed', headers: { authorization: `Basic ${key}` } },
  ]
  for (const request of elsewhere) t.equal((await app.inject(request)).statusCode, 401, JSON.stringify(request))
  t.equal((await app.inject({ url: '/keyed', headers: { authorization: `Bearer ${key} x` } })).statusCode, 400)
  t.equal((await get('/keyed')).json().code, 'ACCOUNTS_TOKEN_MISSING')
})

test('a header of the app’s own holds a key by itself, and counts first', async (t) => {
  const { ada, app, get, makeKey, signUp } = await buildWithKeys(t, { keys: { header: 'X-Api-Key' } })
  const { key, id } = await makeKey()
  const withHeader = (url: string, headers: object = {}) => app.inject({ url, headers: { 'x-api-key': key, ...headers } })
  t.match((await withHeader('/keyed')).json(), { auth: { keyId: id } })
  t.match((await withHeader('/keyed', { 'x-api-key': 'nonsense' })).json(), { code: 'ACCOUNTS_TOKEN_INVALID' })
  t.match((await withHeader('/guarded')).json(), refused)
  t.match((await withHeader('/guarded', bearer(ada.access_token))).json(), { user: { username: 'ada' } })
  const eve = await signUp('eve')
  t.match((await withHeader('/keyed', bearer(eve.access_token))).json(), { user: { username: 'ada' } })
  t.match((await withHeader('/keyed', { 'x-api-key': '', ...bearer(eve.access_token) })).json(), {
    user: { username: 'eve' },
  })
  t.match((await get('/keyed', key)).json(), { auth: { keyId: id } }, 'and so does Authorization')
})

test('a key without the scopes is told which', async (t) => {
  const { ada, get, makeKey } = await buildWithKeys(t)
  const { key } = await makeKey({ scopes: ['orders:write'] })
  const answer = await get('/orders', key)
  t.match(answer.json(), { statusCode: 403, code: 'ACCOUNTS_FORBIDDEN' })
  t.match(answer.headers['www-authenticate'], /error="insufficient_scope".*, scope="orders:read"$/)
  t.equal((await get('/keyed', key)).statusCode, 200)
  t.match((await get('/orders', ada.access_token)).json(), { auth: { sessionId: /-/ } }, 'a session has all scopes')
})

test('roles, an address that is proved and a check are asked of the user of a key', async (t) => {
  const { app, get, makeKey } = await buildWithKeys(t, {}, (app) => {
    const { guard } = app.accounts
    app.get('/admin', { preHandler: guard({ keys: true, roles: ['admin'] }) }, tell)
    app.get('/verified', { preHandler: guard({ keys: true, verified: true }) }, tell)
    app.get('/checked', { preHandler: guard({ keys: true, check: ({ username }) => username === 'bob' }) }, tell)
  })
  const { users } = app.accounts
  const { key } = await makeKey()
  for (const path of ['/admin', '/checked']) t.match((await get(path, key)).json(), { code: 'ACCOUNTS_FORBIDDEN' })
  t.match((await get('/verified', key)).json(), { code: 'ACCOUNTS_EMAIL_UNVERIFIED' })
  const { id } = (await users.find('ada'))!
  await users.setRoles(id, ['admin'])
  t.equal((await get('/admin', key)).statusCode, 200)
})

test('everywhere means every guard of the app that can take keys and does not refuse them', async (t) => {
  const { get, makeKey } = await buildWithKeys(t, { keys: { everywhere: true } }, async (app) => {
    const { guard, protect } = app.accounts
    app.get('/without', { preHandler: guard({ keys: false }) }, tell)
    app.get('/fresh', { preHandler: guard({ fresh: '5m' }) }, tell)
    app.get('/optional', { preHandler: guard({ optional: true }) }, tell)
    await app.register(async (scope) => {
      protect(scope, { scopes: ['orders:write'] })
      scope.get('/protected', tell)
    })
  })
  const { key } = await makeKey({ scopes: ['orders:write'] })
  for (const path of ['/guarded', '/strict', '/protected']) t.equal((await get(path, key)).statusCode, 200, path)
  for (const path of ['/without', '/fresh', '/optional', '/auth/sessions']) t.match((await get(path, key)).json(), refused)
})

test('what can never let a key in is refused where it is written', async (t) => {
  const { app } = await buildWithKeys(t)
  const { guard } = app.accounts
  const code = 'ACCOUNTS_OPTIONS_INVALID'
  t.throws(() => guard({ keys: true, optional: true }), { code, message: /keys does not go with optional/ })
  t.throws(() => guard({ keys: true, consistency: 'stateless' }), { code, message: /keys does not go with/ })
  t.throws(() => guard({ keys: true, type: 'refresh' }), { code, message: /keys does not go with/ })
  t.throws(() => guard({ keys: true, type: 'any' }), { code, message: /keys does not go with/ })
  t.throws(() => guard({ scopes: ['orders:read'] }), { code, message: /scopes are of API keys/ })
  t.throws(() => guard({ keys: true, scopes: ['orders:delete'] }), { code, message: /orders:delete/ })

  const without = await build(t)
  t.throws(() => without.app.accounts.guard({ keys: true }), { code, message: /need the option keys/ })
  t.throws(() => without.app.accounts.guard({ scopes: ['a'] }), { code, message: /need the option keys/ })
  t.doesNotThrow(() => without.app.accounts.guard({ keys: false }))
})

test('a wrong key tells nothing of the right one', async (t) => {
  const { get, makeKey, ofKey } = await buildWithKeys(t)
  const { createKeyTexts } = await import('../../../lib/features/api-keys/key-text.ts')
  const { id } = await makeKey()
  const forged = createKeyTexts('fja').make(id).key
  const unknown = createKeyTexts('fja').make('019c2a64-6f3e-7b42-9c39-5d6bb1a3f0d1').key
  const invalid = { statusCode: 401, code: 'ACCOUNTS_TOKEN_INVALID' }
  const ask = async (key: string) => (await get('/keyed', key)).json()
  for (const key of [forged, unknown, 'fja_', `${forged}a`]) t.match(await ask(key), invalid)
  await ofKey('DELETE', `/${id}`)
  t.match(await ask(forged), invalid, 'also once that is over')
})

test('wrong keys hold up their network, and no key', async (t) => {
  const { get, makeKey } = await buildWithKeys(t, { throttle: { network: 3 } })
  const { createKeyTexts } = await import('../../../lib/features/api-keys/key-text.ts')
  const { id, key } = await makeKey()
  const guess = async () => (await get('/keyed', createKeyTexts('fja').make(id).key)).statusCode
  const answers = [await guess(), await guess(), await guess(), await guess(), await guess()]
  t.strictSame(answers, [401, 401, 401, 429, 429])
  t.equal((await get('/keyed', key)).statusCode, 200, 'who has the right one is let in, also at first sight')
  t.match((await get('/keyed', 'fja_typo')).json(), { statusCode: 401 }, 'and a typo is no guess')
})

test('the app is asked about keys as about tokens', async (t) => {
  const seen: object[] = []
  let isRight = true
  const { get, makeKey, ofKey } = await buildWithKeys(t, {
    verifyClaims: (claims) => isRight && Boolean(seen.push(claims)),
    isRevoked: ({ sub }) => sub === 'nobody',
  })
  const { id, key } = await makeKey({ scopes: ['orders:read'] })
  seen.length = 0
  t.equal((await get('/keyed', key)).statusCode, 200)
  t.match(seen, [{ scope: 'orders:read' }])
  isRight = false
  t.match((await get('/keyed', key)).json(), { code: 'ACCOUNTS_CLAIMS_REFUSED' })
  isRight = true
  await ofKey('DELETE', `/${id}`)
  t.match((await get('/keyed', key)).json(), { code: 'ACCOUNTS_TOKEN_REVOKED' })
})

test('no JWT passes for a key, nor a key for a JWT', async (t) => {
  const { ada, get } = await buildWithKeys(t)
  const { header, payload } = decode(ada.access_token)
  const { auth_time: _, ...without } = payload
  const forged = mint(header, { ...without, client_id: payload.sub, scope: 'orders:read' })
  t.match((await get('/keyed', forged)).json(), { code: 'ACCOUNTS_TOKEN_INVALID' })
  t.match((await get('/orders', `fja_${ada.access_token}`)).json(), { code: 'ACCOUNTS_TOKEN_INVALID' })
})
