// On each database.
import { mock } from 'node:test'
import t from 'tap'
import { bearer, build, buildOnFile } from '../support/build.ts'

t.test('a guarded route knows the user and the token that let the request in', async (t) => {
  const { signUp, get } = await build(t)
  const { access_token: token, user } = await signUp()
  const { user: seen, auth } = (await get('/guarded', token)).json()
  t.same(seen, user)
  t.match(auth, {
    header: { typ: 'at+jwt', alg: 'HS256' },
    claims: { sub: user.id },
    location: 'header',
    fresh: true,
    instance: 'accounts',
  })
  t.equal(auth.sessionId, auth.claims.sid)
})

t.test('an open route knows nobody, even beside a token', async (t) => {
  const { signUp, get } = await build(t)
  t.same((await get('/open', (await signUp()).access_token)).json(), { user: null, auth: null })
})

t.test('authenticateRefresh lets a refresh token in without spending it, from body and header', async (t) => {
  const { signUp, post, refresh } = await build(t, { refresh: { window: 0 } })
  const { refresh_token: token, user } = await signUp()
  for (const [answer, location] of [
    [await post('/with-refresh', { refresh_token: token }), 'body'],
    [await post('/with-refresh', undefined, token), 'header'],
  ] as const) {
    t.match(answer.json(), { user, auth: { header: { typ: 'rt+jwt' }, location } })
  }
  t.equal((await refresh(token)).statusCode, 200)
})

t.test('authenticateRefresh finds a replay, and ends its session', async (t) => {
  const { signUp, post, refresh, get } = await build(t, { refresh: { window: 0 } })
  const { refresh_token: spent } = await signUp()
  const { access_token: access } = (await refresh(spent)).json()
  t.match((await post('/with-refresh', { refresh_token: spent })).json(), {
    statusCode: 401,
    code: 'ACCOUNTS_REFRESH_REUSED',
  })
  t.match((await get('/guarded', access)).json(), { code: 'ACCOUNTS_TOKEN_REVOKED' })
})

t.test('authenticateRefresh reads a body that the validator of the host has stripped', async (t) => {
  const { app, signUp, post } = await build(t)
  const body = { type: 'object', additionalProperties: false, properties: { note: { type: 'string' } } }
  app.post(
    '/stripped',
    { schema: { body }, preValidation: async () => {}, preHandler: [app.authenticateRefresh] },
    async (request) => request.body
  )
  app.post(
    '/both',
    { schema: { body }, preHandler: [app.authenticate, app.authenticateRefresh] },
    async (request) => request.body
  )
  const { access_token: access, refresh_token: token } = await signUp()
  t.same((await post('/stripped', { note: 'x', refresh_token: token })).json(), { note: 'x' })
  t.match((await post('/stripped', { note: 'x' })).json(), { code: 'ACCOUNTS_TOKEN_MISSING' })
  t.same(
    (await post('/both', { note: 'x', refresh_token: token }, access)).json(),
    { note: 'x' },
    'also behind a guard that needs no body'
  )
})

t.test('authenticateRefresh refuses a refresh_token that is no text, and bodies that are no object', async (t) => {
  const { post } = await build(t)
  for (const token of [1, null, {}, [], true]) {
    t.match((await post('/with-refresh', { refresh_token: token })).json(), {
      statusCode: 400,
      code: 'ACCOUNTS_INPUT_INVALID',
    })
  }
  for (const body of ['null', '[]', '"x"', '1']) {
    const answer = await post('/with-refresh', body)
    t.ok([401, 415].includes(answer.statusCode))
  }
})

t.test('a body beside an access token changes nothing on a guarded route', async (t) => {
  const { signUp, post } = await build(t)
  const ada = await signUp()
  const bob = await signUp('bob')
  const answer = await post(
    '/guarded',
    { refresh_token: bob.refresh_token, userId: bob.user.id, sub: bob.user.id },
    ada.access_token
  )
  t.match(answer.json(), { username: 'ada' })
  t.equal((await post('/guarded', { refresh_token: bob.refresh_token, user: bob.user.id })).statusCode, 401)
})

t.test('a session counts as fresh for ten minutes after the password', async (t) => {
  mock.timers.enable({ apis: ['Date'], now: new Date('2026-01-01') })
  t.teardown(() => mock.timers.reset())
  const { signUp, get } = await build(t)
  const { access_token: token } = await signUp()
  mock.timers.tick(600_000)
  t.equal((await get('/guarded', token)).json().auth.fresh, true)
  mock.timers.tick(1)
  t.equal((await get('/guarded', token)).json().auth.fresh, false)
})

