// In a process of its own: it sets the environment and moves the clock.
import { Type } from '@sinclair/typebox'
import t from 'tap'
import accounts, { errors } from '../lib/index.ts'
import { apiKey, clock, enrolTotp, fastHasher, signIn, type SignInOptions } from '../lib/testing.ts'
import { build, password, secret, untold } from './support/build.ts'
import { Fastify } from './support/fastify.ts'

t.test('somebody is signed in without a password, with roles and fields, as fresh as after a login', async (t) => {
  const { app } = await build(t, { user: { fields: { displayName: Type.String() } } })
  app.get('/fresh', { preHandler: app.accounts.guard({ roles: ['admin'], fresh: true }) }, async ({ user }) => user)
  const { user, headers, tokens, cookies } = await signIn(
    app,
    untold({ email: 'ada@example.com', roles: ['admin'], displayName: 'Ada' })
  )

  t.match((await app.inject({ url: '/fresh', headers })).json(), {
    id: user.id,
    email: 'ada@example.com',
    displayName: 'Ada',
    roles: ['admin'],
  })
  t.match(tokens, { access_token: /./, refresh_token: /./ })
  t.strictSame(cookies, {})
})

t.test('who is there stays as they are, and has one session more', async (t) => {
  const { app } = await build(t)
  const [first, second] = [await signIn(app), await signIn(app, { username: 'ADA', roles: ['admin'] })]
  t.equal(first.user.id, second.user.id)
  t.strictSame(second.user.roles, [])
  t.equal((await app.accounts.sessions.list(first.user.id)).length, 2)
  t.match(await signIn(app, 'eve@example.com'), { user: { username: null, email: 'eve@example.com' } })
})

t.test('tests that sign in somebody at once make them once', async (t) => {
  const { app } = await build(t)
  const all = await Promise.all(Array.from({ length: 8 }, () => signIn(app, 'bob')))
  t.equal(new Set(all.map(({ user }) => user.id)).size, 1)
})

t.test('nobody is signed in whom there cannot be', async (t) => {
  const { app } = await build(t)
  await t.rejects(signIn(app, ''), { code: 'ACCOUNTS_INPUT_INVALID' })
  await t.rejects(signIn(app, {}), { code: 'ACCOUNTS_INPUT_INVALID' })
  await t.rejects(signIn(app, 'ada', { name: 'admins' }), {
    code: 'ACCOUNTS_OPTIONS_INVALID',
    message: /no accounts named admins/,
  })
  const { user } = await signIn(app)
  await app.accounts.users.disable(user.id)
  await t.rejects(signIn(app), { code: 'ACCOUNTS_NOT_FOUND' })
})

t.test('cookies come where the app has them, and pass its guards and its proof against CSRF', async (t) => {
  const { app } = await build(t, { transport: 'both', csrf: { header: 'x-proof' } })
  const { headers, cookies } = await signIn(app)
  t.match(await app.inject({ url: '/guarded', headers }), { statusCode: 200 })
  t.match(
    await app.inject({ method: 'POST', url: '/guarded', cookies, headers: { 'sec-fetch-site': 'same-origin' } }),
    { statusCode: 200 }
  )
  t.match(await app.inject({ method: 'POST', url: '/guarded', headers }), { statusCode: 200 })

  const { tokens } = await signIn(app, 'ada', { transport: 'body' })
  t.equal(
    (await app.inject({ url: '/guarded', headers: { authorization: `Bearer ${tokens.access_token}` } })).statusCode,
    200
  )
  t.match(await signIn(app, 'ada', { transport: 'cookie' }), { cookies: { '__Host-access': /./ } })
})

t.test('somebody is signed in with the data that their session is to hold', async (t) => {
  const { app } = await build(t, {
    sessions: { data: Type.Object({ tenant: Type.String() }) },
    claims: (_user, _request, { data }) => ({ tenant: data?.tenant }),
    hooks: { onSession: () => ({ tenant: 'globex' }) },
  })
  const tenantOf = async (options: SignInOptions) => {
    const { tokens } = await signIn(app, 'ada', { ...options, transport: 'body' })
    return (await app.accounts.verify(tokens.access_token)).claims
  }
  t.match(await tenantOf({ data: { tenant: 'acme' } }), { tenant: 'acme' })
  t.match(await tenantOf({}), { tenant: 'globex' })
})

