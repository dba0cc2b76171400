// On each database.
import { parse } from 'node:querystring'
import { inspect } from 'node:util'
import type { FastifyInstance, FastifyServerOptions, InjectOptions } from 'fastify'
import t, { type Test } from 'tap'
import accounts, { type TokenResponse } from '../../lib/index.ts'
import { bearer, build, buildOnFile, cheap, client, decode, password, refreshKey, secret } from '../support/build.ts'
import { Fastify } from '../support/fastify.ts'

type Answer = Awaited<ReturnType<FastifyInstance['inject']>>
type Host = Awaited<ReturnType<typeof buildIn>>

const json = 'application/json'
const form = 'application/x-www-form-urlencoded'

/** A host that is set up before the plugin comes. */
async function buildIn (t: Test, prepare: (app: FastifyInstance) => void, server: FastifyServerOptions = {}) {
  const app: FastifyInstance = Fastify(server)
  t.teardown(() => app.close())
  prepare(app)
  await app.register(accounts, { db: ':memory:', secret, password: cheap })
  return { app, ...client(app) }
}

/** Posts these bytes as this content type, or as none. */
function send (app: FastifyInstance, url: string, type: string | undefined, payload: string | Buffer, token?: string) {
  const headers = { ...bearer(token), ...type !== undefined && { 'content-type': type } }
  return app.inject({ method: 'POST', url, payload, headers })
}

const urls = ['/auth/register', '/auth/login', '/auth/refresh', '/auth/logout']

/** For each of these routes a body that it would take from this user, or from the next one to register. */
function bodies (refreshToken: string, username = 'ada', next = 'eve'): [url: string, body: Record<string, string>][] {
  return [
    ['/auth/register', { username: next, password }],
    ['/auth/login', { username, password }],
    ['/auth/refresh', { refresh_token: refreshToken }],
    ['/auth/logout', { refresh_token: refreshToken }],
  ]
}

function isRefused (t: Test, answer: Answer, what: string) {
  t.match(answer.json(), { statusCode: 415, code: 'FST_ERR_CTP_INVALID_MEDIA_TYPE' }, what)
  t.notMatch(answer.body, 'token')
}

const otherTypes = [
  undefined, '', 'text/plain', 'text/plain; charset=utf-8', 'text/plain; application/json', form, 'multipart/form-data',
  'multipart/form-data; boundary=application/json', 'application/json\ta', 'application/json a', 'application/jsonx',
  'application/json, text/plain', 'application/ld+json', 'application/json+x', 'x-application/json', 'json', '*/*',
]

t.test('a body is JSON, by its name too', async (t) => {
  const { app, signUp, get } = await build(t)
  const { access_token: access, refresh_token: refresh } = await signUp()
  for (const [url, body] of bodies(refresh)) {
    const text = JSON.stringify(body)
    for (const type of otherTypes) isRefused(t, await send(app, url, type, text), `${url} ${type}`)
    isRefused(t, await send(app, url, form, new URLSearchParams(body).toString()), `${url}, a form`)
    isRefused(t, await send(app, url, form, 'a=b', refresh), `${url}, a form and a token`)
  }
  t.equal((await get('/auth/me', access)).statusCode, 200, 'the session goes on')
})

t.test('JSON may be named in every way that HTTP allows, and is always looked at', async (t) => {
  const { app, signUp } = await build(t)
  const types = [json, `${json}; charset=utf-8`, `${json};`, `${json} ; a=b`, ` ${json}`, json.toUpperCase()]
  for (const [index, type] of types.entries()) {
    const { refresh_token: refresh } = await signUp(`user-${index}`)
    for (const [url, body] of bodies(refresh, `user-${index}`, `next-${index}`)) {
      const unknown = await send(app, url, type, JSON.stringify({ ...body, more: '1' }))
      t.match(unknown.json(), { statusCode: 400, message: 'body/more is not a known field' }, `${url} ${type}`)
      t.match((await send(app, url, type, JSON.stringify(body))).statusCode, /^20[014]$/)
    }
  }
})

