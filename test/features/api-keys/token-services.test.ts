// On each database.
import { test } from 'tap'
import { bearer } from '../../support/build.ts'
import { buildWithKeys } from './with-keys.ts'

const client = { client_id: 'shop', client_secret: 'x'.repeat(32) }
const introspection = { clients: [{ id: client.client_id, secret: client.client_secret }] }

test('whoever finds a key can end it', async (t) => {
  const { app, get, makeKey, post } = await buildWithKeys(t, { routes: { revoke: true } })
  const [one, other] = [await makeKey(), await makeKey()]
  t.equal((await get('/keyed', one.key)).statusCode, 200)
  t.equal((await post('/auth/revoke', { token: one.key })).statusCode, 200)
  t.equal((await get('/keyed', one.key)).statusCode, 401)
  for (const token of [one.key, 'fja_none']) t.equal((await post('/auth/revoke', { token })).statusCode, 200)

  await app.accounts.revoke(other.key)
  t.equal((await get('/keyed', other.key)).statusCode, 401)
  await t.rejects(app.accounts.revoke(other.key), { code: 'ACCOUNTS_TOKEN_REVOKED' })
})

test('introspection tells of a key, and uses it not', async (t) => {
  let isRight = true
  const { ada, app, makeKey, ofKey, post } = await buildWithKeys(t, { introspection, verifyClaims: () => isRight })
  const { id, key, expires_at: expiresAt } = await makeKey({ scopes: ['orders:read'] })
  const ask = async (token: string) => (await post('/auth/introspect', { token, ...client })).json()
  t.strictSame(await ask(key), {
    active: true,
    token_type: 'Bearer',
    username: 'ada',
    sub: ada.user.id,
    client_id: ada.user.id,
    scope: 'orders:read',
    exp: Math.floor(Date.parse(expiresAt) / 1000),
  })
  t.match((await ofKey('GET', '')).json(), { keys: [{ last_used_at: null }] })
  isRight = false
  t.strictSame(await ask(key), { active: false })
  isRight = true
  t.strictSame(await ask(`${key.slice(0, -1)}!`), { active: false })
  await app.accounts.keys.revoke(ada.user.id, id)
  t.strictSame(await ask(key), { active: false })
})

test('an export holds the keys, and not their texts', async (t) => {
  const { ada, app, makeKey } = await buildWithKeys(t)
  const { key, ...made } = await makeKey()
  const { body, ...answer } = await app.inject({ url: '/auth/me/export', headers: bearer(ada.access_token) })
  t.match(JSON.parse(body), { keys: [made] })
  t.equal(answer.statusCode, 200)
  t.notMatch(body, key)
})
