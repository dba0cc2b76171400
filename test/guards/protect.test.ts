// On each database.
import cors from '@fastify/cors'
import swagger from '@fastify/swagger'
import t from 'tap'
import accounts, { type GuardOptions } from '../../lib/index.ts'
import { bearer, build, cheap, client, password, secret } from '../support/build.ts'
import { Fastify } from '../support/fastify.ts'

const handler = async () => 'secret'

t.test(
  'every route of a protected scope asks for a token: those before, those after, HEADs and child plugins',
  async (t) => {
    const { app, get, signUp } = await build(t)
    await app.register(
      async (scope) => {
        scope.get('/before', handler)
        await scope.register(async (child) => child.get('/early', handler), { prefix: '/child' })
        app.accounts.protect(scope)
        scope.get('/after', handler).route({ method: ['PUT', 'DELETE'], url: '/after', handler })
        scope.get('/health', { config: { auth: false } }, async ({ user }) => ({ user }))
        await scope.register(async (child) => child.get('/inside', handler), { prefix: '/child' })
      },
      { prefix: '/api' }
    )
    const { access_token: token } = await signUp()

    for (const url of ['/api/before', '/api/child/early', '/api/after', '/api/child/inside']) {
      t.match((await get(url)).json(), { statusCode: 401, code: 'ACCOUNTS_TOKEN_MISSING' })
      t.equal((await get(url, token)).body, 'secret')
      t.equal((await app.inject({ method: 'HEAD', url })).statusCode, 401)
      for (const spelt of [`/${url}`, `${url}/`, `${url};x`, `${url}?a`, url.replace('a', '%61'), url.toUpperCase()]) { t.ok([401, 404].includes((await app.inject(spelt)).statusCode), spelt) }
    }
    for (const method of ['PUT', 'DELETE'] as const) { t.equal((await app.inject({ method, url: '/api/after' })).statusCode, 401) }
    t.same((await get('/api/health', token)).json(), { user: null }, 'open, and nobody is signed in there')
    t.equal((await get('/open')).statusCode, 200, 'outside of the scope')
  }
)

t.test(
  'a protected scope asks for a token before it reads a body, and after it where the token may be in there',
  async (t) => {
    const { app } = await build(t, { transport: 'cookie' })
    await app.register(async (scope) => {
      app.accounts.protect(scope)
      scope.post('/header', handler)
    })
    await app.register(async (scope) => {
      app.accounts.protect(scope, { locations: ['header', 'body'] })
      scope.post('/body', handler)
    })
    const send = async (url: string, headers = {}) =>
      (
        await app.inject({
          method: 'POST',
          url,
          payload: '{',
          headers: { 'content-type': 'application/json', ...headers },
        })
      ).statusCode
    t.strictSame([await send('/header'), await send('/body')], [401, 400])
    t.equal(await send('/header', { 'access-control-request-method': 'POST' }), 401, 'only an OPTIONS is a preflight')
  }
)

t.test('a token is looked at once for a request to a protected scope', async (t) => {
  const { app, get, signUp } = await build(t)
  await app.register(async (scope) => {
    app.accounts.protect(scope)
    scope.get('/inside', handler)
  })
  t.equal((await get('/inside', (await signUp()).access_token)).body, 'secret')
  t.match(app.accounts.counters, { tokensVerified: 1, tokensRemembered: 0 })
})

t.test('an app that is protected as a whole still lets people in', async (t) => {
  const { app, get, post, signUp, refresh } = await build(t)
  app.accounts.protect(app)
  const { access_token: token, refresh_token: refreshToken } = await signUp()
  t.equal((await refresh(refreshToken)).statusCode, 200)
  t.equal((await get('/open')).statusCode, 401)
  t.equal((await get('/open', token)).statusCode, 200)
  t.equal((await post('/auth/logout', { refresh_token: refreshToken })).statusCode, 204)
})

t.test('the not-found handler of a protected scope asks for a token too', async (t) => {
  const { app, get, signUp } = await build(t)
  await app.register(async (scope) => {
    app.accounts.protect(scope)
    scope.setNotFoundHandler(handler)
  }, { prefix: '/api' })
  t.equal((await get('/api/nowhere')).statusCode, 401)
  t.equal((await get('/api/nowhere', (await signUp()).access_token)).body, 'secret')
  t.equal((await get('/nowhere')).statusCode, 404)
})

t.test('protect takes the switches of a guard, and refuses what is none', async (t) => {
  const { app, get, post, signUp } = await build(t)
  const body = { type: 'object', additionalProperties: false, properties: {} }
  const protectedBy = async (prefix: string, options: GuardOptions) => app.register(async (scope) => {
    app.accounts.protect(scope, options)
    scope.get('/', handler).post('/', { schema: { body } }, handler)
  }, { prefix })
  await protectedBy('/admins', { roles: ['admin'] })
  await protectedBy('/refreshing', { type: 'refresh' })
  const { access_token: access, refresh_token: token } = await signUp()

  t.match((await get('/admins', access)).json(), { statusCode: 403, code: 'ACCOUNTS_FORBIDDEN' })
  t.equal((await post('/refreshing', { refresh_token: token })).body, 'secret')
  t.match((await get('/refreshing', access)).json(), { code: 'ACCOUNTS_TOKEN_WRONG_TYPE' })
  t.throws(() => app.accounts.protect(app, { role: 'admin' } as object), { code: 'ACCOUNTS_OPTIONS_INVALID' })
})

