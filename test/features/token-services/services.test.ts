// On each database.
import type { FastifyInstance } from 'fastify'
import t from 'tap'
import accounts, { type AccountsOptions } from '../../../lib/index.ts'
import {
  build,
  buildOnFile,
  cheap,
  decode,
  emptyDatabase,
  mint,
  password,
  refreshKey,
  secret,
} from '../../support/build.ts'
import { Fastify } from '../../support/fastify.ts'

t.test('tokens can be issued without a password: to a user, for the source of a request, fresh or not', async (t) => {
  const { app, get, signUp, refresh, sql } = await buildOnFile(t)
  app.get('/fresh', { preHandler: app.accounts.guard({ fresh: true }) }, async () => 1)
  app.get('/magic/:id', async (request) =>
    app.accounts.issueTokens((request.params as { id: string }).id, { request, authTime: new Date() })
  )
  const { user } = await signUp()
  const granted = await app.accounts.issueTokens(user)
  t.match(granted, { token_type: 'Bearer', expires_in: 900, refresh_expires_in: 2592000, user })
  t.equal((await get('/guarded', granted.access_token)).statusCode, 200)
  t.match((await get('/fresh', granted.access_token)).json(), { code: 'ACCOUNTS_TOKEN_STALE' })
  t.equal((await refresh(granted.refresh_token)).statusCode, 200)

  const { access_token: token } = (
    await app.inject({ url: `/magic/${user.id}`, headers: { 'user-agent': 'Magic/1' } })
  ).json()
  t.equal((await get('/fresh', token)).statusCode, 200)
  t.match(
    await sql.get('select user_agent, ip, transport from accounts_sessions where id = ?', decode(token).payload.sid),
    { user_agent: 'Magic/1', ip: '127.0.0.1', transport: 'body' }
  )
})

t.test('no time of a proof is no freshness, and one that cannot be is refused', async (t) => {
  const { app, get, signUp } = await build(t)
  app.get('/fresh', { preHandler: app.accounts.guard({ fresh: true }) }, async () => 1)
  const { user } = await signUp()
  for (const authTime of [undefined, null]) {
    const { access_token: token } = await app.accounts.issueTokens(user, authTime === undefined ? {} : { authTime })
    t.equal((await get('/fresh', token)).statusCode, 401, String(authTime))
  }
  for (const authTime of [new Date(NaN), new Date(Date.now() + 90_000), 'x', 5, {}]) {
    await t.rejects(app.accounts.issueTokens(user, { authTime: authTime as Date }), {
      code: 'ACCOUNTS_OPTIONS_INVALID',
      message: /authTime/,
    })
  }
})

t.test('an id that is no text is nobody', async (t) => {
  const { app, signUp } = await build(t)
  const { user: { id } } = await signUp()
  for (const odd of [{}, { $ne: null }, { $like: '%' }, { $in: [id] }, [id], { id }, null, undefined, 0, true]) {
    await t.rejects(app.accounts.issueTokens({ id: odd } as never), { code: 'ACCOUNTS_NOT_FOUND' })
  }
})

t.test('a user who is not there, or disabled, is given no tokens', async (t) => {
  const { app, signUp, sql } = await buildOnFile(t)
  const { user } = await signUp()
  await sql.run('update accounts_users set disabled_at = created_at')
  for (const id of [user.id, 'x', '', 'a\0b', '01a20000-0000-7000-8000-000000000000']) {
    await t.rejects(app.accounts.issueTokens(id), { code: 'ACCOUNTS_NOT_FOUND', statusCode: 404 })
  }
  t.equal((await sql.get('select count(*) as n from accounts_sessions'))!.n, 1)
})