/** A host that takes forms, and takes everything else for JSON. */
function readAll (app: FastifyInstance) {
  const asText = { parseAs: 'string' } as const
  app.removeContentTypeParser('text/plain')
  app.addContentTypeParser(['text/plain', '*'], asText, async (_: unknown, text: string) => JSON.parse(text))
  app.addContentTypeParser(form, asText, async (_: unknown, text: string) => ({ ...parse(text) }))
  app.post('/echo', async ({ body }) => body)
}

t.test('what the host can read, our routes still do not', async (t) => {
  const { app, signUp } = await buildIn(t, readAll)
  t.strictSame((await send(app, '/echo', form, 'a=b')).json(), { a: 'b' })
  t.strictSame((await send(app, '/echo', 'image/png', '{"a":"b"}')).json(), { a: 'b' })

  const { refresh_token: refresh } = await signUp()
  for (const [url, body] of bodies(refresh)) {
    const text = JSON.stringify(body)
    isRefused(t, await send(app, url, form, new URLSearchParams(body).toString()), `${url}, a form`)
    for (const type of ['text/plain', 'image/png']) isRefused(t, await send(app, url, type, text), `${url} ${type}`)
  }
})

t.test('a host that reads JSON in its own way does not change how our routes do', async (t) => {
  const { app, post } = await buildIn(t, (app) => {
    app.removeContentTypeParser(json)
    app.addContentTypeParser(json, { parseAs: 'string' }, async () => ({ username: 'mallory', password }))
  }, { bodyLimit: 10, onProtoPoisoning: 'ignore', onConstructorPoisoning: 'ignore' })

  t.equal((await post('/auth/register', { username: 'ada', password })).json().user.username, 'ada')
  const poisoned = `{"username":"ada","password":"${password}","__proto__":{}}`
  t.equal((await send(app, '/auth/login', json, poisoned)).statusCode, 400)
})

t.test('a logout or a refresh without a body may say that the body is JSON', async (t) => {
  const { app, signIn, signUp } = await build(t)
  const { refresh_token: refresh } = await signUp()
  t.equal((await send(app, '/auth/refresh', json, '', refresh)).statusCode, 200)
  for (const type of [json, 'application/json; charset=utf-8', undefined]) {
    const { access_token: access } = await signIn()
    t.match((await send(app, '/auth/logout', type, '')).json(), { statusCode: 401, code: 'ACCOUNTS_TOKEN_MISSING' })
    t.equal((await send(app, '/auth/logout', type, '', access)).statusCode, 204)
    t.match((await app.inject({ url: '/auth/me', headers: bearer(access) })).json(), { code: 'ACCOUNTS_TOKEN_REVOKED' })
  }
  for (const url of ['/auth/login', '/auth/register']) {
    const refused = { statusCode: 400, code: 'ACCOUNTS_INPUT_INVALID', message: /^body must have required property/ }
    t.match((await send(app, url, json, '')).json(), refused)
  }
})

t.test('the usual fetch of a logout works', async (t) => {
  const { app, signUp } = await build(t)
  const { access_token: access } = await signUp()
  const origin = await app.listen({ port: 0, host: '127.0.0.1' })
  const logout = { method: 'POST', headers: { ...bearer(access), 'content-type': json } }

  t.equal((await fetch(`${origin}/auth/logout`, logout)).status, 204)
  t.equal((await fetch(`${origin}/auth/logout`, { ...logout, body: '' })).status, 204)
  t.equal((await fetch(`${origin}/auth/logout`, { ...logout, body: '{}' })).status, 204)
})

const broken = [
  ' ', '{', '}', '[', '{"username":', '{"a":1,}', "{'a':1}", '{a:1}', 'undefined', 'NaN', '{}{}', '{"a":"\n"}',
  '{"a":"\\x"}', '{"__proto__":{}}', '{"a":{"__proto__":1}}', '[{"__proto__":1}]', '{"constructor":{"prototype":{}}}',
  '['.repeat(9999), Buffer.from([0xff, 0xfe]), Buffer.from('{}', 'utf16le'),
]
const noObjects = ['null', 'true', '0', '-1.5', '"text"', '[]', '[{}]']
const bottomless = [`${'['.repeat(5000)}${']'.repeat(5000)}`, `${'{"a":'.repeat(33)}1${'}'.repeat(33)}`]

