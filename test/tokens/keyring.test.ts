import { constants, createPublicKey, generateKeyPairSync, verify, type JsonWebKey } from 'node:crypto'
import { join } from 'node:path'
import jwt from '@fastify/jwt'
import t from 'tap'
import accounts, { type AccountsOptions, type TokenResponse } from '../../lib/index.ts'
import { bearer, build, cheap, client, decode, password, secret } from '../support/build.ts'
import { ecdsa, genuine, hmac, serialisations, signers } from './signer.ts'
import { Fastify } from '../support/fastify.ts'

type Keys = NonNullable<AccountsOptions['secret']>

const options = { db: ':memory:', secret, password: cheap }

t.test("a host's own @fastify/jwt works beside ours, and gets none of our keys", async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(jwt, { secret: 'the key of the host' })
  await app.register(accounts, options)
  app.get('/guarded', { preHandler: app.authenticate }, async ({ user }) => user)
  app.get('/own', { preHandler: async (request) => { await request.jwtVerify() } }, async ({ user }) => user)
  const { access_token: token } = await client(app).signUp()

  const own = app.jwt.sign({ own: true })
  const answers = async (text: string) =>
    Promise.all(['/guarded', '/own'].map(async (url) => (await app.inject({ url, headers: bearer(text) })).statusCode))
  t.same(await answers(token), [200, 401])
  t.same(await answers(own), [401, 200])
  t.same(Object.keys(app.jwt).filter((name) => name.startsWith('accounts')), [])
})

t.test('two scopes may each have accounts of their own, though the host has a jwt', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(jwt, { secret: 'the key of the host' })
  for (const [prefix, key] of [['/a', secret], ['/b', secret.toLowerCase()]] as const) {
    await app.register(async (scope) => {
      await scope.register(accounts, { ...options, secret: key, prefix: '/auth' })
      scope.get('/guarded', { preHandler: scope.authenticate }, async ({ user }) => user)
    }, { prefix })
  }
  const payload = { username: 'ada', password: 'correct horse battery staple' }
  const { access_token: token } = (await app.inject({ method: 'POST', url: '/a/auth/register', payload })).json()
  t.equal((await app.inject({ url: '/a/guarded', headers: bearer(token) })).statusCode, 200)
  t.equal((await app.inject({ url: '/b/guarded', headers: bearer(token) })).statusCode, 401)
})

const kidOf = (token: string): string => decode(token).header.kid
const kidsOf = ({ access_token: access, refresh_token: refresh }: TokenResponse) => [kidOf(access), kidOf(refresh)]

const elliptic = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const edwards = generateKeyPairSync('ed25519')
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const olderSecret = [...secret].reverse().join('')

/** Ways from one key to the next: what the server had, what it has now, what it will have once the old one is gone. */
const rotations: [what: string, old: Keys, both: Keys, next: Keys][] = [
  ['one secret to another', olderSecret, [secret, olderSecret], secret],
  ['HS256 to ES256', secret, [{ private: elliptic.privateKey }, secret], [{ private: elliptic.privateKey }]],
  [
    'ES256 to RS256, the old key in public only',
    { private: elliptic.privateKey },
    [{ private: rsa.privateKey }, { public: elliptic.publicKey }],
    { private: rsa.privateKey },
  ],
]

for (const [what, old, both, next] of rotations) {
  t.test(`old tokens live on from ${what}, until the old key is gone`, async (t) => {
    const db = join(t.testdir({}), 'accounts.sqlite')
    const [before, during, after] = await Promise.all([old, both, next].map((keys) => build(t, { secret: keys, db })))
    const first = await before!.signUp()

    t.equal((await during!.get('/auth/me', first.access_token)).statusCode, 200)
    t.equal((await during!.post('/with-refresh', {}, first.refresh_token)).statusCode, 200)
    const refreshed: TokenResponse = (await during!.refresh(first.refresh_token)).json()
    const login = await during!.signIn()
    t.strictSame(
      [...kidsOf(refreshed), ...kidsOf(login)],
      Array(4).fill(kidOf(login.access_token)),
      'what is new has the new name'
    )
    t.notSame(kidOf(login.access_token), kidOf(first.access_token))
    t.equal((await during!.get('/auth/me', refreshed.access_token)).statusCode, 200)

    for (const [kind, answer] of [
      ['access', await after!.get('/auth/me', first.access_token)],
      ['refresh', await after!.refresh(first.refresh_token)],
      ['logout', await after!.post('/auth/logout', { refresh_token: first.refresh_token })],
    ] as const) {
      t.match(answer.json(), { statusCode: 401, code: 'ACCOUNTS_TOKEN_INVALID' }, kind)
    }
    t.equal((await after!.get('/auth/me', refreshed.access_token)).statusCode, 200, 'and the new ones go on')
    t.equal((await after!.refresh(refreshed.refresh_token)).statusCode, 200)
    t.equal(
      (await before!.get('/auth/me', refreshed.access_token)).statusCode,
      401,
      'a server without the new key knows none of them'
    )
  })
}