t.test('with a reply the tokens go into cookies, where the app has cookies', async (t) => {
  for (const [transport, wanted, inCookies] of [
    ['cookie', undefined, true],
    ['both', undefined, true],
    ['both', 'body', false],
    ['body', undefined, false],
    ['cookie', 'body', false],
  ] as const) {
    const { app, signUp } = await build(t, { transport })
    app.get('/magic/:id', async (request, reply) =>
      app.accounts.issueTokens(request.params as { id: string }, {
        request,
        reply,
        ...(wanted && { transport: wanted }),
      })
    )
    app.get('/clear', async (_request, reply) => app.accounts.clearCookies(reply))
    const answer = await app.inject(`/magic/${(await signUp()).user.id}`)
    t.equal('access_token' in answer.json(), !inCookies, `${transport} ${wanted}`)
    t.same(
      answer.cookies.map(({ name }) => name),
      inCookies ? ['__Host-access', '__Secure-refresh', '__Host-csrf'] : []
    )
    t.same(
      (await app.inject('/clear')).cookies.map(({ name, value, maxAge }) => [name, value, maxAge]),
      [
        ['__Host-access', '', 0],
        ['__Secure-refresh', '', 0],
        ['__Host-csrf', '', 0],
      ]
    )
  }
})

t.test('cookies need a reply to be set on', async (t) => {
  const { app, signUp } = await build(t, { transport: 'both' })
  const { user } = await signUp()
  await t.rejects(app.accounts.issueTokens(user, { transport: 'cookie' }), {
    code: 'ACCOUNTS_OPTIONS_INVALID',
    message: /needs a reply/,
  })
  const other = await build(t)
  const { user: { id } } = await other.signUp()
  await t.rejects(other.app.accounts.issueTokens(id, { transport: 'cookie', reply: {} as never }), {
    message: /whose transport is not 'body'/,
  })
})

t.test('code can verify a token as a guard does', async (t) => {
  const { app, post, signUp, signIn } = await build(t, {
    verifyClaims: (_claims, request) => request?.headers.host !== 'evil',
  })
  app.get('/ask', async (request) => app.accounts.verify(request.headers['x-token'] as string, { request }))
  const { access_token: access, refresh_token: token, user } = await signUp()
  const { sid } = decode(access).payload
  t.match(await app.accounts.verify(access), {
    kind: 'access',
    user,
    sessionId: sid,
    claims: decode(access).payload,
    header: decode(access).header,
  })
  t.match(await app.accounts.verify(token, { type: 'refresh' }), { kind: 'refresh', user })
  t.match(await app.accounts.verify(token, { type: 'any' }), { kind: 'refresh' })

  await t.rejects(app.accounts.verify(token), { code: 'ACCOUNTS_TOKEN_WRONG_TYPE' })
  await t.rejects(app.accounts.verify('x'), { code: 'ACCOUNTS_TOKEN_INVALID' })
  t.match((await app.inject({ url: '/ask', headers: { host: 'evil', 'x-token': access } })).json(), {
    statusCode: 401,
    code: 'ACCOUNTS_CLAIMS_REFUSED',
  })
  await post('/auth/logout', { refresh_token: token })
  await t.rejects(app.accounts.verify(access), { code: 'ACCOUNTS_TOKEN_REVOKED', statusCode: 401 })
  t.equal((await app.accounts.verify((await signIn()).access_token)).user.username, 'ada')
})

t.test('a token can be read without being believed', async (t) => {
  const { app, signUp } = await build(t)
  const { access_token: access } = await signUp()
  t.same(app.accounts.decode(access), { header: decode(access).header, claims: decode(access).payload })
  t.same(app.accounts.decode(mint({ alg: 'none' }, { any: 1 }, 'x')), { header: { alg: 'none' }, claims: { any: 1 } })
  for (const text of ['', 'x', 'a.b.c', '..', `${access}.`, 'é.é.é']) { t.throws(() => app.accounts.decode(text), { code: 'ACCOUNTS_TOKEN_INVALID' }, text) }
})

t.test('code can revoke a token: an access token alone, a refresh token with its session', async (t) => {
  const { app, get, signUp, signIn, refresh } = await build(t)
  const { access_token: access, refresh_token: token } = await signUp()
  await app.accounts.revoke(access)
  t.match((await get('/guarded', access)).json(), { code: 'ACCOUNTS_TOKEN_REVOKED' })
  const { access_token: next } = (await refresh(token)).json()
  t.equal((await get('/guarded', next)).statusCode, 200)
  await app.accounts.revoke(token)
  t.equal((await get('/guarded', next)).statusCode, 401)

  const other = await signIn()
  const { header, payload } = decode(other.refresh_token)
  await t.rejects(app.accounts.revoke(mint(header, { ...payload, jti: 'x'.repeat(43) }, refreshKey)), {
    code: 'ACCOUNTS_TOKEN_INVALID',
  })
  await t.rejects(app.accounts.revoke('x'), { code: 'ACCOUNTS_TOKEN_INVALID' })
})