t.test('a body that is not JSON, or not an object, is refused', async (t) => {
  const { app } = await build(t)
  const refused = [
    ...broken.map((payload) => ({ payload, message: 'The body is not valid JSON' })),
    ...noObjects.map((payload) => ({ payload, message: 'body must be object' })),
    ...bottomless.map((payload) => ({ payload, message: 'The body is nested too deeply' })),
  ]
  for (const url of urls) {
    for (const { payload, message } of refused) {
      const expected = { statusCode: 400, code: 'ACCOUNTS_INPUT_INVALID', error: 'Bad Request', message }
      t.strictSame((await send(app, url, json, payload)).json(), expected, inspect(payload.slice(0, 20)))
    }
  }
})

t.test('a host\'s validator that coerces and strips does not loosen ours', async (t) => {
  const customOptions = { removeAdditional: 'all', coerceTypes: 'array', useDefaults: true, allErrors: true } as const
  const { post, signUp } = await buildIn(t, (app) => {
    const schema = { body: { type: 'object', properties: { password: { type: 'string' } } } }
    app.post('/host', { schema }, async ({ body }) => body)
  }, { ajv: { customOptions } })

  t.strictSame((await post('/host', { password: 5, more: 1 })).json(), { password: '5' }, 'as the host wants it')
  const { refresh_token: refresh } = await signUp()
  for (const [url, body] of bodies(refresh)) {
    for (const [field, value] of Object.entries(body)) {
      for (const loose of [{ [field]: [value] }, { [field]: 5 }, { [field]: null }, { role: 'admin' }]) {
        const answer = await post(url, { ...body, ...loose })
        t.match(answer.json(), { statusCode: 400, code: 'ACCOUNTS_INPUT_INVALID' }, `${url} ${JSON.stringify(loose)}`)
      }
    }
  }
})

const hosts: Record<string, (app: FastifyInstance) => void> = {
  'a host as Fastify makes it': () => {},
  'a host with its own compilers': (app) => {
    app.setValidatorCompiler(() => () => ({ error: new Error('of the host') }))
    app.setSerializerCompiler(() => () => '"of the host"')
    app.setSchemaErrorFormatter(() => new Error('of the host'))
  },
  'a host with its own error handler': (app) => {
    app.setErrorHandler<Error & { code: string, statusCode: number }>((error, _request, reply) => {
      reply.code(error.statusCode).send({ oops: error.code })
    })
  },
  'a host whose error handler passes on': (app) => {
    app.setErrorHandler(async (error) => { throw error })
  },
}

/** Every answer that our routes have, but for a database that fails. */
async function tour ({ app, post, get, refresh }: Host) {
  const registered = await post('/auth/register', { username: 'ada', password })
  const { access_token: access, refresh_token: token } = registered.json()
  const challenge = 'Bearer realm="accounts"'
  const invalid = /^Bearer realm="accounts", error="invalid_token"/

  return [
    [registered, 201],
    [await post('/auth/login', { username: 'ada', password }), 200],
    [await get('/auth/me', access), 200],
    [await refresh(token), 200],
    [await post('/auth/login', { username: 'ada', password: 'wrong' }), 401, 'ACCOUNTS_CREDENTIALS_INVALID', challenge],
    [await post('/auth/login', {}), 400, 'ACCOUNTS_INPUT_INVALID'],
    [await send(app, '/auth/login', json, '{'), 400, 'ACCOUNTS_INPUT_INVALID'],
    [await send(app, '/auth/login', 'text/plain', '{}'), 415, 'FST_ERR_CTP_INVALID_MEDIA_TYPE'],
    [await post('/auth/login', { username: 'x'.repeat(20_000), password }), 413, 'FST_ERR_CTP_BODY_TOO_LARGE'],
    [await post('/auth/register', { username: 'a@b', password }), 400, 'ACCOUNTS_INPUT_INVALID'],
    [await post('/auth/register', { username: 'eve', password: 'short' }), 400, 'ACCOUNTS_PASSWORD_REJECTED'],
    [await post('/auth/register', { username: 'ada', password }), 409, 'ACCOUNTS_USER_EXISTS'],
    [await get('/auth/me'), 401, 'ACCOUNTS_TOKEN_MISSING', challenge],
    [await get('/auth/me', 'x'), 401, 'ACCOUNTS_TOKEN_INVALID', invalid],
    [await get('/auth/me', 'x y'), 400, 'ACCOUNTS_HEADER_MALFORMED', /error="invalid_request"/],
    [await get('/auth/me', token), 401, 'ACCOUNTS_TOKEN_WRONG_TYPE', invalid],
    [await refresh(access), 401, 'ACCOUNTS_TOKEN_WRONG_TYPE', invalid],
    [await post('/auth/refresh'), 401, 'ACCOUNTS_TOKEN_MISSING', challenge],
    [await post('/auth/logout', { refresh_token: token }), 204],
    [await get('/auth/me', access), 401, 'ACCOUNTS_TOKEN_REVOKED', invalid],
    [await refresh(token), 401, 'ACCOUNTS_TOKEN_REVOKED', invalid],
  ] as [answer: Answer, status: number, code?: string, challenge?: string | RegExp][]
}