t.test('with two keys, no token of the one passes under the name of the other', async (t) => {
  const db = join(t.testdir({}), 'accounts.sqlite')
  const curve = {
    ...signers.ES256!,
    privateKey: elliptic.privateKey,
    sign: { access: ecdsa(elliptic.privateKey), refresh: ecdsa(elliptic.privateKey) },
  }
  const lists: Keys[] = [[secret, { private: elliptic.privateKey }], [{ private: elliptic.privateKey }, secret]]
  const [hmacFirst, curveFirst] = await Promise.all(lists.map((keys) => build(t, { secret: keys, db })))
  const ofSecret = await hmacFirst!.signUp()
  const ofCurve = await curveFirst!.signIn()
  const kids = { HS256: kidOf(ofSecret.access_token), ES256: kidOf(ofCurve.access_token) }
  const confused = Object.values(serialisations(elliptic.privateKey, { kid: kids.ES256, alg: 'ES256' }))

  for (const server of [hmacFirst!, curveFirst!]) {
    for (const kind of ['access', 'refresh'] as const) {
      const send = (token: string) =>
        kind === 'access' ? server.get('/auth/me', token) : server.post('/with-refresh', {}, token)
      const [real, other] = [genuine(kind, ofSecret[`${kind}_token`]), genuine(kind, ofCurve[`${kind}_token`], curve)]
      t.strictSame(
        [(await send(real.token)).statusCode, (await send(other.token)).statusCode],
        [200, 200],
        'both keys are good'
      )

      const forged = [
        // Right signatures under the other's name, with either label.
        ...['HS256', 'ES256'].flatMap((alg) => [
          real.mint({ ...real.header, alg, kid: kids.ES256 }, real.payload),
          other.mint({ ...other.header, alg, kid: kids.HS256 }, other.payload),
        ]),
        real.mint({ ...real.header, alg: 'ES256' }, real.payload),
        other.mint({ ...other.header, alg: 'HS256' }, other.payload),
        ...confused.flatMap((key) =>
          Object.values(kids).map((kid) => real.mint({ ...real.header, kid }, real.payload, hmac(key)))
        ),
      ]
      const codes = await Promise.all(forged.map(async (token) => (await send(token)).json().code))
      t.strictSame([...new Set(codes)], ['ACCOUNTS_TOKEN_INVALID'], `${forged.length} ${kind} tokens`)
    }
  }
})

t.test('values against CSRF that an old secret made still hold beside a new one', async (t) => {
  const db = join(t.testdir({}), 'accounts.sqlite')
  const keys: Keys[] = [olderSecret, [secret, olderSecret], [{ private: elliptic.privateKey }, olderSecret], secret]
  const [before, during, mixed, after] = await Promise.all(
    keys.map((secret) => build(t, { secret, db, transport: 'cookie' }))
  )
  const { cookies, ...answer } = await before!.post('/auth/register', { username: 'ada', password })
  const cookieOf = (name: string, from = cookies) => `${name}=${from.find((cookie) => cookie.name === name)!.value}`
  const send = ({ app }: typeof before & {}, cookie: string, value: string) =>
    app.inject({ method: 'POST', url: '/guarded', headers: { cookie, 'x-csrf-token': value } })
  const value = JSON.parse(answer.payload).csrf_token

  for (const server of [before!, during!, mixed!]) { t.equal((await send(server, cookieOf('__Host-access'), value)).statusCode, 200) }
  const login = await during!.post('/auth/login', { username: 'ada', password })
  t.equal(
    (await send(during!, cookieOf('__Host-access', login.cookies), login.json().csrf_token)).statusCode,
    200,
    'the new ones too'
  )
  t.equal(
    (await send(during!, cookieOf('__Host-access', login.cookies), value)).statusCode,
    403,
    'and none is for another session'
  )
  t.equal(
    (await send(after!, cookieOf('__Host-access', login.cookies), login.json().csrf_token)).statusCode,
    200,
    'made by the new key'
  )
})

/** Members of a JWK that no stranger may have (RFC 7518 §6). */
const privateMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']

t.test('the public keys are published, and nothing else of them', async (t) => {
  const keys = [
    { private: rsa.privateKey, algorithm: 'PS256' as const },
    { private: elliptic.privateKey.export({ format: 'jwk' }) },
    { public: edwards.publicKey },
    secret,
  ]
  const { app, get, signUp } = await build(t, { secret: keys })
  const answer = await get('/auth/jwks.json')
  const jwks: JsonWebKey[] = answer.json().keys

  t.equal(answer.statusCode, 200)
  t.match(answer.headers['content-type'], /^application\/jwk-set\+json(;|$)/)
  t.match(answer.headers['cache-control'], /^public, max-age=[1-9]\d*$/)
  t.notOk('pragma' in answer.headers || 'set-cookie' in answer.headers)
  t.strictSame(jwks.map(({ alg }) => alg), ['PS256', 'ES256', 'EdDSA'], 'and no HMAC')
  t.strictSame(
    jwks.map((jwk) => Object.keys(jwk).sort().join(' ')),
    ['alg e kid kty n use', 'alg crv kid kty use x y', 'alg crv kid kty use x']
  )
  t.ok(jwks.every((jwk) => jwk.use === 'sig' && !privateMembers.some((name) => name in jwk)))
  t.equal(new Set(jwks.map(({ kid }) => kid)).size, 3)

  const { access_token: token } = await signUp()
  const [head, body, tail] = token.split('.') as [string, string, string]
  const jwk = jwks.find(({ kid }) => kid === kidOf(token))!
  const key = {
    key: createPublicKey({ format: 'jwk', key: jwk }),
    padding: constants.RSA_PKCS1_PSS_PADDING,
    saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
  }
  t.ok(
    verify('sha256', Buffer.from(`${head}.${body}`), key, Buffer.from(tail, 'base64url')),
    'node:crypto verifies a token with what is published'
  )
  t.equal((await app.inject({ method: 'HEAD', url: '/auth/jwks.json' })).payload, '')
})

