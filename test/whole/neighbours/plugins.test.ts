import auth from '@fastify/auth'
import cookie from '@fastify/cookie'
import cors from '@fastify/cors'
import formbody from '@fastify/formbody'
import helmet from '@fastify/helmet'
import proxy from '@fastify/http-proxy'
import jwt from '@fastify/jwt'
import multipart from '@fastify/multipart'
import rateLimit from '@fastify/rate-limit'
import sensible from '@fastify/sensible'
import session from '@fastify/session'
import swagger from '@fastify/swagger'
import websocket from '@fastify/websocket'
import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { Validator } from '@seriousme/openapi-schema-validator'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import t, { type Test } from 'tap'
import { bearer, client, password } from '../../support/build.ts'
import { addAccounts, addRoutes, inject, open, same, tour, usualTour, type Host } from './tour.ts'

const require = createRequire(import.meta.url)

const origin = 'https://app.example'
const hostSecret = 'r7Kp2WvXq9LmT4cYz8NbH3sDf6JgA1eU'
const info = { title: 'Test', version: '1' }

interface Neighbour {
  register: Host
  /** A header that answers of ours bear because of the neighbour, where it stands before us. */
  header?: string
  /** It says itself that it comes first. */
  onlyBefore?: boolean
}

async function withCookies (app: FastifyInstance): Promise<void> {
  if (!app.hasPlugin('@fastify/cookie')) await app.register(cookie, { secret: hostSecret })
}

async function withSessions (app: FastifyInstance): Promise<void> {
  await withCookies(app)
  if (!app.hasPlugin('@fastify/session')) await app.register(session, { secret: hostSecret })
}

async function withPassport (app: FastifyInstance): Promise<void> {
  await withSessions(app)
  // Its types make request.user optional in the whole program.
  const { default: passport } = require('@fastify/passport')
  await app.register(passport.initialize())
  await app.register(passport.secureSession())
}

const neighbours: Record<string, Neighbour> = {
  '@fastify/auth': { register: (app) => app.register(auth) },
  '@fastify/cors': { register: (app) => app.register(cors, { origin }), header: 'access-control-allow-origin' },
  '@fastify/helmet': { register: (app) => app.register(helmet), header: 'content-security-policy' },
  '@fastify/rate-limit': { register: (app) => app.register(rateLimit, { max: 1000 }), header: 'x-ratelimit-limit' },
  '@fastify/formbody': { register: (app) => app.register(formbody) },
  '@fastify/cookie': { register: withCookies },
  '@fastify/session': { register: withSessions },
  '@fastify/passport': { register: withPassport, onlyBefore: true },
  '@fastify/multipart': { register: (app) => app.register(multipart) },
  '@fastify/websocket': { register: (app) => app.register(websocket) },
  '@fastify/http-proxy': {
    register: (app) =>
      app.register(proxy, { upstream: 'http://127.0.0.1:1', prefix: '/behind', preHandler: async () => {} }),
  },
  '@fastify/sensible': { register: (app) => app.register(sensible) },
  '@fastify/swagger, 3.0.3': {
    register: (app) => app.register(swagger, { openapi: { openapi: '3.0.3', info } }),
    onlyBefore: true,
  },
  '@fastify/swagger, 3.1.0': {
    register: (app) => app.register(swagger, { openapi: { openapi: '3.1.0', info } }),
    onlyBefore: true,
  },
  '@fastify/jwt': { register: (app) => app.register(jwt, { secret: hostSecret }), onlyBefore: true },
  '@fastify/jwt with a namespace': {
    register: (app) => app.register(jwt, { secret: hostSecret, namespace: 'host' }),
    onlyBefore: true,
  },
}

/** The tour of an app at the root or in a scope of its path, with neighbours that come before us or after us. */
async function tourBeside (t: Test, chosen: Neighbour[], order: 'before' | 'after', path: string) {
  const app = open(t)
  const boot = async (scope: FastifyInstance) => {
    const isEarly = ({ onlyBefore }: Neighbour) => onlyBefore || order === 'before'
    for (const { register } of chosen.filter(isEarly)) await register(scope)
    await addAccounts(scope)
    for (const { register } of chosen.filter((each) => !isEarly(each))) await register(scope)
    await addRoutes(scope)
  }
  await (path === '' ? boot(app) : app.register(boot, { prefix: path }))

  same(t, await tour(inject(app, path)), await usualTour(t), `${order}, at ${path || 'the root'}`)
  return (await app.inject({ method: 'POST', url: `${path}/auth/login` })).headers
}