for (const [host, prepare] of Object.entries(hosts)) {
  t.test(`our statuses, codes and challenges are the same in ${host}`, async (t) => {
    for (const [answer, status, code, challenge] of await tour(await buildIn(t, prepare))) {
      t.equal(answer.statusCode, status, `${status} ${code}`)
      t.match(answer.headers['content-type'], status === 204 ? undefined : 'application/json; charset=utf-8')
      if (code) t.match(answer.json(), host.endsWith('error handler') ? { oops: code } : { code, statusCode: status })
      if (challenge) t.match(answer.headers['www-authenticate'], challenge)
      else t.notOk(answer.headers['www-authenticate'])
    }
  })
}

t.test('no answer of ours may be kept by a cache', async (t) => {
  const { sql, ...built } = await buildOnFile(t)
  const answers = await tour(built)
  await sql.exec('alter table accounts_users rename to gone')
  answers.push([await built.post('/auth/login', { username: 'ada', password }), 503, 'ACCOUNTS_UNAVAILABLE'])

  for (const [{ statusCode, headers }, status, code] of answers) {
    t.equal(statusCode, status)
    t.match(headers, { 'cache-control': 'no-store', pragma: 'no-cache' }, `${status} ${code}`)
  }
  t.notOk((await built.get('/open')).headers['cache-control'], 'the host\'s own answers are the host\'s')
})

t.test('an answer without content has no body and says nothing of one', async (t) => {
  const { signUp, post, app } = await build(t)
  const { access_token: access } = await signUp()
  const head = await app.inject({ method: 'HEAD', url: '/auth/me', headers: bearer(access) })
  t.strictSame([head.statusCode, head.rawPayload.length], [200, 0])

  const { statusCode, rawPayload, headers } = await post('/auth/logout', undefined, access)
  t.strictSame([statusCode, rawPayload.length], [204, 0])
  for (const name of ['content-type', 'content-length', 'transfer-encoding']) t.notOk(name in headers, name)
})