t.test('what the host says of a token counts: isRevoked and verifyClaims, at guards and at the refresh', async (t) => {
  const answers: Record<string, unknown> = { isRevoked: false, verifyClaims: true }
  const options = {
    isRevoked: () => answers.isRevoked,
    verifyClaims: async () => answers.verifyClaims,
  } as AccountsOptions
  const { get, post, signUp, refresh } = await build(t, options, { logger: { level: 'silent' } })
  const { access_token: access, refresh_token: token } = await signUp()
  const expected = async (status: number, code?: string) => {
    for (const answer of [
      await get('/guarded', access),
      await post('/with-refresh', { refresh_token: token }),
      await refresh(token),
    ]) { t.match(answer.json(), status === 200 ? {} : { statusCode: status, code }) }
  }
  await expected(200)
  for (const isRevoked of [true, undefined, 'no', 0]) {
    answers.isRevoked = isRevoked
    await expected(401, 'ACCOUNTS_TOKEN_REVOKED')
  }
  answers.isRevoked = Promise.resolve(false)
  for (const verifyClaims of [false, undefined, 'yes', 1]) {
    answers.verifyClaims = verifyClaims
    await expected(401, 'ACCOUNTS_CLAIMS_REFUSED')
  }
  answers.verifyClaims = true
  await expected(200)
})

t.test(
  'a guard asks what is revoked, then verifyClaims, then for the user, and then what the user may do',
  async (t) => {
    const answers = { isRevoked: true, verifyClaims: false }
    const asked: string[] = []
    const options: AccountsOptions = {
      isRevoked (_, request) {
        asked.push(`isRevoked ${request?.url}`)
        return answers.isRevoked
      },
      verifyClaims (_, request) {
        asked.push(`verifyClaims ${request?.url}`)
        return answers.verifyClaims
      },
    }
    const { db, app, get, post, signUp, signIn, sql } = await buildOnFile(t, options)
    const routes = async (app: FastifyInstance) => {
      for (const consistency of ['cached', 'strict'] as const) {
        app.get(
          `/admins/${consistency}`,
          { preHandler: app.accounts.guard({ consistency, roles: ['admin'] }) },
          async () => 1
        )
      }
    }
    await routes(app)
    await signUp()
    const [{ access_token: token }, { access_token: over, refresh_token: refresh }] = [await signIn(), await signIn()]
    answers.isRevoked = false
    answers.verifyClaims = true
    t.equal((await post('/auth/logout', undefined, over)).statusCode, 204)

    answers.isRevoked = true
    answers.verifyClaims = false
    for (const url of ['/admins/cached', '/admins/strict']) {
      asked.length = 0
      t.match((await get(url, over)).json(), { code: 'ACCOUNTS_TOKEN_REVOKED' })
      t.strictSame(asked, [], 'the host is not asked about a session that is over')
      t.match((await get(url, token)).json(), { code: 'ACCOUNTS_TOKEN_REVOKED' })
      t.strictSame(asked.splice(0), [`isRevoked ${url}`])
      answers.isRevoked = false
      t.match((await get(url, token)).json(), { code: 'ACCOUNTS_CLAIMS_REFUSED' })
      t.strictSame(asked.splice(0), [`isRevoked ${url}`, `verifyClaims ${url}`])
      answers.verifyClaims = true
      t.match((await get(url, token)).json(), { code: 'ACCOUNTS_FORBIDDEN' })
      answers.isRevoked = true
      answers.verifyClaims = false
    }
    asked.length = 0
    t.match((await post('/auth/refresh', { refresh_token: refresh })).json(), { code: 'ACCOUNTS_TOKEN_REVOKED' })
    t.strictSame(asked, [], 'nor at a refresh')

    // Another process, which knows nobody yet; the user is gone without a word in the log.
    const other = await build(t, { ...options, db })
    await routes(other.app)
    await sql.run('delete from accounts_sessions')
    await sql.run('delete from accounts_users')
    answers.isRevoked = false
    t.match((await other.get('/admins/cached', token)).json(), { code: 'ACCOUNTS_CLAIMS_REFUSED' })
    answers.verifyClaims = true
    t.match((await other.get('/admins/cached', token)).json(), { code: 'ACCOUNTS_TOKEN_REVOKED' })
  }
)