for (const [name, neighbour] of Object.entries(neighbours)) {
  t.test(`the whole tour is the same beside ${name}`, async (t) => {
    const headers = await tourBeside(t, [neighbour], 'before', '')
    if (neighbour.header) t.ok(neighbour.header in headers, neighbour.header)
    await tourBeside(t, [neighbour], 'after', '/api')
  })
}

t.test('all of them together, in either order, change nothing in the tour', async (t) => {
  // @fastify/passport and @fastify/jwt each decorate requests with a user, whether there is one or not.
  const chosen = Object.entries(neighbours)
    .filter(([name]) => !/3\.0\.3|namespace|passport/.test(name))
    .map(([, neighbour]) => neighbour)
  const headers = await tourBeside(t, chosen, 'before', '/api')
  for (const { header } of chosen) if (header) t.ok(header in headers, header)
  await tourBeside(t, chosen, 'after', '')
})

t.test(
  '@fastify/auth: another strategy lets in without our challenge or our user, and when all fail ours is told',
  async (t) => {
    const app = open(t)
    await app.register(auth)
    await addAccounts(app)
    const noKey = { statusCode: 403, code: 'NO_KEY' }
    const key = async ({ headers }: { headers: Record<string, unknown> }) => {
      if (headers['x-key'] !== 'right') throw Object.assign(new Error('There is no key'), noKey)
    }
    const handler = async ({ user, auth }: FastifyRequest) => ({
      user: user && user.username,
      isLetInByUs: auth !== null,
    })
    const { authenticate } = app
    app.get('/ours-first', { preHandler: app.auth([authenticate, key]) }, handler)
    app.get('/ours-last', { preHandler: app.auth([key, authenticate]) }, handler)
    app.get('/all-run', { onRequest: app.auth([key, authenticate], { run: 'all' }) }, handler)
    app.get('/both', { preHandler: app.auth([authenticate, key], { relation: 'and' }) }, handler)
    app.get('/both-ours-last', { onRequest: app.auth([key, authenticate], { relation: 'and' }) }, handler)
    app.get('/admins-or-key', { preHandler: app.auth([key, app.accounts.guard({ roles: ['admin'] })]) }, handler)

    const { get, post, signUp, signIn } = client(app)
    const { access_token: good, refresh_token: refresh } = await signUp()
    const { access_token: revoked } = await signIn()
    await post('/auth/logout', undefined, revoked)

    const nobody = { user: null, isLetInByUs: false }
    const ada = { user: 'ada', isLetInByUs: true }
    const refusals = {
      none: ['TOKEN_MISSING', undefined],
      bad: ['TOKEN_INVALID', 'bad'],
      revoked: ['TOKEN_REVOKED', revoked],
      refresh: ['TOKEN_WRONG_TYPE', refresh],
    }

    const ask = async (url: string, token: string | undefined, withKey: boolean) => {
      const { statusCode, headers, body } = await app.inject({
        url,
        headers: { ...bearer(token), ...(withKey && { 'x-key': 'right' }) },
      })
      return { statusCode, challenge: headers['www-authenticate'], ...JSON.parse(body) }
    }
    for (const [code, token] of Object.values(refusals)) {
      for (const url of ['/ours-first', '/ours-last', '/all-run']) {
        t.strictSame(
          await ask(url, token, true),
          { statusCode: 200, challenge: undefined, ...nobody },
          `${url} ${code}`
        )
      }
      for (const url of ['/ours-last', '/all-run']) {
        t.match(
          await ask(url, token, false),
          { statusCode: 401, code: `ACCOUNTS_${code}`, challenge: /^Bearer realm="accounts"/ },
          `${url} ${code}`
        )
      }
      t.match(
        await ask('/ours-first', token, false),
        { ...noKey, challenge: undefined },
        'the last strategy has the last word'
      )
      for (const url of ['/both', '/both-ours-last']) {
        t.match(
          await ask(url, token, true),
          { statusCode: 401, code: `ACCOUNTS_${code}`, challenge: /^Bearer realm="accounts"/ },
          `${url} ${code}`
        )
      }
    }
    for (const url of ['/ours-first', '/ours-last', '/all-run']) { t.strictSame(await ask(url, good, false), { statusCode: 200, challenge: undefined, ...ada }, url) }
    for (const url of ['/both', '/both-ours-last']) {
      t.strictSame(await ask(url, good, true), { statusCode: 200, challenge: undefined, ...ada }, url)
      t.match(await ask(url, good, false), { ...noKey, challenge: undefined }, url)
    }
    t.match(await ask('/admins-or-key', good, false), {
      statusCode: 403,
      code: 'ACCOUNTS_FORBIDDEN',
      challenge: /insufficient_scope/,
    })
    t.strictSame(await ask('/admins-or-key', good, true), { statusCode: 200, challenge: undefined, ...nobody })
    t.equal((await get('/auth/me', good)).statusCode, 200)
  }
)