t.test('a preflight passes, and an OPTIONS route of the app does not', async (t) => {
  const { app } = await build(t)
  const preflight = { 'access-control-request-method': 'GET', origin: 'https://app.example' }
  await app.register(async (scope) => {
    app.accounts.protect(scope)
    scope.options('/own', handler)
    scope.options('*', handler)
  })
  const options = async (url: string, headers: Record<string, string>) =>
    (await app.inject({ method: 'OPTIONS', url, headers })).statusCode
  t.equal(await options('/anything', preflight), 200)
  t.equal(await options('/anything', {}), 401)
  t.equal(await options('/own', preflight), 401)
  t.equal((await app.inject({ method: 'GET', url: '/guarded', headers: preflight })).statusCode, 401)
})

t.test('a plugin for CORS answers a preflight of every route, though it comes after the guard', async (t) => {
  const { app } = await build(t)
  await app.register(async (scope) => {
    app.accounts.protect(scope)
    await scope.register(cors, { origin: 'https://app.example' })
    scope.route({ method: ['GET', 'OPTIONS'], url: '/own', handler })
  })
  const preflight = { 'access-control-request-method': 'GET', origin: 'https://app.example' }
  const statusOf = async (method: 'GET' | 'OPTIONS', headers: Record<string, string>) =>
    (await app.inject({ method, url: '/own', headers })).statusCode
  t.equal(await statusOf('OPTIONS', preflight), 204)
  t.equal(await statusOf('OPTIONS', {}), 401)
  t.equal(await statusOf('GET', preflight), 401)
})

t.test('what says that it is a preflight opens no catch-all and no not-found handler', async (t) => {
  const { app } = await build(t)
  await app.register(async (scope) => {
    app.accounts.protect(scope)
    scope.all('*', handler)
  }, { prefix: '/all' })
  await app.register(async (scope) => {
    app.accounts.protect(scope)
    scope.setNotFoundHandler(handler)
    scope.get('/there', handler)
  }, { prefix: '/lost' })
  await app.register(async (scope) => {
    app.accounts.protect(scope, { type: 'any' })
    scope.all('*', handler)
  }, { prefix: '/any' })
  const headers = { 'access-control-request-method': 'GET', origin: 'https://app.example' }
  for (const url of ['/all', '/all/x', '/allx', '/lost/x', '/lost/there', '/any/x']) {
    t.equal((await app.inject({ method: 'OPTIONS', url, headers })).statusCode, 401, url)
  }
})

t.test(
  'a protected scope keeps its challenge under the error handler of the host, and stands in the document',
  async (t) => {
    const app = Fastify()
    t.teardown(() => app.close())
    app.setErrorHandler(async (error: Error & { statusCode: number }, _request, reply) => {
      reply.code(error.statusCode)
      return {}
    })
    await app.register(swagger, { openapi: { openapi: '3.1.0', info: { title: 'Test', version: '1' } } })
    await app.register(accounts, { db: ':memory:', secret, password: cheap })
    await app.register(async (scope) => {
      app.accounts.protect(scope, { roles: ['admin'] })
      scope.get('/closed', handler).get('/open', { config: { auth: false } }, handler)
    })
    const { access_token: token } = await client(app).signUp()

    t.match((await app.inject('/closed')).headers['www-authenticate'], /^Bearer realm/)
    t.match(
      (await app.inject({ url: '/closed', headers: bearer(token) })).headers['www-authenticate'],
      /insufficient_scope/
    )
    const { paths } = app.swagger() as { paths: Record<string, { get: { security?: object[]; responses: object } }> }
    t.match(paths['/closed']!.get, { security: [{ accessToken: [] }], responses: { 200: {}, 401: {}, 403: {} } })
    t.notOk(paths['/open']!.get.security)
  }
)

t.test(
  'the whole app is guarded by protect, and the accounts let people in; a hook of the root shuts them out',
  async (t) => {
    const whole = await build(t)
    whole.app.accounts.protect(whole.app)
    const { access_token: token } = await whole.signUp()
    t.equal((await whole.get('/open')).statusCode, 401)
    t.equal((await whole.get('/open', token)).statusCode, 200)
    t.equal((await whole.post('/auth/login', { username: 'ada', password })).statusCode, 200)

    const hooked = await build(t)
    hooked.app.addHook('onRequest', hooked.app.authenticate)
    t.match((await hooked.post('/auth/login', { username: 'ada', password })).json(), {
      statusCode: 401,
      code: 'ACCOUNTS_TOKEN_MISSING',
    })
  }
)