t.test('there is nothing to publish of HMAC secrets', async (t) => {
  const { get } = await build(t, { secret: [secret, olderSecret] })
  t.equal((await get('/auth/jwks.json')).statusCode, 404)
})

t.test('the next key is published before it signs', async (t) => {
  const db = join(t.testdir({}), 'accounts.sqlite')
  const [old, next] = [{ private: elliptic.privateKey }, { private: edwards.privateKey }]
  const lists: Keys[] = [[old, next], [old, { public: edwards.publicKey }], [next, old]]
  const [prepared, inPublic, changed] = await Promise.all(lists.map((keys) => build(t, { secret: keys, db })))
  const kidsAt = async ({ get }: NonNullable<typeof prepared>) =>
    (await get('/auth/jwks.json')).json().keys.map(({ kid }: JsonWebKey) => kid)
  const [oldKid, nextKid] = await kidsAt(prepared!)

  t.equal(kidOf((await prepared!.signUp()).access_token), oldKid)
  t.strictSame(await kidsAt(inPublic!), [oldKid, nextKid])
  t.strictSame(await kidsAt(changed!), [nextKid, oldKid], 'the signing one first')
  const { access_token: token } = await changed!.signIn()
  t.equal(kidOf(token), nextKid)
  for (const { get } of [prepared!, inPublic!]) { t.equal((await get('/auth/me', token)).statusCode, 200, 'who has not changed yet knows it') }
})

t.test('with a public key alone tokens are verified and none are issued', async (t) => {
  const db = join(t.testdir({}), 'accounts.sqlite')
  const issuer = await build(t, { secret: { private: elliptic.privateKey }, db })
  const verifier = await build(t, { secret: { public: elliptic.publicKey }, db })
  const { access_token: access, refresh_token: refresh, user } = await issuer.signUp()

  t.match((await verifier.get('/guarded', access)).json(), { user: { id: user.id, username: 'ada' } })
  t.equal((await verifier.get('/auth/me', access)).statusCode, 200)
  t.equal((await verifier.post('/with-refresh', {}, refresh)).statusCode, 200)
  t.match(await verifier.app.accounts.verify(access), { user: { id: user.id } })
  t.match((await verifier.get('/auth/jwks.json')).json(), { keys: [{ kid: kidOf(access), alg: 'ES256' }] })

  for (const [route, body] of [
    ['register', { username: 'eve', password }],
    ['login', { username: 'ada', password }],
    ['refresh', { refresh_token: refresh }],
    ['reauthenticate', { password }],
  ] as const) {
    t.equal((await verifier.post(`/auth/${route}`, body, access)).statusCode, 404, route)
  }
  await t.rejects(verifier.app.accounts.issueTokens(user.id), { code: 'ACCOUNTS_ISSUING_OFF', statusCode: 501 })

  t.equal((await verifier.post('/auth/logout', { refresh_token: refresh })).statusCode, 204)
  t.match((await verifier.get('/guarded', access)).json(), { code: 'ACCOUNTS_TOKEN_REVOKED' })
  t.match((await issuer.refresh(refresh)).json(), { code: 'ACCOUNTS_TOKEN_REVOKED' })
})

t.test('with public keys alone cookies are trusted where the browser vouches for the sender', async (t) => {
  const db = join(t.testdir({}), 'accounts.sqlite')
  const issuer = await build(t, { secret: { private: elliptic.privateKey }, db, transport: 'cookie' })
  const { app } = await build(t, {
    secret: [{ public: elliptic.publicKey }, { public: edwards.publicKey }],
    db,
    transport: 'cookie',
  })
  const { cookies } = await issuer.post('/auth/register', { username: 'ada', password })
  const cookie = `__Host-access=${cookies.find(({ name }) => name === '__Host-access')!.value}`
  const statusOf = async (headers: object) =>
    (await app.inject({ method: 'POST', url: '/guarded', headers: { cookie, ...headers } })).statusCode

  t.equal(await statusOf({ 'sec-fetch-site': 'same-origin' }), 200)
  t.equal(await statusOf({ 'sec-fetch-site': 'cross-site' }), 403)
  t.equal(await statusOf({ 'x-csrf-token': 'x' }), 403)
  t.equal(await statusOf({}), 403)
})