const preflight = { origin, 'access-control-request-method': 'GET', 'access-control-request-headers': 'authorization' }

for (const place of [
  'at the root, before us',
  'at the root, after us',
  'in the scope, before its guard',
  'in the scope, after its guard',
]) {
  t.test(`@fastify/cors ${place}: browsers may ask a protected scope, and read its 401`, async (t) => {
    const app = open(t)
    const add = (scope: FastifyInstance) => scope.register(cors, { origin, allowedHeaders: ['authorization'] })
    if (place === 'at the root, before us') await add(app)
    await addAccounts(app)
    if (place === 'at the root, after us') await add(app)
    await app.register(
      async (scope) => {
        if (place === 'in the scope, before its guard') await add(scope)
        app.accounts.protect(scope)
        if (place === 'in the scope, after its guard') await add(scope)
        scope.get('/inside', async () => 'secret')
      },
      { prefix: '/closed' }
    )

    const asked = await app.inject({ method: 'OPTIONS', url: '/closed/inside', headers: preflight })
    t.equal(asked.statusCode, 204)
    t.match(asked.headers, { 'access-control-allow-origin': origin, 'access-control-allow-headers': 'authorization' })
    t.notOk(asked.headers['www-authenticate'])

    const refused = await app.inject({ url: '/closed/inside', headers: { origin } })
    t.equal(refused.statusCode, 401)
    t.match(refused.headers['www-authenticate'], /^Bearer realm/)
    if (place !== 'in the scope, after its guard') t.equal(refused.headers['access-control-allow-origin'], origin)
    t.not((await app.inject({ method: 'OPTIONS', url: '/closed/inside' })).body, 'secret')
    t.equal((await app.inject({ method: 'GET', url: '/closed/inside', headers: preflight })).statusCode, 401)
  })
}

t.test('@fastify/cors: our routes bear its headers, on success, refusal and preflight', async (t) => {
  const app = open(t)
  await app.register(cors, { origin, credentials: true })
  await addAccounts(app, { transport: 'cookie' })
  const credentials = { username: 'ada', password }
  const requests = [
    { method: 'POST', url: '/auth/register', payload: credentials, status: 201 },
    { method: 'POST', url: '/auth/login', payload: { ...credentials, password: 'wrong' }, status: 401 },
    { method: 'GET', url: '/auth/me', status: 401 },
    { method: 'OPTIONS', url: '/auth/login', status: 204 },
  ] as const
  for (const { status, ...request } of requests) {
    const { statusCode, headers } = await app.inject({
      ...request,
      headers: { 'sec-fetch-site': 'same-origin', ...preflight },
    })
    t.equal(statusCode, status, request.url)
    t.match(headers, { 'access-control-allow-origin': origin, 'access-control-allow-credentials': 'true' }, request.url)
  }
})

t.test('@fastify/rate-limit: its 429 comes through our routes and guarded ones as it is anywhere', async (t) => {
  const builders = {
    usual: {},
    own: { errorResponseBuilder: () => ({ statusCode: 429, slow: 'down', nested: [{ by: 1 }] }) },
  }
  for (const [which, options] of Object.entries(builders)) {
    const app = open(t)
    await app.register(rateLimit, { max: 1, groupId: 'x', ...options })
    await addAccounts(app)
    app.get('/plain', async () => 'plain')
    app.get('/guarded', { preHandler: app.authenticate }, async () => 'secret')
    const { access_token: token } = await client(app).signUp()
    const seen = async (method: 'GET' | 'POST', url: string) => {
      const answers = [
        await app.inject({ method, url, headers: bearer(token) }),
        await app.inject({ method, url, headers: bearer(token) }),
      ]
      const { statusCode, headers, body } = answers[1]!
      return {
        statusCode,
        body,
        type: headers['content-type'],
        after: 'retry-after' in headers,
        challenge: headers['www-authenticate'],
      }
    }
    const usual = await seen('GET', '/plain')
    t.match(usual, { statusCode: 429, after: true, body: which === 'own' ? /nested/ : /Rate limit exceeded/ })
    for (const [method, url] of [
      ['POST', '/auth/login'],
      ['POST', '/auth/refresh'],
      ['GET', '/auth/me'],
      ['GET', '/guarded'],
    ] as const) {
      t.strictSame(await seen(method, url), usual, `${which} ${url}`)
    }
  }
})

