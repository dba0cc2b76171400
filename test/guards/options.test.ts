// On each database.
import { mock } from 'node:test'
import t, { type Test } from 'tap'
import type { GuardOptions } from '../../lib/index.ts'
import { build, buildOnFile } from '../support/build.ts'
import { until } from '../support/waiting.ts'

const whoami = async ({ user, auth }: { user: unknown, auth: unknown }) => ({ user, auth })

/** An app with one route behind this guard, at /it. */
async function behind (t: Test, options: GuardOptions) {
  const built = await buildOnFile(t, {}, { logger: { level: 'silent' } })
  built.app.get('/it', { preHandler: built.app.accounts.guard(options) }, whoami)
  built.app.post('/it', { preHandler: built.app.accounts.guard(options) }, whoami)
  return built
}

t.test('a guard with options that are not is refused where it is written', async (t) => {
  const { app } = await build(t)
  const refused: [options: object, named: RegExp][] = [
    [{ type: 'id' }, /type/],
    [{ type: null }, /type/],
    [{ optional: 'always' }, /optional/],
    [{ optional: null }, /optional/],
    [{ fresh: 0 }, /fresh/],
    [{ fresh: '10' }, /fresh/],
    [{ fresh: null }, /fresh/],
    [{ fresh: ['10m'] }, /fresh/],
    [{ roles: 'admin' }, /roles/],
    [{ roles: [''] }, /roles/],
    [{ roles: [1] }, /roles/],
    [{ verified: 'yes' }, /verified/],
    [{ check: true }, /check/],
    [{ type: 'id', roles: 'admin' }, /type [^;]+; [^;]*roles/],
    [{ role: 'admin' }, /guard role is not an option/],
    [{ locations: ['path'] }, /locations/],
    [{ locations: [] }, /locations/],
    [{ locations: ['query', 'query'] }, /locations/],
    [{ type: 'refresh', locations: ['protocol'] }, /protocol' has access tokens alone/],
    [{ consistency: 'loose' }, /consistency/],
    [{ consistency: 'stateless', roles: ['admin'] }, /stateless/],
    [{ consistency: 'stateless', type: 'any' }, /stateless/],
    [{ consistency: 'stateless', verified: true }, /stateless/],
    ...[{ roles: ['admin'] }, { fresh: true }, { verified: true }, { check: () => true }].map((more): [object, RegExp] => [
      { optional: true, ...more },
      /optional lets anybody in/,
    ]),
  ]
  for (const [options, message] of refused) { t.throws(() => app.accounts.guard(options as GuardOptions), { code: 'ACCOUNTS_OPTIONS_INVALID', message }) }
  t.throws(() => app.get('/x', { onRequest: app.accounts.guard({ type: 'any' }) }, whoami), {
    message: /authenticateAny in onRequest/,
  })
  t.throws(() => app.get('/y', { preHandler: app.accounts.guard as never }, whoami), {
    code: 'ACCOUNTS_OPTIONS_INVALID',
    message: /GET \/y has app\.accounts\.guard itself as a hook: call it/,
  })
  t.throws(() => app.accounts.protect({ roles: ['admin'] } as never), {
    code: 'ACCOUNTS_OPTIONS_INVALID',
    message: /needs a scope/,
  })
  t.throws(() => app.accounts.protect(undefined as never), { message: /needs a scope/ })
  t.doesNotThrow(() => app.accounts.guard(Object.freeze({ roles: Object.freeze(['admin']) as string[] })))
  t.doesNotThrow(
    () => app.accounts.guard({ type: 'access', optional: false, fresh: false, roles: [], consistency: 'cached' }),
    'the defaults, spelt out'
  )
})

t.test('roles: the user must have all of them, as they are now', async (t) => {
  const { app, get, signUp } = await behind(t, { roles: ['admin', 'editor'] })
  const { access_token: token, user } = await signUp()
  const setRoles = (...roles: string[]) => app.accounts.users.setRoles(user.id, roles)
  t.equal((await get('/it')).statusCode, 401)

  for (const roles of [[], ['admin'], ['editor', 'Admin'], ['administrator', 'editor']]) {
    await setRoles(...roles)
    const answer = await get('/it', token)
    t.match(answer.json(), { statusCode: 403, code: 'ACCOUNTS_FORBIDDEN' }, roles.join())
    t.match(answer.headers['www-authenticate'], /^Bearer realm="accounts", error="insufficient_scope"/)
  }
  await setRoles('editor', 'reader', 'admin')
  t.match((await get('/it', token)).json().user, { username: 'ada' })
})

t.test("verified: the user's address was proved to be theirs, which is asked after their roles", async (t) => {
  const { app, get } = await behind(t, { roles: ['clerk'], verified: true })
  const { issueTokens, users } = app.accounts
  const ada = await users.create({ username: 'ada', email: 'ada@example.com', emailVerifiedAt: new Date() })
  const bob = await users.create({ username: 'bob', email: 'bob@example.com' })
  const [ofAda, ofBob] = await Promise.all([ada, bob].map(async ({ id }) => (await issueTokens(id)).access_token))
  t.match((await get('/it', ofBob)).json(), { statusCode: 403, code: 'ACCOUNTS_FORBIDDEN' })

  for (const { id } of [ada, bob]) await users.setRoles(id, ['clerk'])
  t.match((await get('/it', ofAda)).json().user, { username: 'ada', email_verified: true })
  t.match((await get('/it', ofBob)).json(), { statusCode: 403, code: 'ACCOUNTS_EMAIL_UNVERIFIED' })
  // From memory, once the log was read in which the roles stand: whoever reads it forgets the users.
  await until(async () => {
    const before = app.accounts.counters.usersRead
    for (const token of [ofAda, ofBob]) await get('/it', token)
    return app.accounts.counters.usersRead === before
  })

  await users.update(ada.id, { email: 'lovelace@example.com' })
  t.match((await get('/it', ofAda)).json(), { statusCode: 403, code: 'ACCOUNTS_EMAIL_UNVERIFIED' })
})

t.test('check: only true lets the request in, and one that throws says nothing of why', async (t) => {
  let verdict: () => unknown = () => true
  const seen: unknown[] = []
  const { get, signUp } = await behind(t, {
    check: (user, request) => {
      seen.push([user.username, request.url])
      return verdict() as boolean
    },
  })
  const { access_token: token } = await signUp()
  t.equal((await get('/it', token)).statusCode, 200)
  t.same(seen, [['ada', '/it']])

  for (const value of [false, undefined, null, 0, 1, 'true', {}, []]) {
    verdict = () => value
    t.match((await get('/it', token)).json(), { statusCode: 403, code: 'ACCOUNTS_FORBIDDEN' })
    verdict = async () => value
    t.match((await get('/it', token)).json(), { statusCode: 403, code: 'ACCOUNTS_FORBIDDEN' })
  }
  verdict = () => { throw Object.assign(new Error('the secret of the house'), { statusCode: 200 }) }
  t.same((await get('/it', token)).json(), {
    statusCode: 500,
    error: 'Internal Server Error',
    message: 'Internal Server Error',
  })
})

t.test('fresh: the password was checked lately, and a refresh makes it no fresher', async (t) => {
  for (const [fresh, seconds] of [[true, 600], ['1m', 60], [5, 5]] as const) {
    mock.timers.enable({ apis: ['Date'], now: new Date('2026-01-01') })
    const { get, post, signUp, signIn, refresh } = await behind(t, { fresh, type: 'any' })
    const first = await signUp()
    mock.timers.tick(seconds * 1000)
    t.equal((await get('/it', first.access_token)).statusCode, 200)
    t.equal((await post('/it', { refresh_token: first.refresh_token })).statusCode, 200)

    mock.timers.tick(1000)
    const next = (await refresh(first.refresh_token)).json()
    for (const answer of [
      await get('/it', first.access_token),
      await get('/it', next.access_token),
      await post('/it', { refresh_token: next.refresh_token }),
    ]) {
      t.match(answer.json(), { statusCode: 401, code: 'ACCOUNTS_TOKEN_STALE' })
      t.match(
        answer.headers['www-authenticate'],
        new RegExp(`error="insufficient_user_authentication", error_description="[^"]+", max_age="${seconds}"$`)
      )
    }
    t.equal((await get('/it', (await signIn()).access_token)).statusCode, 200)
    mock.timers.reset()
  }
})

t.test('optional: no token is nobody, and a bad one is still refused', async (t) => {
  mock.timers.enable({ apis: ['Date'], now: new Date('2026-01-01') })
  t.teardown(() => mock.timers.reset())
  for (const optional of [true, 'or-expired'] as const) {
    const { app, get, post, signUp, refresh } = await behind(t, { optional })
    const { access_token: token, refresh_token: refreshToken, user } = await signUp()
    t.same((await get('/it')).json(), { user: null, auth: null })
    t.same((await app.inject({ url: '/it', headers: { authorization: 'Basic YTpi' } })).json(), {
      user: null,
      auth: null,
    })
    t.same((await get('/it', token)).json().user, user)
    t.match((await get('/it', 'x.y.z')).json(), { code: 'ACCOUNTS_TOKEN_INVALID' })
    t.match((await get('/it', refreshToken)).json(), { code: 'ACCOUNTS_TOKEN_WRONG_TYPE' })
    t.match((await app.inject({ url: '/it', headers: { authorization: 'Bearer' } })).json(), {
      code: 'ACCOUNTS_HEADER_MALFORMED',
    })

    const next = (await refresh(refreshToken)).json()
    mock.timers.tick(900_000)
    const late = (await get('/it', token)).json()
    if (optional === true) t.match(late, { code: 'ACCOUNTS_TOKEN_EXPIRED' })
    else t.same(late, { user: null, auth: null })
    const last = (await refresh(next.refresh_token)).json()
    await post('/auth/logout', { refresh_token: last.refresh_token })
    t.match((await get('/it', last.access_token)).json(), { code: 'ACCOUNTS_TOKEN_REVOKED' })
  }
})

t.test('any: both kinds let in, but what is called a refresh token has to be one', async (t) => {
  const { get, post, signUp } = await behind(t, { type: 'any' })
  const { access_token: access, refresh_token: token } = await signUp()
  t.match((await get('/it', access)).json().auth, { header: { typ: 'at+jwt' }, location: 'header' })
  t.match((await get('/it', token)).json().auth, { header: { typ: 'rt+jwt' }, location: 'header' })
  t.match((await post('/it', { refresh_token: token }, access)).json().auth, {
    header: { typ: 'rt+jwt' },
    location: 'body',
  })
  t.match((await post('/it', { refresh_token: access })).json(), { statusCode: 401, code: 'ACCOUNTS_TOKEN_WRONG_TYPE' })
  t.match((await get('/it')).json(), { statusCode: 401, code: 'ACCOUNTS_TOKEN_MISSING' })
})

t.test('a user who is refused does not stay on a request that another strategy lets in', async (t) => {
  const { app, get, signUp } = await build(t)
  const admins = app.accounts.guard({ roles: ['admin'] })
  app.get('/either', { preHandler: async (request) => { await admins(request).catch(() => {}) } }, whoami)
  t.same((await get('/either', (await signUp()).access_token)).json(), { user: null, auth: null })
})

t.test('guards are named as they are made, so that they can be found among hooks', async (t) => {
  const { app } = await build(t)
  const named = [
    app.authenticate,
    app.authenticateRefresh,
    app.accounts.guard({ type: 'any' }),
    app.accounts.guard({ roles: ['admin'] }),
  ]
  t.same(named.map(({ name }) => name), ['authenticate', 'authenticateRefresh', 'authenticateAny', 'authenticate'])
})