t.test('what changes something is done by POST alone', async (t) => {
  const { app, signUp } = await build(t)
  const { access_token: access, refresh_token: refresh } = await signUp()
  for (const method of ['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const) {
    for (const url of urls) {
      for (const token of [access, refresh]) {
        t.equal((await app.inject({ method, url, headers: bearer(token) })).statusCode, 404, `${method} ${url}`)
      }
    }
  }
  t.equal((await app.inject({ url: '/auth/me', headers: bearer(access) })).statusCode, 200)
})

/** What a token, or a part of it that would do, looks like in a log. */
const partsOf = (token: string) => [...token.split('.').slice(1), decode(token).payload.jti]

/** Each of our routes, once, as it should be asked. */
function everyRoute ({ post, get }: Host, { access_token: access, refresh_token: refresh }: TokenResponse) {
  return Promise.all([get('/auth/sessions', access), ...bodies(refresh).map(([url, body]) => post(url, body))])
}

t.test('a database that fails is a 503 that says nothing of it', async (t) => {
  const { sql, ...host } = await buildOnFile(t)
  const tokens = await host.signUp()
  const { access_token: bob } = await host.signUp('bob')
  for (const table of ['sessions', 'users']) {
    await sql.exec(`alter table accounts_${table} rename to gone_${table}`)
    for (const answer of [
      ...(await everyRoute(host, tokens)),
      ...(table === 'users' ? [await host.get('/auth/me', bob)] : []),
    ]) {
      t.strictSame(answer.json(), {
        statusCode: 503,
        code: 'ACCOUNTS_UNAVAILABLE',
        error: 'Service Unavailable',
        message: 'The service is not available at the moment',
      })
    }
  }
})

t.test('nothing secret stands in the log, at any level, whatever happens', async (t) => {
  const lines: string[] = []
  const stream = { write: (line: string) => { lines.push(line) } }
  const { sql, ...host } = await buildOnFile(t, {}, { logger: { level: 'trace', stream } })
  const texts = (await tour(host)).map(([{ body }]) => body).filter((body) => body.includes('access_token'))
  const pairs: TokenResponse[] = [...texts.map((text) => JSON.parse(text)), await host.signIn()]
  const rows = await sql.all('select password_hash, username_key, salt from accounts_users, accounts_sessions')
  await host.post('/auth/register', { username: 'eve\r\n{"level":60}', password: 'a wrong password\0' })
  for (const table of ['sessions', 'users']) {
    await sql.exec(`alter table accounts_${table} rename to gone_${table}`)
    await everyRoute(host, pairs[3]!)
  }

  const log = lines.join('')
  t.match(
    log,
    /no such table: accounts_users|accounts_users\W+ (does not|doesn't) exist/,
    'it tells an operator what is wrong'
  )
  for (const line of lines) t.ok(JSON.parse(line).level < 60, 'one line, one entry')
  const secrets = [
    password, 'a wrong password', secret, '$argon2', refreshKey.toString('hex'), refreshKey.toString('base64url'),
    ...pairs.flatMap((pair) => [...partsOf(pair.access_token), ...partsOf(pair.refresh_token)]),
    ...rows.flatMap((row) => Object.values(row)),
  ]
  t.ok(secrets.length > 30)
  for (const hidden of secrets) t.notOk(log.includes(hidden), hidden.slice(0, 20))
})

const posted = (url: string, type: string, payload: string): InjectOptions =>
  ({ method: 'POST', url, headers: { 'content-type': type }, payload })

/** All that a client sees of an answer, but the time of day. */
const seen = ({ statusCode, headers: { date: _, ...headers }, body }: Answer) => ({ statusCode, headers, body })

/** A host with routes of its own, of every kind. */
function hostRoutes (app: FastifyInstance) {
  const body = { type: 'object', properties: { count: { type: 'integer' } }, required: ['count'] }
  const response = { 200: { type: 'object', properties: { count: { type: 'integer' } } } }
  app.post('/checked', { schema: { body, response } }, async ({ body }) => ({ ...body as object, hidden: 1 }))
  app.post('/plain', async ({ body }) => body ?? 'none')
  app.get('/throws', async () => { throw new Error('of the host') })
  app.get('/teapot', async () => { throw Object.assign(new Error('short'), { statusCode: 418, code: 'TEAPOT' }) })
  app.get('/null', async (_request, reply) => reply.send(null))
  app.get('/html', async (_request, reply) => reply.type('text/html').send('<p>'))
}

t.test('a host\'s own routes do what they did', async (t) => {
  const bare = Fastify()
  t.teardown(() => bare.close())
  const apps = [bare, (await buildIn(t, () => {})).app]
  for (const app of apps) hostRoutes(app)
  const requests: InjectOptions[] = [
    ...['/throws', '/teapot', '/null', '/html', '/none', '/auth', '/auth/', '/auth/none'].map((url) => ({ url })),
    ...['{"count":"5","more":1}', '{"count":"five"}', '{', '', 'null'].map((text) => posted('/checked', json, text)),
    ...['{"__proto__":1}', `"${'x'.repeat(100_000)}"`].map((text) => posted('/plain', json, text)),
    posted('/checked', form, 'count=5'), posted('/plain', 'text/plain', 'text'), { method: 'POST', url: '/plain' },
  ]

  for (const request of requests) {
    const [without, within] = (await Promise.all(apps.map((app) => app.inject(request)))).map(seen)
    t.strictSame(within, without, inspect(request).slice(0, 80))
  }
})
