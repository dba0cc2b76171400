import { generateKeyPairSync } from 'node:crypto'
import t, { type Test } from 'tap'
import accounts, { type AccountsOptions } from '../../../lib/index.ts'
import { build, cheap, secret } from '../../support/build.ts'
import { Fastify } from '../../support/fastify.ts'

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const clients = [{ id: 'orders', secret }]
const issuer = 'https://accounts.example.com'
const on: AccountsOptions = { secret: { private: privateKey }, issuer, discovery: true }

/** An app whose accounts are registered below a prefix of the app's own, and what it has logged. */
async function buildBelow (t: Test, prefix: string, options: AccountsOptions) {
  const lines: string[] = []
  const app = Fastify({ logger: { level: 'warn', stream: { write: (line: string) => { lines.push(line) } } } })
  t.teardown(() => app.close())
  await app.register(async (scope) => {
    await scope.register(accounts, { db: ':memory:', password: cheap, ...on, ...options })
  }, { prefix })
  await app.ready()
  return { app, lines }
}

t.test('whoever knows the issuer finds its keys, and what others are offered', async (t) => {
  const { get } = await build(t, { ...on, introspection: { clients }, routes: { revoke: '/oauth/revoke' } })
  const found = await get('/.well-known/openid-configuration')
  t.equal(found.statusCode, 200)
  t.match(found.headers, { 'content-type': /^application\/json/, 'cache-control': 'public, max-age=300' })
  t.same(found.json(), {
    issuer,
    jwks_uri: `${issuer}/.well-known/jwks.json`,
    introspection_endpoint: `${issuer}/auth/introspect`,
    introspection_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post'],
    revocation_endpoint: `${issuer}/auth/oauth/revoke`,
    revocation_endpoint_auth_methods_supported: ['none'],
    id_token_signing_alg_values_supported: ['ES256'],
    grant_types_supported: [],
    response_types_supported: [],
    subject_types_supported: ['public'],
  })
  t.equal((await get('/.well-known/oauth-authorization-server')).body, found.body)

  const keys = await get('/.well-known/jwks.json')
  t.match(keys.headers['content-type'], /^application\/jwk-set\+json/)
  t.same(keys.json(), (await get('/auth/jwks.json')).json())
})

t.test('nothing is told that is not on, and each algorithm once', async (t) => {
  const rsa = () => generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
  const keys = [{ private: privateKey }, { private: rsa() }, { private: rsa() }]
  const { get } = await build(t, { ...on, secret: keys, routes: { jwks: false } })
  const found = (await get('/.well-known/openid-configuration')).json()
  t.notOk(Object.keys(found).some((name) => name.includes('endpoint')))
  t.same(found.id_token_signing_alg_values_supported, ['ES256', 'RS256'])
  t.equal((await get('/.well-known/jwks.json')).json().keys.length, 3)
})

t.test('an issuer with a path is found where both standards put it', async (t) => {
  for (const shop of ['https://example.com/shop', 'https://example.com/shop/']) {
    const { get } = await build(t, { ...on, issuer: shop })
    const found = await get('/shop/.well-known/openid-configuration')
    t.match(found.json(), { issuer: shop, jwks_uri: 'https://example.com/shop/.well-known/jwks.json' })
    t.equal((await get('/.well-known/oauth-authorization-server/shop')).body, found.body)
    t.equal((await get('/shop/.well-known/jwks.json')).json().keys.length, 1)
    t.equal((await get('/.well-known/openid-configuration')).statusCode, 404)
  }
})

t.test('accounts below a prefix of the app tell at the root what they can, and say what they cannot', async (t) => {
  const { app, lines } = await buildBelow(t, '/shop', {
    issuer: 'https://example.com/shop', introspection: { clients },
  })
  const found = await app.inject('/shop/.well-known/openid-configuration')
  t.match(found.json(), { introspection_endpoint: 'https://example.com/shop/auth/introspect' })
  t.equal((await app.inject('/shop/.well-known/oauth-authorization-server/shop')).body, found.body)
  t.equal(lines.length, 1)
  t.match(lines[0], 'Verifiers look for /.well-known/oauth-authorization-server/shop, and these accounts are below /shop')
})

t.test('it is off unless it is asked for', async (t) => {
  const { get } = await build(t, { secret: { private: privateKey }, issuer })
  for (const name of ['openid-configuration', 'oauth-authorization-server', 'jwks.json']) {
    t.equal((await get(`/.well-known/${name}`)).statusCode, 404)
  }
})

t.test('an app with public keys alone may tell of the issuer too', async (t) => {
  const { get } = await build(t, { ...on, secret: { public: publicKey } })
  t.equal((await get('/.well-known/jwks.json')).json().keys.length, 1)
})

t.test('without an asymmetric key or an https issuer, and a second time on one server, it is refused', async (t) => {
  const refused: [options: AccountsOptions, message: RegExp][] = [
    [{ ...on, secret }, /discovery needs an asymmetric key/],
    ...['accounts', 'http://example.com', 'https://example.com?a', 'https://example.com/#a', 'https://'].map(
      (issuer): [AccountsOptions, RegExp] => [{ ...on, issuer }, /discovery needs an issuer that is an https URL/]),
  ]
  for (const [options, message] of refused) {
    await t.rejects(build(t, options), { code: 'ACCOUNTS_OPTIONS_INVALID', message }, options.issuer!)
  }
  const { app } = await build(t, on)
  await t.rejects(
    (async () => {
      await app.register(accounts, { ...on, name: 'staff', prefix: '/staff', issuer: 'https://staff.example.com', db: ':memory:' })
    })(),
    { code: 'ACCOUNTS_OPTIONS_INVALID', message: /discovery is on for other accounts of this server/ }
  )
})