t.test('every spelling of a guarded path asks for the token', async (t) => {
  const { app, signUp } = await build(t)
  await app.register(async (child) => child.get('/inside', { preHandler: child.authenticate }, async () => 'secret'), {
    prefix: '/child',
  })
  const { access_token: token } = await signUp()

  for (const path of ['/guarded', '/child/inside', '/auth/me']) {
    t.equal((await app.inject({ url: path, headers: bearer(token) })).statusCode, 200)
    t.equal((await app.inject({ method: 'HEAD', url: path })).statusCode, 401)
    for (const url of [
      path,
      `/${path}`,
      `${path}/`,
      `${path};x`,
      `${path}?x`,
      path.replace('/', '/%2f'),
      path.replace('e', '%65'),
      path.toUpperCase(),
    ]) {
      t.ok([401, 404].includes((await app.inject({ url })).statusCode), url)
    }
  }
})

t.test('a token in the query, a form or a cookie is not looked at', async (t) => {
  const { app, signUp } = await build(t)
  const { access_token: token } = await signUp()
  for (const name of ['access_token', 'token', 'jwt']) {
    t.match((await app.inject({ url: `/guarded?${name}=${token}` })).json(), { code: 'ACCOUNTS_TOKEN_MISSING' })
    t.match((await app.inject({ url: '/guarded', headers: { cookie: `${name}=${token}` } })).json(), {
      code: 'ACCOUNTS_TOKEN_MISSING',
    })
    t.match((await app.inject({ method: 'POST', url: '/guarded', payload: { [name]: token } })).json(), {
      code: 'ACCOUNTS_TOKEN_MISSING',
    })
  }
})

t.test('the challenge of a 401 comes through the error handler of the host, and never onto a success', async (t) => {
  const { app, get, post, signUp } = await build(t)
  app.setErrorHandler(async (error: Error & { code: string, statusCode: number }, _request, reply) => {
    reply.code(error.statusCode)
    return { oops: error.code }
  })
  app.get('/own', { preHandler: app.authenticate, onError: async () => {} }, async () => 1)
  const { access_token: token } = await signUp()

  t.match(await get('/own'), {
    body: '{"oops":"ACCOUNTS_TOKEN_MISSING"}',
    headers: { 'www-authenticate': 'Bearer realm="accounts"' },
  })
  t.match((await get('/own', 'x.y.z')).headers['www-authenticate'], /error="invalid_token"/)
  t.equal((await get('/own', token)).headers['www-authenticate'], undefined)
  t.equal((await post('/own')).headers['www-authenticate'], undefined)
})

t.test('headers of errors that are not ours stay where they are', async (t) => {
  const { app, get, signUp } = await build(t)
  app.setErrorHandler(async (_error, _request, reply) => { reply.code(502); return { oops: 1 } })
  const headers = { 'set-cookie': 'upstream=secret', 'transfer-encoding': 'chunked', 'www-authenticate': 'Basic' }
  app.get('/upstream', { preHandler: app.authenticate }, async () => {
    throw Object.assign(new Error('upstream'), { headers })
  })
  const answer = await get('/upstream', (await signUp()).access_token)
  t.equal(answer.statusCode, 502)
  for (const name of Object.keys(headers)) t.equal(answer.headers[name], undefined, name)
})

t.test('a challenge is made of tokens and quoted strings alone (RFC 9110 §11.2)', async (t) => {
  const { get, post } = await build(t)
  const answers = [
    await get('/guarded'),
    await get('/guarded', 'x"\\y'),
    await get('/guarded', 'x y'),
    await post('/auth/login', { username: 'a"b', password: 'x"\r\n' }),
  ]
  for (const { headers } of answers) {
    t.match(
      headers['www-authenticate'],
      /^Bearer [a-z_]+="[\x20\x21\x23-\x5b\x5d-\x7e]*"(, [a-z_]+="[\x20\x21\x23-\x5b\x5d-\x7e]*")*$/
    )
  }
})

t.test('with the database broken, a guard answers 503 and lets nobody in', async (t) => {
  const { signUp, get, refresh, post, sql } = await buildOnFile(t, {}, { logger: { level: 'silent' } })
  const { access_token: access, refresh_token: token } = await signUp()
  await sql.exec('alter table accounts_users rename to gone')

  for (const answer of [
    await get('/guarded', access),
    await get('/auth/me', access),
    await refresh(token),
    await post('/auth/logout', {}, access),
  ]) {
    t.same(answer.json(), {
      statusCode: 503,
      code: 'ACCOUNTS_UNAVAILABLE',
      error: 'Service Unavailable',
      message: 'The service is not available at the moment',
    })
  }
  await sql.exec('alter table gone rename to accounts_users')
  t.equal((await get('/guarded', access)).statusCode, 200, 'and it recovers by itself')
})