t.test('a function of the host that fails lets nobody in, and says nothing', async (t) => {
  const fail = () => { throw new Error('the database of fraud is at 10.0.0.7') }
  for (const options of [{ isRevoked: fail }, { verifyClaims: async () => fail() }]) {
    const { get, signUp } = await build(t, options, { logger: { level: 'silent' } })
    const { access_token: token } = await signUp()
    t.same((await get('/guarded', token)).json(), {
      statusCode: 500,
      error: 'Internal Server Error',
      message: 'Internal Server Error',
    })
  }
})

t.test('a refresh that fails for want of claims spends no token, even where each works once', async (t) => {
  let isAway = false
  const claims = () => { if (isAway) throw new Error('away'); return { tenant: 'a' } }
  const { refresh, signUp } = await build(t, { claims, refresh: { window: 0 } }, { logger: { level: 'silent' } })
  const { refresh_token: token } = await signUp()
  isAway = true
  t.equal((await refresh(token)).statusCode, 500)
  isAway = false
  t.equal((await refresh(token)).statusCode, 200)
})

t.test('a stateless guard asks nobody but verifyClaims; a strict one asks the database', async (t) => {
  const answers = { verifyClaims: true, asked: 0 }
  const options: AccountsOptions = { isRevoked: () => answers.asked++ > 1e6, verifyClaims: () => answers.verifyClaims }
  const { app, get, post, signUp, sql } = await buildOnFile(t, options, { logger: { level: 'silent' } })
  const whoami = async ({ user, auth }: { user: unknown; auth: { fresh: boolean; sessionId: string } }) => ({
    user,
    ...auth,
  })
  app.get(
    '/stateless',
    { preHandler: app.accounts.guard({ consistency: 'stateless', check: ({ id }) => id !== '' }) },
    whoami as never
  )
  const { access_token: token, user } = await signUp()
  await post('/auth/logout', undefined, token)
  await sql.exec('alter table accounts_sessions rename to gone')
  answers.asked = 0
  t.match((await get('/stateless', token)).json(), {
    user: { id: user.id },
    fresh: true,
    sessionId: decode(token).payload.sid,
    claims: decode(token).payload,
  })
  t.equal((await get('/strict', token)).statusCode, 503)
  t.equal((await get('/stateless')).statusCode, 401)
  answers.verifyClaims = false
  t.match((await get('/stateless', token)).json(), { statusCode: 401, code: 'ACCOUNTS_CLAIMS_REFUSED' })
  t.equal(answers.asked, 0)
})

t.test('texts can be replaced, by code, and the challenge has its own realm and scheme', async (t) => {
  const messages = {
    ACCOUNTS_TOKEN_MISSING: 'Bitte melden Sie sich an',
    ACCOUNTS_INPUT_INVALID: (request: { url: string }, message: string) => `${request.url}: ${message}`,
    ACCOUNTS_PASSWORD_REJECTED: () => { throw new Error('no words') },
    ACCOUNTS_HEADER_MALFORMED: (async () => { throw new Error('later') }) as never,
  }
  const { app, get, post } = await build(
    t,
    { messages, realm: 'Der Laden', header: { scheme: 'JWT' } },
    { logger: { level: 'silent' } }
  )
  app.addHook('onRequest', async (request) => {
    if (request.url === '/hooked') await app.authenticate(request as never)
  })
  app.get('/hooked', async () => 1)
  const missing = await get('/guarded')
  t.match(missing.json(), { code: 'ACCOUNTS_TOKEN_MISSING', message: 'Bitte melden Sie sich an' })
  t.equal(missing.headers['www-authenticate'], 'JWT realm="Der Laden"')
  t.match((await get('/auth/me')).json(), { message: 'Bitte melden Sie sich an' })
  t.match((await post('/auth/login', {})).json().message, /^\/auth\/login: body must have/)
  t.match((await post('/auth/register', { username: 'ada', password: 'short' })).json(), {
    code: 'ACCOUNTS_PASSWORD_REJECTED',
    message: /at least 15/,
  })
  const invalid = await app.inject({ url: '/guarded', headers: { authorization: 'jwt x' } })
  t.equal(
    invalid.headers['www-authenticate'],
    'JWT realm="Der Laden", error="invalid_token", error_description="The token is not valid"'
  )
  t.match(
    (await app.inject({ url: '/guarded', headers: { authorization: 'JWT' } })).json(),
    { code: 'ACCOUNTS_HEADER_MALFORMED', message: /must be its scheme/ },
    'no promise is a text'
  )
  t.match(
    (await get('/hooked')).json(),
    { message: 'Bitte melden Sie sich an' },
    'also where no route tells of the guard'
  )
})