t.test('@fastify/rate-limit: a limit of one route counts after the guard where it is told to', async (t) => {
  const app = open(t)
  await app.register(rateLimit, { global: false })
  await addAccounts(app)
  const config = {
    rateLimit: { max: 2, hook: 'preHandler', keyGenerator: ({ user }: { user: { id: string } }) => user.id },
  } as object
  app.get('/limited', { onRequest: app.authenticate, config }, async ({ user }) => user.username)
  const { get, signUp } = client(app)
  const tokens = [(await signUp('ada')).access_token, (await signUp('eve')).access_token]

  for (const token of tokens) {
    for (const statusCode of [200, 200, 429]) t.equal((await get('/limited', token)).statusCode, statusCode)
  }
  t.match((await get('/limited')).json(), { statusCode: 401, code: 'ACCOUNTS_TOKEN_MISSING' })
})

t.test('@fastify/formbody: forms of the host are read, and none signs in', async (t) => {
  for (const order of ['before', 'after']) {
    const app = open(t)
    if (order === 'before') await app.register(formbody)
    await addAccounts(app, { routes: { revoke: true } })
    if (order === 'after') await app.register(formbody)
    app.post('/form', async ({ body }) => body)
    app.post('/refreshing', { preHandler: app.authenticateRefresh }, async ({ user }) => user.username)
    const { signUp } = client(app)
    const { refresh_token: token } = await signUp()
    const post = (url: string, fields: Record<string, string>) =>
      app.inject({
        method: 'POST',
        url,
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        payload: new URLSearchParams(fields).toString(),
      })

    t.strictSame((await post('/form', { a: '1', b: 'x y' })).json(), { a: '1', b: 'x y' })
    t.equal(
      (await post('/refreshing', { refresh_token: token })).body,
      'ada',
      'a guarded route of the host takes what the host reads'
    )
    for (const [route, fields] of Object.entries({
      login: { username: 'ada', password },
      register: { username: 'eve', password },
      refresh: { refresh_token: token },
      logout: { refresh_token: token },
    })) {
      t.match(
        (await post(`/auth/${route}`, fields)).json(),
        { statusCode: 415, code: 'FST_ERR_CTP_INVALID_MEDIA_TYPE' },
        `${order} ${route}`
      )
    }
    t.equal((await post('/auth/revoke', { token, a: '1' })).statusCode, 200, 'RFC 7009 speaks in forms')
  }
})

t.test('@fastify/cookie: the cookies of the host and ours go out together', async (t) => {
  for (const order of ['before', 'after']) {
    const app = open(t)
    const visited: Host = async (app) => {
      await app.register(cookie)
      app.addHook('onRequest', async (_request, reply) => { reply.setCookie('visited', 'yes') })
    }
    if (order === 'before') await visited(app)
    await addAccounts(app, { transport: 'cookie' })
    if (order === 'after') await visited(app)
    app.get('/cookies', { preHandler: app.authenticate }, async ({ cookies, user }) => ({
      names: Object.keys(cookies),
      user: user.username,
    }))

    const registered = await app.inject({
      method: 'POST',
      url: '/auth/register',
      payload: { username: 'ada', password },
    })
    const set = Object.fromEntries(registered.cookies.map(({ name, value }) => [name, value]))
    t.strictSame(Object.keys(set).sort(), ['__Host-access', '__Host-csrf', '__Secure-refresh', 'visited'], order)
    t.strictSame((await app.inject({ url: '/cookies', cookies: set })).json(), { names: Object.keys(set), user: 'ada' })
  }
})