t.test('accounts of another name are signed in to, also before the app has booted', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  app.register(accounts, { db: ':memory:', secret, name: 'admins' })
  app.register(async (scope) => {
    scope.get(
      '/admin',
      { preHandler: (app as unknown as { admins: typeof app.accounts }).admins.authenticate },
      async () => 'secret'
    )
  })
  await t.rejects(signIn(app, 'ada', { nam: 'admins' } as never), {
    code: 'ACCOUNTS_OPTIONS_INVALID',
    message: /nam is not an option of signIn\(\)/,
  })
  const { headers } = await signIn(app, 'ada', { name: 'admins' })
  t.equal((await app.inject({ url: '/admin', headers })).statusCode, 200)
})

t.test('a clock moves the time, and gives it back', async (t) => {
  const { app } = await build(t)
  const began = Date.now()
  const time = clock()
  t.teardown(() => time.restore())
  const { headers } = await signIn(app)

  time.advance('14m')
  time.advance(59)
  t.equal((await app.inject({ url: '/guarded', headers })).statusCode, 200)
  time.advance('1s')
  t.match((await app.inject({ url: '/guarded', headers })).json(), { code: 'ACCOUNTS_TOKEN_EXPIRED' })
  for (const wrong of ['900', -1, NaN]) { t.throws(() => time.advance(wrong as number), { code: 'ACCOUNTS_OPTIONS_INVALID' }) }

  time.restore()
  t.ok(Date.now() - began < 600_000)
  const fixed = clock(new Date('2040-01-01'))
  t.equal(new Date().getUTCFullYear(), 2040)
  fixed.restore()
})

for (const [whose, hold] of [
  ['a clock of the kit', () => clock()],
  ['a clock of Jest and of Vitest', () => {
    const { now } = Date
    let passed = 0
    const restore = () => {
      Date.now = now
      delete (Date as { isFake?: boolean }).isFake
    }
    Object.assign(Date, { now: () => now() + passed, isFake: true })
    return { advance: () => { passed += 31 * 86_400_000 }, restore }
  }],
] as const) {
  t.test(`${whose} prunes as time would`, async (t) => {
    const { app } = await build(t)
    const time = hold()
    t.teardown(() => time.restore())
    await signIn(app)
    t.match(await app.accounts.prune(), { sessions: 0 })
    time.advance('31d')
    t.match(await app.accounts.prune(), { sessions: 1 })
    t.match(await app.accounts.check(), { healthy: true, clockSkewMs: 0 })
  })
}

t.test('the fast hasher knows its own hashes, and works nowhere but in tests', async (t) => {
  const hash = await fastHasher.hash(password)
  t.equal(await fastHasher.verify(hash, password), true)
  t.equal(await fastHasher.verify(hash, `${password}!`), false)
  t.equal(await fastHasher.verify('$argon2id$v=19$m=19456', password), false)
  t.equal(await fastHasher.hash('cafe\u0301'), await fastHasher.hash('caf\u00e9'))
  t.strictSame([fastHasher.needsRehash(hash), fastHasher.needsRehash('$argon2id$')], [false, true])

  t.intercept(process, 'env', { value: { ...process.env, NODE_ENV: 'production' } })
  await t.rejects(fastHasher.hash(password), errors.OptionsInvalid)
  await t.rejects(fastHasher.verify(hash, password), errors.OptionsInvalid)
})

t.test('an app of the tests signs people in with the fast hasher', async (t) => {
  const { app, signUp, post } = await build(t, { password: { hasher: fastHasher } })
  await signUp()
  t.equal((await post('/auth/login', { username: 'ada', password })).statusCode, 200)
  t.equal((await post('/auth/login', { username: 'ada', password: `${password}!` })).statusCode, 401)
  t.ok(await app.accounts.users.verifyPassword('ada', password))
})

t.test('a sign-in takes about a millisecond', async (t) => {
  const { app } = await build(t)
  const times: number[] = []
  for (let round = 0; round < 200; round++) {
    const begun = performance.now()
    await signIn(app, `user-${round}`)
    times.push(performance.now() - begun)
  }
  t.comment(`median of 200 new users: ${times.toSorted((a, b) => a - b)[100]!.toFixed(2)} ms`)
  t.equal((await app.accounts.users.list({ limit: 100 })).users.length, 100)
})