t.test('the user stands under another name where the app wants that', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(accounts, { db: await emptyDatabase(t), secret, password: cheap, decoratorName: 'account' })
  app.get(
    '/who',
    { preHandler: app.authenticate },
    async (request) => (request as unknown as { account: unknown }).account
  )
  const { access_token: token, user } = (
    await app.inject({ method: 'POST', url: '/auth/register', payload: { username: 'ada', password } })
  ).json()
  const headers = { authorization: `Bearer ${token}` }
  t.same((await app.inject({ url: '/who', headers })).json(), user)
  t.same((await app.inject({ url: '/auth/me', headers })).json(), user)
  t.notOk(app.hasRequestDecorator('user'))
  await t.rejects(build(t, { decoratorName: 'body' }), {
    code: 'ACCOUNTS_OPTIONS_INVALID',
    message: /decoratorName must not be body/,
  })
})

t.test('a service refuses options that it does not have, and does nothing', async (t) => {
  const { app, get, signUp } = await build(t)
  const { access_token: token, refresh_token: refreshToken, user: { id } } = await signUp()
  const { users, sessions, issueTokens, verify, revoke } = app.accounts
  const [session] = await sessions.list(id)
  const wrong = { transaction: 1 } as never
  const calls: [name: string, call: () => Promise<unknown>][] = [
    ['users.create', () => users.create({ username: 'bob' }, wrong)],
    ['users.find', () => users.find(id, wrong)],
    ['users.list', () => users.list(wrong)],
    ['users.update', () => users.update(id, { username: 'bob' }, wrong)],
    ['users.disable', () => users.disable(id, wrong)],
    ['users.enable', () => users.enable(id, wrong)],
    ['users.delete', () => users.delete(id, wrong)],
    ['users.setPassword', () => users.setPassword(id, 'another horse another staple', wrong)],
    ['users.setRoles', () => users.setRoles(id, ['admin'], wrong)],
    ['users.verifyPassword', () => users.verifyPassword(id, password, wrong)],
    ['sessions.list', () => sessions.list(id, wrong)],
    ['sessions.revoke', () => sessions.revoke(session!.id, wrong)],
    ['sessions.revokeAll', () => sessions.revokeAll(id, wrong)],
    ['issueTokens', () => issueTokens(id, wrong)],
    ['verify', () => verify(token, wrong)],
    ['revoke', () => (revoke as (token: string, options: object) => Promise<void>)(refreshToken, wrong)],
  ]
  for (const [name, call] of calls) {
    const message = `fastify-jwt-accounts cannot start: transaction is not an option of ${name}()`
    await t.rejects(call(), { code: 'ACCOUNTS_OPTIONS_INVALID', message }, name)
  }
  await t.rejects(issueTokens(id, { transport: 'cookies' as never }), {
    message: /needs 'body' or 'cookie' as transport/,
  })
  await t.rejects(verify(token, { type: 'acess' as never }), { message: /needs 'access', 'refresh' or 'any' as type/ })
  t.same((await get('/guarded', token)).json().user, { id, username: 'ada', email: null, email_verified: false, roles: [] })
  t.equal((await sessions.list(id)).length, 1)
})