for (const version of ['3.0.3', '3.1.0']) {
  t.test(
    `@fastify/swagger with OpenAPI ${version}: the document is valid, with guards of every sort and in a scope`,
    async (t) => {
      const app = open(t)
      await app.register(swagger, { openapi: { openapi: version, info } })
      await app.register(
        async (scope) => {
          await addAccounts(scope)
          await addRoutes(scope)
        },
        { prefix: '/api' }
      )
      await app.ready()
      const document = app.swagger() as { paths: Record<string, Record<string, { security?: object[] }>> }
      const { valid, errors } = await new Validator().validate(document)
      t.ok(valid, JSON.stringify(errors))
      for (const path of ['/api/auth/me', '/api/guarded', '/api/early', '/api/closed/inside']) { t.strictSame(document.paths[path]!.get!.security, [{ accessToken: [] }], path) }
      t.match(document.paths['/api/refreshing']!.post!.security, [{ refreshToken: [] }])
    }
  )
}

const hostJwts = {
  'of its own': {},
  'with a namespace of its own': { namespace: 'host' },
  'that reads a cookie': { cookie: { cookieName: 'token', signed: false } },
}

for (const [which, options] of Object.entries(hostJwts)) {
  t.test(`a host's @fastify/jwt ${which}, before us: its routes take its tokens, ours take ours`, async (t) => {
    const app = open(t)
    if ('cookie' in options) await app.register(cookie)
    await app.register(jwt, { secret: hostSecret, ...options })
    await addAccounts(app)
    const isNamed = 'namespace' in options
    const verify = isNamed ? 'hostJwtVerify' : 'jwtVerify'
    const jwts = app.jwt as unknown as Record<'host', typeof app.jwt> & typeof app.jwt
    const own = (isNamed ? jwts.host : jwts).sign({ sub: 'of-the-host' })
    app.get('/host', async (request) => { await request[verify as 'jwtVerify'](); return request.user })
    app.get('/signed', async (_request, reply) =>
      reply[isNamed ? ('hostJwtSign' as 'jwtSign') : 'jwtSign']({ sub: 'again' })
    )
    app.get('/guarded', { preHandler: app.authenticate }, async ({ user }) => user)

    const { get, signUp } = client(app)
    const { access_token: token, refresh_token: refresh } = await signUp()
    t.match((await get('/host', own)).json(), { sub: 'of-the-host' })
    t.match((await get('/host', (await get('/signed')).body)).json(), { sub: 'again' })
    t.match((await get('/guarded', token)).json(), { username: 'ada' })
    if ('cookie' in options) { t.match((await app.inject({ url: '/host', cookies: { token: own } })).json(), { sub: 'of-the-host' }) }
    for (const foreign of [token, refresh]) { t.equal((await get('/host', foreign)).statusCode, 401, 'our tokens are none of the host') }
    t.match((await get('/guarded', own)).json(), { statusCode: 401, code: 'ACCOUNTS_TOKEN_INVALID' })
    t.match((await get('/auth/me', own)).json(), { statusCode: 401, code: 'ACCOUNTS_TOKEN_INVALID' })
  })
}

t.test("a host's @fastify/jwt after us works with a decoratorName of ours", async (t) => {
  const app = open(t)
  await addAccounts(app, { decoratorName: 'account' })
  await app.register(jwt, { secret: hostSecret })
  app.get('/host', async (request) => {
    await request.jwtVerify()
    return { user: request.user, account: request['account' as 'user'] }
  })
  app.get('/guarded', { preHandler: app.authenticate }, async (request) => ({
    user: request.user,
    account: request['account' as 'user'],
  }))
  const { get, signUp } = client(app)
  const { access_token: token, user } = await signUp()

  t.match((await get('/host', app.jwt.sign({ sub: 'of-the-host' }))).json(), {
    user: { sub: 'of-the-host' },
    account: null,
  })
  t.strictSame((await get('/guarded', token)).json(), { user: null, account: user })
  t.strictSame((await get('/auth/me', token)).json(), user)
})

t.test(
  "a host's @fastify/jwt after us ends the process at once, naming the user: Fastify knows no two of a name",
  async (t) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [join(import.meta.dirname, 'late-jwt.ts')], {
      encoding: 'utf8',
    })
    t.not(status, 0)
    t.equal(stdout, '', 'nothing is served')
    for (const part of ["The decorator 'user' has already been added!", 'FST_ERR_DEC_ALREADY_PRESENT', '@fastify/jwt']) { t.ok(stderr.includes(part), part) }
  }
)
