// On each database.
import formbody from '@fastify/formbody'
import multipart from '@fastify/multipart'
import type { FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import accounts, { type AccountsOptions, type GuardOptions, type Location } from '../../lib/index.ts'
import { bearer, build, cheap, client, password, secret } from '../support/build.ts'
import { Fastify } from '../support/fastify.ts'

const missing = { statusCode: 401, code: 'ACCOUNTS_TOKEN_MISSING' }
const malformed = { statusCode: 400, code: 'ACCOUNTS_HEADER_MALFORMED' }
const invalid = { statusCode: 401, code: 'ACCOUNTS_TOKEN_INVALID' }

t.test('the Authorization header is one scheme, one or more spaces and one token', async (t) => {
  const { app, signUp } = await build(t)
  const { access_token: token } = await signUp()
  const table: [authorization: string, answer: object][] = [
    ['', missing],
    ['Basic YTpi', missing],
    [`Token ${token}`, missing],
    [`Bearer${token}`, missing],
    [`X-Bearer ${token}`, missing],
    [token, missing],
    ['Negotiate', missing],
    ['Bearer', malformed],
    ['bearer', malformed],
    ['Bearer ', malformed],
    ['Bearer  ', malformed],
    [`Bearer  ${token} `, malformed],
    [`Bearer \t${token}`, malformed],
    [`Bearer\t${token}`, malformed],
    [`Bearer ${token} ${token}`, malformed],
    [`Bearer ${token},${token}`, malformed],
    [`Bearer ${token}, Basic YTpi`, malformed],
    [`Bearer ${token} `, malformed],
    ['Bearer,', malformed],
    ['Bearer %', invalid],
    ['Bearer %E0%A4%A', invalid],
    ['Bearer null', invalid],
    ['Bearer undefined', invalid],
    [`Bearer "${token}"`, invalid],
  ]

  for (const [authorization, answer] of table) {
    t.match((await app.inject({ url: '/guarded', headers: { authorization } })).json(), answer, authorization)
  }
  for (const scheme of ['Bearer', 'bearer', 'BEARER', 'bEaReR']) {
    for (const spaces of [' ', '  ', ' '.repeat(1000)]) {
      t.equal(
        (await app.inject({ url: '/guarded', headers: { authorization: `${scheme}${spaces}${token}` } })).statusCode,
        200,
        `${scheme}, ${spaces.length}`
      )
    }
  }
})

t.test('a malformed header says so in its challenge, and a missing one names no error', async (t) => {
  const { app } = await build(t)
  const challengeOf = async (authorization: string) =>
    (await app.inject({ url: '/guarded', headers: { authorization } })).headers['www-authenticate']
  t.match(await challengeOf('Bearer'), /^Bearer realm="accounts", error="invalid_request", error_description="[^"]+"$/)
  t.equal(await challengeOf('Basic YTpi'), 'Bearer realm="accounts"')
})

for (const url of ['/auth/refresh', '/with-refresh']) {
  t.test(`at ${url} a refresh token in the body decides, whatever the header says`, async (t) => {
    const { app, signUp } = await build(t)
    const { access_token: access, refresh_token: token } = await signUp()
    const send = (payload: object, authorization: Record<string, string>) =>
      app.inject({ method: 'POST', url, payload, headers: authorization })

    for (const authorization of [
      bearer(access),
      bearer('garbage'),
      { authorization: 'Bearer' },
      { authorization: 'Basic YTpi' },
    ]) {
      t.equal((await send({ refresh_token: token }, authorization)).statusCode, 200)
      t.match((await send({ refresh_token: 'garbage' }, authorization)).json(), invalid)
      t.match((await send({ refresh_token: '' }, authorization)).json(), invalid)
    }
    t.match((await send({ refresh_token: access }, bearer(token))).json(), { code: 'ACCOUNTS_TOKEN_WRONG_TYPE' })
    t.equal((await send({}, bearer(token))).statusCode, 200)
    t.match((await send({}, {})).json(), missing)
  })
}

const wrongType = { statusCode: 401, code: 'ACCOUNTS_TOKEN_WRONG_TYPE' }
const notAString = { statusCode: 400, code: 'ACCOUNTS_INPUT_INVALID' }
const own = { 'sec-fetch-site': 'same-origin' }

/** Says who was let in, and by which token. */
const handler = async ({ user, auth }: { user: object, auth: object }) => ({ user, auth })

/** A guard of its own behind each path, and the tokens of two users. */
async function guarded (t: Test, guards: Record<string, GuardOptions>, options: AccountsOptions = {}) {
  const built = await build(t, options)
  for (const [url, guard] of Object.entries(guards)) {
    built.app.route({
      method: ['GET', 'POST'],
      url,
      preHandler: built.app.accounts.guard(guard),
      handler: handler as never,
    })
  }
  const [ada, bob] = [await built.signUp('ada'), await built.signUp('bob')]
  const send = async (url: string, headers: Record<string, string> = {}, payload?: object) =>
    (
      await built.app.inject({
        method: payload ? 'POST' : 'GET',
        url,
        headers: { ...own, ...headers },
        ...(payload && { payload }),
      })
    ).json()
  return { ...built, ada, bob, send }
}

t.test('the header may have a name and a scheme of its own', async (t) => {
  const { app, signUp } = await build(t, { header: { name: 'X-Auth', scheme: 'JWT' } })
  const { access_token: token, refresh_token: refresh } = await signUp()
  const table: [headers: Record<string, string>, answer: object][] = [
    [bearer(token), missing],
    [{ authorization: `JWT ${token}` }, missing],
    [{ 'x-auth': `Bearer ${token}` }, missing],
    [{ 'x-auth': token }, missing],
    [{ 'x-auth': `JWTX ${token}` }, missing],
    [{ 'x-auth': '' }, missing],
    [{ 'x-auth': 'JWT' }, malformed],
    [{ 'x-auth': `JWT  ${token},` }, malformed],
    [{ 'x-auth': `JWT\t${token}` }, malformed],
    [{ 'x-auth': `JWT ${token}, JWT ${token}` }, malformed],
    [{ 'x-auth': `jwt,${token}` }, malformed],
    [{ 'x-auth': 'JWT x' }, invalid],
  ]
  for (const [headers, answer] of table) { t.match((await app.inject({ url: '/guarded', headers })).json(), answer, JSON.stringify(headers).slice(0, 40)) }
  for (const headers of [
    { 'x-auth': `JWT ${token}` },
    { 'x-auth': `JWT  ${token}` },
    { 'X-AUTH': `jwt ${token}` },
    { 'x-auth': `JWT ${token}`, authorization: 'Bearer x' },
  ]) {
    t.match((await app.inject({ url: '/guarded', headers })).json(), { auth: { location: 'header' } })
  }
  t.equal((await app.inject({ url: '/auth/me', headers: { 'x-auth': `JWT ${token}` } })).statusCode, 200)
  t.match((await app.inject('/guarded')).headers['www-authenticate'], 'JWT realm="accounts"')
  t.equal(
    (await app.inject({ method: 'POST', url: '/auth/refresh', headers: { 'x-auth': `JWT ${refresh}` } })).statusCode,
    200
  )
  t.equal(
    (await app.inject({ method: 'POST', url: '/auth/logout', headers: { 'x-auth': `JWT ${token}` } })).statusCode,
    204
  )
})

t.test('a header without a scheme holds a token and nothing else', async (t) => {
  const { app, signUp } = await build(t, { header: { name: 'x-token', scheme: '' } })
  const { access_token: token } = await signUp()
  const table: [value: string, answer: object][] = [
    ['', missing],
    [token, { user: { username: 'ada' } }],
    [`Bearer ${token}`, malformed],
    [`${token},${token}`, malformed],
    [`${token} ${token}`, malformed],
    [`${token}\t`, malformed],
    ['Bearer', invalid],
    ['x', invalid],
    ['%E0%A4%A', invalid],
  ]
  for (const [value, answer] of table) { t.match((await app.inject({ url: '/guarded', headers: { 'x-token': value } })).json(), answer, value.slice(-20)) }
  t.match((await app.inject({ url: '/guarded', headers: bearer(token) })).json(), missing)
  t.match(
    (await app.inject('/guarded')).headers['www-authenticate'],
    'Bearer realm="accounts"',
    'a challenge has a scheme'
  )
})

t.test('a header that comes as a list holds no token', async (t) => {
  const { app, signUp } = await build(t, { header: { name: 'set-cookie', scheme: '' } })
  const { access_token: token } = await signUp()
  // Node gives this one as a list, however often it was sent.
  app.server.prependListener('request', ({ headers }) => { headers['set-cookie'] = [token] })
  await app.listen({ host: '127.0.0.1', port: 0 })
  t.match(await (await fetch(`${app.listeningOrigin}/guarded`)).json(), missing)
})

t.test('a cookie is found by its exact name, and the first one counts', async (t) => {
  const { ada, bob, send, app } = await guarded(t, {}, { locations: ['cookie'] })
  const [token, other] = [ada.access_token, bob.access_token]
  const name = '__Host-access'
  const found = { user: { username: 'ada' }, auth: { location: 'cookie' } }
  const table: [cookie: string, answer: object][] = [
    [`${name}=${token}`, found],
    [` ${name} = ${token} `, found],
    [`a=b;${name}=${token};c=d`, found],
    [`a; ${name}=${token}; =x; ;`, found],
    [`a=%; ${name}=${token}`, found],
    [`${name}=${token}; ${name}=${other}`, found],
    [`${name}=${token}; ${name}=garbage`, found],
    [`${name}=garbage; ${name}=${token}`, invalid],
    [`__proto__=x; constructor=y; ${name}=${token}`, found],
    ['', missing],
    [`${name}=`, missing],
    [`${name}=; ${name}=${token}`, missing],
    [name, missing],
    ['=', missing],
    ['a=b', missing],
    [token, missing],
    [`=${token}`, missing],
    [`__host-access=${token}`, missing],
    [`__HoSt-access=${token}`, missing],
    [`__Host-Access=${token}`, missing],
    [`access=${token}`, missing],
    [`access_token=${token}`, missing],
    [`__Secure-access=${token}`, missing],
    [`__Host-staff-access=${token}`, missing],
    [`x__Host-access=${token}`, missing],
    [`a=${name}=${token}`, missing],
    ...['\u00a0', '\u0085', '\u000b', '\u00e2\u0080\u0080', '\ufeff'].map(
      (blank) => [`${blank}${name}=${token}`, missing] as [string, object]
    ),
    [`__Host%2daccess=${token}`, missing],
    [`$Version=1; $${name}=${token}`, missing],
    [`${name}=%`, invalid],
    [`${name}=%E0%A4%A`, invalid],
    [`${name}=${token}%`, invalid],
    [`${name}="${token}"`, invalid],
    [`${name}=${token},${name}=${token}`, invalid],
    [`${name}=null`, invalid],
    [`${name}=Bearer ${token}`, invalid],
    [`${name}=${'a'.repeat(100_000)}`, invalid],
    [`${name}=${'%00'.repeat(2000)}`, invalid],
    [`${name}=é`, invalid],
    [`${'a=b; '.repeat(50_000)}${name}=${token}`, found],
    [';'.repeat(100_000), missing],
    ['='.repeat(100_000), missing],
    [`${name}=${ada.refresh_token}`, wrongType],
    [`__Secure-refresh=${token}`, missing],
  ]
  for (const [cookie, answer] of table) { t.match(await send('/guarded', { cookie }), answer, JSON.stringify(cookie.replace(token, 'TOKEN').slice(0, 60))) }
  t.match(await send('/guarded', bearer(token)), missing, 'nowhere else')
  t.match((await app.inject({ url: '/auth/me', headers: { cookie: `${name}=${token}` } })).json(), { username: 'ada' })
})

t.test('in a body a token goes by its name, and by the right one', async (t) => {
  const { ada, send, app } = await guarded(t, {
    '/body': { locations: ['body'] },
    '/refresh': { type: 'refresh', locations: ['body'] },
    '/any': { type: 'any', locations: ['body'] },
  })
  const { access_token: access, refresh_token: refresh } = ada
  const found = { user: { username: 'ada' }, auth: { location: 'body' } }
  const table: [url: string, body: object, answer: object][] = [
    ['/body', { access_token: access }, found],
    ['/body', { access_token: access, refresh_token: 7 }, found],
    ['/body', { refresh_token: access }, missing],
    ['/body', { token: access }, missing],
    ['/body', { Access_Token: access }, missing],
    ['/body', {}, missing],
    ['/body', [access], missing],
    ['/body', [{ access_token: access }], missing],
    ['/body', { access_token: refresh }, wrongType],
    ['/body', { access_token: '' }, invalid],
    ['/body', { nested: { access_token: access } }, missing],
    ...[null, 7, true, [access], { access }, [], {}].map(
      (value) => ['/body', { access_token: value }, notAString] as [string, object, object]
    ),
    ['/refresh', { refresh_token: refresh }, found],
    ['/refresh', { access_token: refresh }, missing],
    ['/refresh', { refresh_token: access }, wrongType],
    ['/refresh', { refresh_token: [refresh] }, notAString],
    ['/any', { refresh_token: refresh }, found],
    ['/any', { access_token: access }, found],
    ['/any', { refresh_token: refresh, access_token: 'x' }, found],
    ['/any', { refresh_token: 'x', access_token: access }, invalid],
    ['/any', { refresh_token: access }, wrongType],
    ['/any', { access_token: refresh }, wrongType],
    ['/any', { refresh_token: null, access_token: access }, notAString],
  ]
  for (const [url, body, answer] of table) { t.match(await send(url, {}, body), answer, `${url} ${JSON.stringify(Object.keys(body))}`) }
  t.match(await send('/body', {}, { access_token: 7 }), { message: 'body/access_token must be string' })
  t.match(await send('/body', bearer(access), {}), missing)
  t.match(await send('/body'), missing, 'a GET has no body')
  t.match(
    (
      await app.inject({
        method: 'POST',
        url: '/body',
        payload: JSON.stringify(access),
        headers: { 'content-type': 'application/json' },
      })
    ).json(),
    missing
  )
  t.match(
    (
      await app.inject({
        method: 'POST',
        url: '/body',
        payload: 'null',
        headers: { 'content-type': 'application/json' },
      })
    ).json(),
    missing
  )
  t.match(
    (
      await app.inject({
        method: 'POST',
        url: '/body',
        payload: '{"__proto__":{"access_token":"x"}}',
        headers: { 'content-type': 'application/json' },
      })
    ).json(),
    { statusCode: 400 }
  )
})

t.test('in a form a token is a field, and an empty field is none', async (t) => {
  const { app, signUp } = await build(t)
  await app.register(async (scope) => {
    await scope.register(formbody)
    await scope.register(multipart, { attachFieldsToBody: true })
    for (const type of ['access', 'refresh', 'any'] as const) { scope.post(`/form/${type}`, { preHandler: app.accounts.guard({ type, locations: ['body'] }) }, handler as never) }
  })
  async function send (url: string, body: FormData | URLSearchParams) {
    const request = new Request('http://localhost', { method: 'POST', body })
    return (
      await app.inject({
        method: 'POST',
        url,
        headers: { 'content-type': request.headers.get('content-type')! },
        payload: Buffer.from(await request.arrayBuffer()),
      })
    ).json()
  }

  const { access_token: access, refresh_token: refresh } = await signUp()
  const found = { user: { username: 'ada' }, auth: { location: 'body' } }
  const table: [url: string, fields: [name: string, value: string][], answer: object][] = [
    ['/form/access', [['access_token', access]], found],
    ['/form/refresh', [['refresh_token', refresh]], found],
    [
      '/form/any',
      [
        ['refresh_token', ''],
        ['access_token', access],
      ],
      found,
    ],
    ['/form/access', [], missing],
    ['/form/access', [['access_token', '']], missing],
    ['/form/access', [['refresh_token', access]], missing],
    ['/form/access', [['access_token', 'x']], invalid],
    ['/form/access', [['access_token', refresh]], wrongType],
    [
      '/form/access',
      [
        ['access_token', access],
        ['access_token', access],
      ],
      notAString,
    ],
  ]
  for (const Form of [FormData, URLSearchParams]) {
    for (const [url, fields, answer] of table) {
      const form = new Form()
      for (const [name, value] of fields) form.append(name, value)
      t.match(await send(url, form), answer, `${Form.name} ${url} ${JSON.stringify(fields.map(([name]) => name))}`)
    }
  }
  const file = new FormData()
  file.append('access_token', new Blob([access]))
  t.match(await send('/form/access', file), notAString, 'a file is no token')
  t.match(
    (
      await app.inject({
        method: 'POST',
        url: '/form/access',
        payload: { access_token: { type: 'field', value: access } },
      })
    ).json(),
    notAString,
    'JSON has no such fields'
  )
})

t.test('a token is found in what the host takes out of a body, and not in front of a body', async (t) => {
  for (const removeAdditional of ['all', true] as const) {
    const app = Fastify({ ajv: { customOptions: { removeAdditional } } })
    t.teardown(() => app.close())
    await app.register(accounts, { db: ':memory:', secret, password: cheap })
    const schema = { body: { type: 'object', additionalProperties: false, properties: { text: { type: 'string' } } } }
    const answer = async ({ body, auth: { location } }: { body: unknown; auth: { location: string } }) => ({
      body,
      location,
    })
    const routes: Record<string, GuardOptions> = {
      '/access': { locations: ['body'] },
      '/refresh': { type: 'refresh' },
      '/any': { type: 'any' },
    }
    for (const [url, options] of Object.entries(routes)) {
      app.post(url, { schema, preHandler: app.accounts.guard(options) }, answer as never)
      app.post(`${url}-early`, { schema, preValidation: app.accounts.guard(options) }, answer as never)
      t.throws(() => app.post(`${url}-first`, { onRequest: app.accounts.guard(options) }, answer as never), {
        code: 'ACCOUNTS_OPTIONS_INVALID',
        message: /in onRequest, where there is no body yet/,
      })
    }
    await app.register(async (scope) => {
      scope.accounts.protect(scope, { locations: ['body'] })
      scope.post('/scoped', { schema }, answer as never)
    })
    const { access_token: access, refresh_token: refresh } = await client(app).signUp()
    for (const [url, body] of [
      ['/access', { access_token: access }],
      ['/refresh', { refresh_token: refresh }],
      ['/any', { refresh_token: refresh }],
      ['/any', { access_token: access }],
      ['/scoped', { access_token: access }],
    ] as const) {
      for (const path of url === '/scoped' ? [url] : [url, `${url}-early`]) {
        t.same(
          (await app.inject({ method: 'POST', url: path, payload: { ...body, text: 'x' } })).json(),
          { body: { text: 'x' }, location: 'body' },
          `${removeAdditional} ${path}`
        )
      }
    }
  }
})

t.test('a body that is no object of fields is not walked through to find a token, however large', async (t) => {
  let walks = 0
  const file = new Proxy(Buffer.alloc(8), { ownKeys (bytes) { walks++; return Reflect.ownKeys(bytes) } })
  const { app, signUp } = await build(t, { locations: ['header', 'body'] })
  app.addContentTypeParser('application/octet-stream', (_request, payload, done) => {
    payload.resume().on('end', () => done(null, file))
  })
  app.post('/upload', { preHandler: app.authenticate }, async () => 'done')
  const { access_token: token } = await signUp()
  const upload = (headers: object) =>
    app.inject({
      method: 'POST',
      url: '/upload',
      payload: 'x',
      headers: { 'content-type': 'application/octet-stream', ...headers },
    })

  t.equal((await upload(bearer(token))).body, 'done')
  t.match((await upload({})).json(), missing)
  t.equal(walks, 0)
})

t.test('a query holds its token whatever the schema of the route leaves of it', async (t) => {
  const { app, signUp } = await build(t)
  const querystring = { type: 'object', additionalProperties: false, properties: { page: { type: 'integer' } } }
  const guard = app.accounts.guard({ locations: ['query'] })
  for (const hook of ['onRequest', 'preValidation', 'preHandler'] as const) {
    app.get(`/${hook}`, { schema: { querystring }, [hook]: guard }, async ({ query }) => query)
  }
  const { access_token: token } = await signUp()
  for (const hook of ['onRequest', 'preValidation', 'preHandler']) { t.same((await app.inject(`/${hook}?page=2&access_token=${token}`)).json(), { page: 2 }, hook) }
})

t.test('a query is looked at where a guard says so, and never by itself', async (t) => {
  const { ada, send } = await guarded(
    t,
    {
      '/query': { locations: ['query'] },
      '/refresh': { type: 'refresh', locations: ['query'] },
      '/any': { type: 'any', locations: ['query'] },
      '/both': { locations: ['header', 'query'] },
    },
    { transport: 'both' }
  )
  const { access_token: access, refresh_token: refresh } = ada
  const found = { user: { username: 'ada' }, auth: { location: 'query' } }
  const table: [url: string, answer: object][] = [
    [`/query?access_token=${access}`, found],
    [`/query?a=b&access_token=${access}`, found],
    [`/query?access%5Ftoken=${access}`, found],
    ['/query', missing],
    [`/query?token=${access}`, missing],
    [`/query?jwt=${access}`, missing],
    [`/query?refresh_token=${access}`, missing],
    [`/query?ACCESS_TOKEN=${access}`, missing],
    [`/query?access_token[]=${access}`, missing],
    [`/query?access_token[a]=${access}`, missing],
    [`/query#access_token=${access}`, missing],
    [`/query?access_token=${access}&access_token=${access}`, notAString],
    ['/query?access_token=', missing],
    ['/query?access_token', missing],
    ['/query?access_token=%', invalid],
    ['/query?access_token=%E0%A4%A', invalid],
    [`/query?access_token=${refresh}`, wrongType],
    [`/query?access_token=Bearer%20${access}`, invalid],
    [`/refresh?refresh_token=${refresh}`, found],
    [`/refresh?access_token=${refresh}`, missing],
    [`/refresh?refresh_token=${access}`, wrongType],
    [`/any?refresh_token=${refresh}&access_token=${access}`, found],
    [`/any?access_token=${access}`, found],
    [`/any?access_token=${refresh}`, wrongType],
    [`/both?access_token=${access}`, found],
    [`/guarded?access_token=${access}`, missing],
    [`/guarded?token=${access}`, missing],
    [`/guarded?jwt=${access}`, missing],
    [`/auth/me?access_token=${access}`, missing],
  ]
  for (const [url, answer] of table) t.match(await send(url), answer, url.replace(access, 'TOKEN').slice(0, 50))
  for (const url of ['/auth/refresh', '/auth/logout', '/with-refresh']) { t.match(await send(`${url}?refresh_token=${refresh}`, {}, {}), missing, url) }
  t.match(await send('/query?access_token=a&access_token=b'), { message: 'querystring/access_token must be string' })
  t.match(await send('/query', bearer(access)), missing)
})

t.test(
  'a token among the subprotocols of a WebSocket is one entry, and not the first, which servers send back',
  async (t) => {
    const { ada, send } = await guarded(t, {
      '/protocol': { locations: ['protocol'] },
      '/any': { type: 'any', locations: ['protocol'] },
      '/both': { locations: ['protocol', 'header'] },
      '/renew': { type: 'refresh', locations: ['protocol', 'body'] },
    })
    const { access_token: access, refresh_token: refresh } = ada
    const token = `access_token.${access}`
    const found = { user: { username: 'ada' }, auth: { location: 'protocol' } }
    const table: [protocols: string, answer: object][] = [
      [`chat, ${token}`, found],
      [`chat,${token}`, found],
      [`chat , \t${token} `, found],
      [`chat, superchat, ${token}`, found],
      [`chat, ${token}, superchat`, found],
      [token, malformed],
      [`${token}, chat`, malformed],
      [`chat, ${token}, ${token}`, malformed],
      [`chat, ${token}, access_token.`, malformed],
      [`${token}, ${token}`, malformed],
      ['chat, access_token.', malformed],
      ['chat, access_token. ', malformed],
      ['chat', missing],
      ['', missing],
      [`chat, ACCESS_TOKEN.${access}`, missing],
      [`chat, refresh_token.${refresh}`, missing],
      [`chat, ${access}`, missing],
      ['chat, access_token', missing],
      [`chat, access_token=${access}`, missing],
      ['chat, access_token.bad', invalid],
      [`chat, access_token.${refresh}`, wrongType],
    ]
    for (const path of ['/protocol', '/any', '/both']) {
      for (const [protocols, answer] of table) {
        t.match(
          await send(path, { 'sec-websocket-protocol': protocols }),
          answer,
          `${path} ${protocols.replaceAll(access, 'TOKEN').slice(0, 50)}`
        )
      }
    }
    t.match(await send('/both', { 'sec-websocket-protocol': 'chat', ...bearer(access) }), {
      auth: { location: 'header' },
    })
    t.match(await send('/protocol', bearer(access)), missing)
    t.match(await send('/guarded', { 'sec-websocket-protocol': `chat, ${token}` }), missing, 'off by default')
    t.match(
      await send('/renew', { 'sec-websocket-protocol': `chat, ${token}` }),
      missing,
      'no refresh token is looked for there'
    )
  }
)

t.test('the first place that holds a token decides, and a bad one there ends the request', async (t) => {
  const orders: Location[][] = [
    ['header', 'cookie', 'body', 'query', 'protocol'],
    ['protocol', 'query', 'body', 'cookie', 'header'],
    ['cookie', 'header'],
    ['body', 'query'],
  ]
  const paths = orders.map((_, index) => `/${index}`)
  const { ada, bob, send } = await guarded(
    t,
    Object.fromEntries(orders.map((locations, index) => [paths[index]!, { locations }]))
  )
  const places: Record<
    Location,
    (token: string) => { headers?: Record<string, string>; body?: object; query?: string }
  > = {
    header: (token) => ({ headers: bearer(token) }),
    cookie: (token) => ({ headers: { cookie: `__Host-access=${token}` } }),
    body: (token) => ({ body: { access_token: token } }),
    query: (token) => ({ query: `?access_token=${token}` }),
    protocol: (token) => ({ headers: { 'sec-websocket-protocol': `chat, access_token.${token}` } }),
  }
  const put = (path: string, tokens: [Location, string][]) => {
    const parts = tokens.map(([place, token]) => places[place](token))
    return send(
      path + parts.map(({ query = '' }) => query).join(''),
      Object.assign({}, ...parts.map(({ headers }) => headers)),
      Object.assign({}, ...parts.map(({ body }) => body))
    )
  }

  for (const [index, order] of orders.entries()) {
    const path = paths[index]!
    for (const [rank, place] of order.entries()) {
      const later = order.slice(rank + 1)
      const good = later.map((each) => [each, bob.access_token] as [Location, string])
      t.match(
        await put(path, [[place, ada.access_token], ...good]),
        { user: { username: 'ada' }, auth: { location: place } },
        `${order}: ${place}`
      )
      t.match(await put(path, [[place, 'garbage'], ...good]), invalid, `${order}: ${place} is bad`)
      t.match(await put(path, [[place, ada.refresh_token], ...good]), wrongType)
      for (const elsewhere of (['header', 'cookie', 'body', 'query', 'protocol'] as const).filter(
        (each) => !order.includes(each)
      )) { t.match(await put(path, [[elsewhere, bob.access_token]]), missing) }
    }
    t.match(await put(path, []), missing)
  }
  t.match(
    await send('/0', { authorization: 'Basic YTpi', cookie: `__Host-access=${ada.access_token}` }),
    { auth: { location: 'cookie' } },
    'another scheme is nothing'
  )
  t.match(await send('/0', { authorization: 'Bearer', cookie: `__Host-access=${ada.access_token}` }), malformed)
  t.match(
    await send('/0', { cookie: '__Host-access=' }, { access_token: ada.access_token }),
    { auth: { location: 'body' } },
    'an empty cookie is nothing'
  )
  t.match(await send(`/0?access_token=${ada.access_token}`, {}, { access_token: 7 }), notAString)
})

t.test('the app says where its guards look, and a guard may say otherwise', async (t) => {
  const token = (place: Location, text: string) =>
    ({ header: bearer(text), cookie: { cookie: `__Host-access=${text}` } })[place as 'header' | 'cookie']
  const apps: [options: AccountsOptions, usual: Location[]][] = [
    [{}, ['header']],
    [{ transport: 'cookie' }, ['header', 'cookie']],
    [{ transport: 'both' }, ['header', 'cookie']],
    [{ transport: 'cookie', locations: ['cookie'] }, ['cookie']],
    [{ locations: ['cookie', 'header'] }, ['cookie', 'header']],
  ]
  for (const [options, usual] of apps) {
    const { app, post } = await build(t, options)
    app.get('/header', { preHandler: app.accounts.guard({ locations: ['header'] }) }, async ({ auth }) => auth)
    app.get('/cookie', { preHandler: app.accounts.guard({ locations: ['cookie'] }) }, async ({ auth }) => auth)
    await post('/auth/register', { username: 'ada', password })
    const { id } = (await post('/auth/login', { username: 'ada', password })).json().user
    const { access_token: access } = await app.accounts.issueTokens(id, {})

    for (const place of ['header', 'cookie'] as const) {
      const headers = token(place, access)
      for (const url of ['/guarded', '/auth/me']) {
        t.equal(
          (await app.inject({ url, headers })).statusCode,
          usual.includes(place) ? 200 : 401,
          `${url} ${JSON.stringify(options)} ${place}`
        )
      }
      t.match((await app.inject({ url: `/${place}`, headers })).json(), { location: place })
      t.match((await app.inject({ url: place === 'header' ? '/cookie' : '/header', headers })).json(), missing)
    }
  }
  const { app } = await build(t)
  for (const locations of [[], ['headers'], ['header', 'header'], 'header', [null]] as Location[][]) { t.throws(() => app.accounts.guard({ locations }), { code: 'ACCOUNTS_OPTIONS_INVALID' }) }
})

for (const locations of [['body'], ['query'], ['query', 'body']] as Location[][]) {
  t.test(`an app may look for tokens in ${locations} alone`, async (t) => {
    const app: FastifyInstance = Fastify()
    t.teardown(() => app.close())
    await app.register(accounts, { db: ':memory:', secret, password: cheap, locations })
    app.post('/guarded', { preHandler: app.authenticate }, handler as never)
    const { access_token: access } = await client(app).signUp()
    const payload = { access_token: access }
    for (const place of ['body', 'query'] as const) {
      const answer = await app.inject({
        method: 'POST',
        ...(place === 'body' ? { url: '/guarded', payload } : { url: `/guarded?access_token=${access}` }),
      })
      t.match(answer.json(), locations.includes(place) ? { auth: { location: place } } : missing)
    }
    t.match(
      (await app.inject({ method: 'POST', url: '/guarded', headers: bearer(access), payload: {} })).json(),
      missing
    )
    t.equal(
      (await app.inject({ url: '/auth/me', headers: bearer(access) })).statusCode,
      200,
      'our own routes have no body and no query to look at'
    )
  })
}

t.test('guards for refresh tokens and for any look in the body before the places of the app', async (t) => {
  const { ada, bob, send } = await guarded(
    t,
    { '/refresh': { type: 'refresh' }, '/any': { type: 'any' }, '/cookie': { type: 'any', locations: ['cookie'] } },
    { locations: ['cookie', 'header'] }
  )
  const cookies = (refresh: string, access: string) => ({
    cookie: `__Host-access=${access}; __Secure-refresh=${refresh}`,
  })
  const [own, others] = [cookies(ada.refresh_token, ada.access_token), bearer(bob.refresh_token)]
  const found = (username: string, location: Location) => ({ user: { username }, auth: { location } })
  const table: [url: string, headers: Record<string, string>, body: object | undefined, answer: object][] = [
    ['/refresh', own, { refresh_token: bob.refresh_token }, found('bob', 'body')],
    ['/refresh', { ...own, ...others }, {}, found('ada', 'cookie')],
    ['/refresh', others, {}, found('bob', 'header')],
    ['/refresh', { ...cookies('', ada.access_token), ...others }, {}, found('bob', 'header')],
    ['/refresh', cookies(ada.access_token, ada.access_token), {}, wrongType],
    ['/refresh', cookies('', ada.access_token), {}, missing],
    ['/refresh', bearer(ada.access_token), {}, wrongType],
    ['/any', own, { access_token: bob.access_token }, found('bob', 'body')],
    ['/any', own, {}, found('ada', 'cookie')],
    ['/any', { ...cookies('', ada.access_token), ...others }, {}, found('ada', 'cookie')],
    ['/any', cookies('garbage', ada.access_token), {}, invalid],
    ['/any', cookies(ada.access_token, ''), {}, wrongType],
    ['/any', bearer(bob.access_token), {}, found('bob', 'header')],
    ['/cookie', { ...own, ...others }, undefined, found('ada', 'cookie')],
    ['/cookie', others, undefined, missing],
  ]
  for (const [url, headers, body, answer] of table) { t.match(await send(url, headers, body), answer, `${url} ${Object.keys(headers)} ${Object.keys(body ?? {})}`) }
})

t.test('one request is one user: the token that was found is the one that everything is about', async (t) => {
  const { app, send } = await guarded(
    t,
    { '/cookie-first': { locations: ['cookie', 'header'] } },
    { transport: 'both' }
  )
  const login = async (username: string) => {
    const answer = await app.inject({
      method: 'POST',
      url: '/auth/login',
      payload: { username, password, transport: 'cookie' },
    })
    return {
      value: answer.json().csrf_token as string,
      tokens: answer.cookies.map(({ value }) => value) as [string, string, string],
    }
  }
  const [ada, bob] = [await login('ada'), await login('bob')]
  const headers = {
    ...bearer(bob.tokens[0]),
    cookie: `__Host-access=${ada.tokens[0]}`,
    'x-csrf-token': bob.value,
    'sec-fetch-site': '',
  }
  t.match(await send('/guarded', headers), { user: { username: 'bob' }, auth: { location: 'header' } })
  t.match(
    await send('/cookie-first', headers, {}),
    { code: 'ACCOUNTS_CSRF_FAILED' },
    'the value of the other session is none'
  )
  t.match(await send('/cookie-first', { ...headers, 'x-csrf-token': ada.value }, {}), {
    user: { username: 'ada' },
    auth: { location: 'cookie' },
  })
})