t.test('an authenticator app is set up without a phone, whose codes sign in', async (t) => {
  const { app, post } = await build(t, { factors: true })
  const time = clock(new Date('2026-01-05T08:00:15.000Z'))
  t.teardown(time.restore)
  const { id } = await app.accounts.users.create({ username: 'ada', password })
  const { code, recoveryCodes } = await enrolTotp(app, 'ada')
  t.equal(recoveryCodes.length, 10)
  const verify = async (proof: object) => {
    const { ticket } = (await post('/auth/login', { username: 'ada', password })).json()
    return (await post('/auth/factors/verify', { ticket, ...proof })).statusCode
  }
  for (let index = 0; index < 2; index++) t.equal(await verify({ code: code() }), 200)
  t.throws(code, { message: /move the clock on by 30 s/ })
  time.advance('30s')
  t.equal(await verify({ code: code() }), 200)
  t.equal(await verify({ recovery_code: recoveryCodes[0] }), 200)

  const again = await enrolTotp(app, { id })
  t.equal(await verify({ code: again.code() }), 200, 'another takes its place')
  await t.rejects(enrolTotp(app, 'nobody'), { code: 'ACCOUNTS_NOT_FOUND' })
  await t.rejects(enrolTotp(app, '01980c1e-6f3a-7c52-9d41-5b0e8f2a7c13'), { code: 'ACCOUNTS_NOT_FOUND' })
})

t.test('somebody is signed in at a level', async (t) => {
  const { app, get } = await build(t, { factors: true })
  for (const [acr, amr] of [['aal1', ['pwd']], ['aal2', ['pwd', 'otp', 'mfa']], ['phr', ['pop', 'user', 'mfa']]] as const) {
    const { tokens } = await signIn(app, 'ada', { acr, transport: 'body' })
    t.match((await get('/guarded', tokens.access_token)).json().auth, { acr, amr })
  }
  await enrolTotp(app, 'ada')
  await t.rejects(signIn(app, 'ada'), { code: 'ACCOUNTS_FACTOR_REQUIRED' })
})

t.test('an admin has borrowed the session of somebody, and nothing else is said of it', async (t) => {
  const { app, get } = await build(t, { admin: { impersonation: true }, routes: { users: true } })
  const { tokens, user } = await signIn(app, 'ada', { actor: 'root' })
  const root = (await app.accounts.users.find('root'))!
  t.match((await get('/guarded', tokens.access_token)).json(), { user: { id: user.id }, auth: { actor: root.id } })
  await t.rejects(signIn(app, 'ada', { actor: 'root', acr: 'aal2' }), {
    code: 'ACCOUNTS_OPTIONS_INVALID', message: /signIn\(\) has no acr for a session that is borrowed/,
  })
})

t.test('no authenticator app is set up in production, or without the option', async (t) => {
  const { app } = await build(t)
  await signIn(app)
  await t.rejects(enrolTotp(app, 'ada'), { message: /no authenticator apps without the option factors/ })
  process.env.NODE_ENV = 'production'
  t.teardown(() => delete process.env.NODE_ENV)
  await t.rejects(enrolTotp(app, 'ada'), { message: /enrolTotp is for tests, and NODE_ENV is production/ })
})

t.test('apiKey makes a key in a line, of somebody who is there or not', async (t) => {
  const { app } = await build(t, { keys: { scopes: ['orders:read'] } })
  app.get('/keyed', { preHandler: app.accounts.guard({ keys: true, scopes: ['orders:read'] }) }, async ({ user }) => user)
  const { headers, id, key, user } = await apiKey(app, 'eve', { scopes: ['orders:read'] })
  t.match((await app.inject({ url: '/keyed', headers })).json(), { username: 'eve' })
  t.strictSame((await app.accounts.keys.list(user.id)).map((each) => each.id), [id])
  t.match(key, /^fja_/)
  const again = await apiKey(app, { username: 'eve' })
  t.equal(again.user.id, user.id)
  t.equal((await app.inject({ url: '/keyed', headers: again.headers })).statusCode, 403)
  t.match(await apiKey(app), { user: { username: 'ada' } })
})

t.test('apiKey says what is missing', async (t) => {
  const code = 'ACCOUNTS_OPTIONS_INVALID'
  const { app } = await build(t)
  await t.rejects(apiKey(app), { code, message: /needs the option keys/ })
  await t.rejects(apiKey(app, 'ada', { name: 'others' }), { code, message: /no accounts named others/ })
  await t.rejects(apiKey(app, 'ada', { scope: 'x' } as never), { code })
})
