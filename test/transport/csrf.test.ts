// On each database.
import { createHmac } from 'node:crypto'
import { request as httpRequest } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import formbody from '@fastify/formbody'
import multipart from '@fastify/multipart'
import { Type } from '@sinclair/typebox'
import type { FastifyInstance, InjectOptions } from 'fastify'
import t, { type Test } from 'tap'
import type { AccountsOptions } from '../../lib/index.ts'
import { browser, cookieHeader, setBy } from '../support/browser.ts'
import { bearer, build, password } from '../support/build.ts'

const ada = { username: 'ada', password }
const trusted = 'https://app.example.com'
const handler = async () => 'done'
const failed = { statusCode: 403, code: 'ACCOUNTS_CSRF_FAILED', error: 'Forbidden' }

/** An app whose tokens travel in cookies, with more routes behind a guard, and a signed-in user. */
async function site (
  t: Test,
  csrf: NonNullable<AccountsOptions['csrf']> = {},
  options: AccountsOptions = {},
  more: (app: FastifyInstance) => unknown = () => {}
) {
  const { app, ...rest } = await build(t, { transport: 'cookie', csrf, ...options })
  await more(app)
  app.route({
    method: ['GET', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'],
    url: '/act',
    preHandler: app.authenticate,
    handler,
  })
  app.post('/act', { preHandler: app.authenticate }, handler)
  let count = 0

  /** The cookies and the value of a new session. */
  async function signIn (user = ada) {
    const answer = await app.inject({ method: 'POST', url: '/auth/login', payload: user })
    const cookies = setBy(answer)
    return { cookie: cookieHeader(cookies), value: answer.json().csrf_token as string, cookies }
  }
  const register = (headers: Record<string, string> = {}, username = `user-${count++}`) =>
    app.inject({ method: 'POST', url: '/auth/register', payload: { username, password }, headers })
  await register({}, 'ada')

  const send = (
    url: string,
    headers: InjectOptions['headers'],
    payload?: InjectOptions['payload'],
    method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'HEAD' | 'OPTIONS' = 'POST'
  ) => app.inject({ method, url, headers: headers!, ...(payload === undefined ? {} : { payload }) })
  return { app, ...rest, signIn, register, send }
}

/**
 * What a browser says of the sender, and what becomes of the request. 'asks': the value is proof by itself. 'asks and
 * names': so it is, but who has no session yet, and so no value, is refused for an Origin that nobody knows.
 */
const senders: [
  site: string | undefined,
  origin: string | undefined,
  verdict: 'passes' | 'asks' | 'asks and names' | 'refused'
][] = [
  ['same-origin', undefined, 'passes'],
  ['same-origin', 'https://api.example.com', 'passes'],
  ['same-origin', 'null', 'passes'],
  ['same-origin', trusted, 'passes'],
  ['cross-site', undefined, 'refused'],
  ['cross-site', 'https://evil.example', 'refused'],
  ['cross-site', 'null', 'refused'],
  ['cross-site', trusted, 'passes'],
  ['same-site', undefined, 'refused'],
  ['same-site', 'https://blog.example.com', 'refused'],
  ['same-site', 'http://app.example.com', 'refused'],
  ['same-site', trusted, 'passes'],
  ['none', undefined, 'asks'],
  ['none', 'https://evil.example', 'asks and names'],
  ['none', trusted, 'passes'],
  ['', undefined, 'asks'],
  ['Same-Origin', undefined, 'asks'],
  ['same-origin, cross-site', undefined, 'asks'],
  ['trusted', 'https://evil.example', 'asks and names'],
  [undefined, undefined, 'asks'],
  [undefined, trusted, 'passes'],
  [undefined, 'https://api.example.com', 'asks and names'],
  ...[
    'null',
    '',
    'https://evil.example',
    'https://app.example.com.evil.example',
    'https://evil-app.example.com',
    'https://app.example.comevil.example',
    'https://sub.app.example.com',
    'http://app.example.com',
    'https://app.example.com:8443',
    'https://app.example.com:443',
    'https://app.example.com/',
    'https://APP.example.com',
    'https://app.example.com@evil.example',
    'https://evil.example#https://app.example.com',
    `${trusted}, https://evil.example`,
    `${trusted} ${trusted}`,
    'app.example.com',
    '//app.example.com',
    '*',
    'file://',
    'undefined',
  ].map((origin) => [undefined, origin, 'asks and names'] as [undefined, string, 'asks and names']),
]

const endsTokens = (url: string) => url === '/auth/logout' || url === '/auth/reauthenticate'

for (const [url, payload] of [
  ['/act', undefined],
  ['/auth/refresh', undefined],
  ['/auth/logout', undefined],
  ['/auth/reauthenticate', { password }],
] as const) {
  t.test(`at ${url} the browser's word on the sender decides, and where it has none the value`, async (t) => {
    const { send, signIn } = await site(t, { trustedOrigins: [trusted] })
    let session = await signIn()

    for (const [from, origin, verdict] of senders) {
      const headers = {
        cookie: session.cookie,
        ...(from !== undefined && { 'sec-fetch-site': from }),
        ...(origin !== undefined && { origin }),
      }
      const label = `${from} ${origin}`
      const bare = await send(url, headers, payload)
      if (verdict === 'passes') t.ok(bare.statusCode < 300, label)
      else t.match(bare.json(), failed, label)
      if (verdict !== 'passes') t.notOk(bare.headers['set-cookie'], label)
      // After a logout, and where the password was given again, the tokens of before are over.
      if (endsTokens(url) && verdict === 'passes') session = await signIn()

      const shown = await send(url, { ...headers, cookie: session.cookie, 'x-csrf-token': session.value }, payload)
      if (verdict === 'refused') t.match(shown.json(), failed, label)
      else t.ok(shown.statusCode < 300, label)
      if (url === '/auth/logout' && verdict !== 'refused') {
        t.ok(shown.headers['set-cookie'], `${label} takes the cookies back`)
      }
      if (endsTokens(url) && verdict !== 'refused') session = await signIn()
    }
  })
}

t.test('who is about to get cookies must not come from elsewhere, and needs no value', async (t) => {
  const { app, register, send } = await site(t, { trustedOrigins: [trusted] })
  for (const [from, origin, verdict] of senders) {
    const headers = { ...from !== undefined && { 'sec-fetch-site': from }, ...origin !== undefined && { origin } }
    for (const [answer, status] of [
      [await send('/auth/login', headers, ada), 200],
      [await register(headers), 201],
    ] as const) {
      const isRefused = verdict === 'refused' || verdict === 'asks and names'
      if (isRefused) t.match(answer.json(), failed, `${from} ${origin}`)
      else t.equal(answer.statusCode, status, `${from} ${origin}`)
      t.equal('set-cookie' in answer.headers, !isRefused)
    }
  }

  const wrong = await send(
    '/auth/login',
    { 'sec-fetch-site': 'cross-site' },
    { ...ada, password: 'not the password at all' }
  )
  t.match(wrong.json(), failed, 'nobody guesses passwords through a visitor')
  t.equal((await app.inject({ method: 'POST', url: '/auth/login', payload: ada })).statusCode, 200)
})

t.test('tokens of a body are given to any origin: what it may read is for CORS to say', async (t) => {
  const { post, app } = await build(t, { transport: 'both' })
  await post('/auth/register', ada)
  const send = (wish: object) =>
    app.inject({
      method: 'POST',
      url: '/auth/login',
      payload: { ...ada, ...wish },
      headers: { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' },
    })
  t.match((await send({ transport: 'cookie' })).json(), failed)
  for (const wish of [{}, { transport: 'body' }]) t.equal((await send(wish)).statusCode, 200)
})

t.test(
  'a page of another origin brings no session of its own into a browser, wherever it puts the token',
  async (t) => {
    const { send, signIn } = await site(t, { trustedOrigins: [trusted] })
    const attempts: [url: string, show: (access: string, refresh: string) => [headers: object, payload: object]][] = [
      ['/auth/refresh', (_, refresh) => [{}, { refresh_token: refresh }]],
      ['/auth/refresh', (_, refresh) => [bearer(refresh), {}]],
      ['/auth/reauthenticate', (access) => [bearer(access), { password }]],
    ]
    const showing = async (show: (typeof attempts)[0][1]) => {
      const { cookies } = await signIn()
      return show(cookies['__Host-access']!.value!, cookies['__Secure-refresh']!.value!)
    }

    for (const [url, show] of attempts) {
      const [headers, payload] = await showing(show)
      for (const sender of [
        { 'sec-fetch-site': 'cross-site' },
        { 'sec-fetch-site': 'same-site', origin: 'https://blog.example.com' },
        { origin: 'https://evil.example' },
        { origin: 'null' },
      ]) {
        const answer = await send(url, { ...headers, ...sender }, payload)
        t.match(answer.json(), failed, `${url} ${JSON.stringify(sender)}`)
        t.notOk(answer.headers['set-cookie'])
      }
      for (const sender of [
        {},
        { 'sec-fetch-site': 'same-origin' },
        { 'sec-fetch-site': 'cross-site', origin: trusted },
      ]) {
        const [headers, payload] = await showing(show)
        t.equal((await send(url, { ...headers, ...sender }, payload)).statusCode, 200, url)
      }
    }
  }
)

/** What begins a WebSocket, on HTTP/1.1 and as an app may see it of HTTP/2. */
const handshakes: Record<string, string>[] = [
  { connection: 'Upgrade', upgrade: 'websocket' },
  { upgrade: 'WebSocket' },
  { upgrade: 'h2c, websocket' },
  { ':protocol': 'websocket' },
]

t.test('a handshake of a WebSocket with cookies needs an Origin that is known, whatever its method', async (t) => {
  const { send, signIn } = await site(t, { trustedOrigins: [trusted] })
  const [{ cookie, value }, other] = [await signIn(), await signIn()]
  const host = { host: 'api.example.com' }
  const table: [headers: Record<string, string>, status: number][] = [
    [{ origin: 'https://api.example.com' }, 200],
    [{ origin: trusted }, 200],
    [{ 'sec-fetch-site': 'same-origin' }, 200],
    [{ origin: 'https://api.example.com', 'sec-fetch-site': 'cross-site' }, 200],
    [{ host: 'localhost:3000', origin: 'http://localhost:3000' }, 200],
    [{}, 403],
    [{ origin: 'https://evil.example' }, 403],
    [{ origin: 'null' }, 403],
    [{ origin: '' }, 403],
    [{ 'sec-fetch-site': 'same-site' }, 403],
    [{ origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }, 403],
    [{ origin: 'http://api.example.com' }, 403],
    [{ origin: 'https://api.example.com:8443' }, 403],
    [{ origin: 'https://sub.api.example.com' }, 403],
    [{ origin: 'https://api.example.com.evil.example' }, 403],
    [{ host: 'localhost:3000', origin: 'http://localhost:5173' }, 403],
    [{ origin: 'https://evil.example', 'x-forwarded-host': 'evil.example' }, 403],
    [{ 'x-csrf-token': value }, 200],
    [{ origin: 'https://evil.example', 'x-csrf-token': other.value }, 403],
    [{ origin: trusted, 'x-csrf-token': 'bad' }, 403],
  ]
  for (const handshake of handshakes) {
    for (const [headers, status] of table) {
      t.equal(
        (await send('/act', { ...host, cookie, ...handshake, ...headers }, undefined, 'GET')).statusCode,
        status,
        JSON.stringify({ ...handshake, ...headers })
      )
    }
  }
  t.match((await send('/act', { ...host, cookie, ...handshakes[0] }, undefined, 'GET')).json(), {
    ...failed,
    message: /handshake of a WebSocket with cookies needs an Origin/,
  })
  t.equal(
    (await send('/act', { cookie, upgrade: 'h2c', origin: 'https://evil.example' }, undefined, 'GET')).statusCode,
    200,
    'another upgrade is none'
  )
  t.equal(
    (await send('/act', { ...host, cookie, origin: 'https://api.example.com' })).statusCode,
    403,
    'nor does the host matter elsewhere'
  )
})

t.test('a handshake with a token that no browser sends by itself needs no Origin', async (t) => {
  const { signUp, app } = await build(t, { transport: 'both', locations: ['protocol', 'header', 'cookie'] })
  const { access_token: token } = await signUp()
  const ask = async (headers: Record<string, string>) =>
    (await app.inject({ url: '/guarded', headers: { ...handshakes[0], origin: 'https://evil.example', ...headers } }))
      .statusCode
  t.equal(await ask(bearer(token)), 200)
  t.equal(await ask({ 'sec-websocket-protocol': `chat, access_token.${token}` }), 200)
})

t.test('behind a proxy, the host of a handshake is the one that the app trusts it to tell', async (t) => {
  for (const [trustProxy, status] of [[true, 200], [false, 403]] as const) {
    const { app, post } = await build(t, { transport: 'cookie', csrf: { methods: ['POST'] } }, { trustProxy })
    const cookie = cookieHeader(setBy(await post('/auth/register', ada)))
    const headers = {
      cookie,
      ...handshakes[0],
      host: 'inner:3000',
      'x-forwarded-host': 'api.example.com',
      origin: 'https://api.example.com',
    }
    t.equal((await app.inject({ url: '/guarded', headers })).statusCode, status)
  }
})

t.test('where cookies need no TLS, a page of the same host needs none either for its handshake', async (t) => {
  const { app, post } = await build(t, { transport: 'cookie', cookies: { secure: false } })
  const cookie = cookieHeader(setBy(await post('/auth/register', ada)))
  const ask = async (origin: string) =>
    (await app.inject({ url: '/guarded', headers: { cookie, ...handshakes[0], host: '192.168.1.5:3000', origin } }))
      .statusCode
  t.same([await ask('http://192.168.1.5:3000'), await ask('http://192.168.1.6:3000')], [200, 403])
})

t.test('which host was asked for never matters elsewhere', async (t) => {
  const { app, signUp } = await build(
    t,
    { transport: 'both', csrf: { trustedOrigins: [trusted] } },
    { trustProxy: true }
  )
  await signUp()
  const cookie = cookieHeader(
    setBy(await app.inject({ method: 'POST', url: '/auth/login', payload: { ...ada, transport: 'cookie' } }))
  )

  for (const [origin, name, host] of [
    ['https://evil.example', 'host', 'evil.example'],
    ['https://evil.example', 'x-forwarded-host', 'evil.example'],
    ['http://localhost:80', 'host', 'localhost:80'],
    ['https://evil.example', 'x-forwarded-host', 'app.example.com'],
    ['https://evil.example', 'forwarded', 'host=evil.example'],
    ['https://evil.example', 'referer', `${trusted}/page`],
  ] as const) {
    const headers = { cookie, origin, [name]: host, 'x-forwarded-proto': 'https' }
    t.match((await app.inject({ method: 'POST', url: '/guarded', headers })).json(), failed, `${name}: ${host}`)
    t.match(
      (
        await app.inject({ method: 'POST', url: '/auth/login', headers, payload: { ...ada, transport: 'cookie' } })
      ).json(),
      failed
    )
  }
  const headers = { cookie, origin: trusted, host: 'evil.example', 'x-forwarded-host': 'evil.example' }
  t.equal((await app.inject({ method: 'POST', url: '/guarded', headers })).statusCode, 200)
})

t.test(
  'without Sec-Fetch-Site a value of another session is no proof, and cookies are kept from whoever has none',
  async (t) => {
    const { register, send, signIn } = await site(t)
    const [session, other] = [await signIn(), await signIn()]
    const eve = (await register()).json().csrf_token as string
    const own = { origin: 'http://app.test', cookie: session.cookie }
    for (const url of ['/act', '/auth/refresh', '/auth/logout']) {
      for (const value of [other.value, eve, '', 'null', `${session.value}x`]) {
        const answer = await send(url, { ...own, 'x-csrf-token': value })
        t.match(
          answer.json(),
          { ...failed, message: /does not hold the csrf_token of this session/ },
          `${url} ${value}`
        )
        t.notOk(answer.headers['set-cookie'])
      }
      t.match((await send(url, own)).json(), {
        ...failed,
        message: /needs the header x-csrf-token.*its Origin is not in csrf\.trustedOrigins/,
      })
    }
    const planted = session.cookie.replace(/__Secure-refresh=[^;]+/, '__Secure-refresh=planted')
    t.notOk(
      (await send('/auth/refresh', { ...own, cookie: planted, 'x-csrf-token': session.value })).headers['set-cookie'],
      'nobody has proved anything'
    )

    t.equal((await send('/auth/logout', { ...own, 'x-csrf-token': session.value })).statusCode, 204)
    const over = await send('/auth/refresh', { ...own, 'x-csrf-token': session.value })
    t.match(over, { statusCode: 401 })
    t.ok(over.headers['set-cookie'], 'a session that is over is taken out of the browser')
  }
)

t.test('who cannot get cookies for want of Sec-Fetch-Site is told what the app has to name', async (t) => {
  const { register, send } = await site(t)
  for (const answer of [
    await send('/auth/login', { origin: 'http://app.test' }, ada),
    await register({ origin: 'http://app.test' }),
  ]) {
    t.match(answer.json(), {
      ...failed,
      message:
        /csrf\.trustedOrigins\. The browser sends no Sec-Fetch-Site, as on plain HTTP.*name the origin of its own pages there/,
    })
  }
  const told = await site(t, { trustedOrigins: ['http://app.test'] })
  t.equal((await told.send('/auth/login', { origin: 'http://app.test' }, ada)).statusCode, 200)
})

t.test(
  'the value is bound to the session: what another session, another user or a stranger has is worth nothing',
  async (t) => {
    const { app, register, send, signIn } = await site(t)
    const before = await signIn()
    const session = await signIn()
    const bob = (await register()).json().csrf_token as string
    const sid = JSON.parse(Buffer.from(session.cookies['__Host-access']!.value!.split('.')[1]!, 'base64url').toString())
      .sid as string
    t.not(before.value, session.value)
    t.not(bob, session.value)

    const forged = createHmac('sha256', '').update(`${sid} 0`).digest('base64url')
    for (const value of [
      before.value,
      bob,
      forged,
      sid,
      `${session.value} `.repeat(2),
      session.value.slice(0, -1),
      `${session.value}=`,
      session.value.toUpperCase(),
      'null',
      'undefined',
      'true',
      '[object Object]',
    ]) {
      const planted = session.cookie.replace(/(__Host-csrf)=[^;]+/, `$1=${encodeURIComponent(value)}`)
      for (const cookie of [session.cookie, planted]) { t.match((await send('/act', { cookie, 'x-csrf-token': value })).json(), failed, value) }
    }
    const refused = await send('/act', { cookie: session.cookie, 'x-csrf-token': before.value })
    t.match(refused.json(), { message: 'The header x-csrf-token does not hold the csrf_token of this session' })
    t.equal((await send('/act', { cookie: session.cookie, 'x-csrf-token': session.value })).statusCode, 200)
    t.equal(
      (await send('/act', { cookie: before.cookie, 'x-csrf-token': before.value })).statusCode,
      200,
      'each session has its own'
    )

    const page = browser(app)
    await page.post('/auth/login', ada)
    const value = page.valueOf('csrf')
    await page.post('/auth/refresh')
    await page.post('/auth/reauthenticate', { password })
    t.equal(page.valueOf('csrf'), value, 'a refresh leaves other tabs their value')
  }
)

t.test('the value counts in its header alone: never in a cookie, the query, a body or another header', async (t) => {
  const { app, send, signIn } = await site(t)
  const { cookie, value } = await signIn()
  const more = `${cookie}; x-csrf-token=${value}; csrf_token=${value}; csrf=${value}; _csrf=${value}`
  for (const headers of [
    { cookie },
    { cookie: more },
    { cookie, 'csrf-token': value },
    { cookie, 'x-xsrf-token': value },
    { cookie, 'x-csrf_token': value },
  ]) {
    t.match((await send('/act', headers)).json(), { ...failed, message: /the header x-csrf-token/ })
  }
  for (const name of ['x-csrf-token', 'csrf_token', 'csrf', '_csrf']) {
    t.match((await send(`/act?${name}=${value}`, { cookie })).json(), failed, name)
    t.match((await send('/act', { cookie }, { [name]: value })).json(), failed, name)
    t.match((await send('/auth/refresh', { cookie }, { [name]: value })).json(), { statusCode: 400 }, name)
  }
  for (const header of [
    '',
    ' ',
    'a'.repeat(10_000),
    value.repeat(200),
    'é'.repeat(43),
    '\u00a0',
    `"${value}"`,
    `Bearer ${value}`,
    `${value}, ${value}`,
    `${value},`,
    '%',
    '__proto__',
  ]) {
    for (const url of ['/act', '/auth/refresh', '/auth/logout']) { t.match((await send(url, { cookie, 'x-csrf-token': header })).json(), failed, header.slice(0, 50)) }
  }
  t.match(
    (await send('/act', { cookie: cookie.replace(/__Host-csrf=[^;]+/, '__Host-csrf='), 'x-csrf-token': '' })).json(),
    failed,
    'nothing is not equal to nothing'
  )
  t.equal(
    (await send('/act', { cookie: cookie.replace(/; __Host-csrf=[^;]+/, ''), 'X-CSRF-Token': value })).statusCode,
    200,
    'the readable cookie is for scripts, and is not looked at'
  )

  await app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = app.server.address() as AddressInfo
  const doubled = await new Promise<string>((resolve, reject) => {
    const headers = [
      'Host',
      'localhost',
      'Cookie',
      cookie,
      'X-CSRF-Token',
      value,
      'X-CSRF-Token',
      value,
      'Content-Length',
      '0',
    ]
    httpRequest({ port, host: '127.0.0.1', method: 'POST', path: '/act', headers }, (answer) => resolve(text(answer)))
      .on('error', reject)
      .end()
  })
  t.match(JSON.parse(doubled), failed, 'twice in one request')
})

t.test('a form may bring the value in the field that the options name, and a JSON body may too', async (t) => {
  const schema = { body: { type: 'object', additionalProperties: false, properties: { text: { type: 'string' } } } }
  const { send, signIn } = await site(t, { formField: '_csrf', header: 'X-XSRF-Token' }, {}, (app) =>
    app.register(async (scope) => {
      await scope.register(formbody)
      scope.post('/form', { preHandler: scope.authenticate }, async ({ body }) => body)
      scope.post('/stripped', { schema, preHandler: scope.authenticate }, async ({ body }) => body)
      scope.post('/both', { schema, preHandler: [scope.authenticate, scope.authenticate] }, async ({ body }) => body)
    })
  )
  const { cookie, value } = await signIn()
  const form = (url: string, fields: string | Record<string, string>) =>
    send(url, { cookie, 'content-type': 'application/x-www-form-urlencoded' }, new URLSearchParams(fields).toString())

  for (const url of ['/form', '/stripped', '/both']) {
    const kept = url === '/form' ? { text: 'hello', _csrf: value } : { text: 'hello' }
    t.same((await form(url, { text: 'hello', _csrf: value })).json(), kept, url)
    t.same((await send(url, { cookie }, { text: 'hello', _csrf: value })).json(), kept, url)
    for (const fields of [
      { text: 'hello' },
      { _csrf: '' },
      { _csrf: 'x' },
      { _csrf: 'é'.repeat(5000) },
      `_csrf=${value}&_csrf=${value}`,
      `_csrf[]=${value}`,
      { _CSRF: value },
    ]) {
      t.match((await form(url, fields)).json(), failed, `${url} ${String(JSON.stringify(fields)).slice(0, 60)}`)
    }
    for (const body of [
      { _csrf: [value] },
      { _csrf: null },
      { _csrf: { toString: value } },
      { _csrf: 1 },
      [value],
      [{ _csrf: value }],
      { nested: { _csrf: value } },
    ]) {
      t.match(
        (await send(url, { cookie }, body)).statusCode,
        Array.isArray(body) && url !== '/form' ? 400 : 403,
        `${url} ${JSON.stringify(body)}`
      )
    }
    t.match((await send(`${url}?_csrf=${value}`, { cookie }, { text: 'hello' })).json(), failed)
    t.match((await send(url, { cookie: `${cookie}; _csrf=${value}` }, { text: 'hello' })).json(), failed)
    t.match(
      (await send(url, { cookie, 'x-xsrf-token': 'wrong' }, { _csrf: value })).json(),
      failed,
      'the header decides where it is there'
    )
    t.equal((await send(url, { cookie, 'x-xsrf-token': value }, { text: 'x' })).statusCode, 200)
    t.match((await send(url, { cookie, 'x-csrf-token': value }, { text: 'x' })).json(), {
      message: /the header x-xsrf-token, or the field _csrf, with/,
    })
  }
  t.match((await send('/act', { cookie })).json(), {
    message: /the header x-xsrf-token, or the field _csrf, with the value of csrf_token/,
  })
  t.match((await send('/act', { cookie, 'x-xsrf-token': 'x' })).json(), {
    message: /^The header x-xsrf-token, or the field _csrf, does not hold/,
  })
})

t.test('a form with a file may bring the value, however its fields are attached to the body', async (t) => {
  for (const attachFieldsToBody of [true, 'keyValues'] as const) {
    const { app, signIn } = await site(t, { formField: '_csrf' }, {}, async (app) => {
      await app.register(multipart, { attachFieldsToBody })
      app.post('/upload', { preHandler: app.authenticate }, handler)
      app.post('/upload-early', { preValidation: app.authenticate }, handler)
    })
    const { cookie, value } = await signIn()
    async function upload (url: string, ...fields: [name: string, value: string | Blob][]) {
      const form = new FormData()
      for (const [name, value] of [...fields, ['photo', new Blob(['x'.repeat(100_000)])] as const]) { form.append(name, value) }
      const request = new Request('http://localhost', { method: 'POST', body: form })
      return app.inject({
        method: 'POST',
        url,
        headers: { cookie, 'content-type': request.headers.get('content-type')! },
        payload: Buffer.from(await request.arrayBuffer()),
      })
    }

    for (const url of ['/upload', '/upload-early']) {
      t.equal((await upload(url, ['text', 'hello'], ['_csrf', value])).body, 'done', `${attachFieldsToBody} ${url}`)
      for (const fields of [
        [],
        [['_csrf', '']],
        [['_csrf', 'x']],
        [
          ['_csrf', value],
          ['_csrf', value],
        ],
        [['_csrf', new Blob([value])]],
        [['_CSRF', value]],
      ] as [string, string | Blob][][]) {
        t.match((await upload(url, ...fields)).json(), failed, `${attachFieldsToBody} ${url} ${JSON.stringify(fields)}`)
      }
      const json = { cookie, 'content-type': 'application/json' }
      t.match(
        (await app.inject({ method: 'POST', url, headers: json, payload: { _csrf: { type: 'field', value } } })).json(),
        failed,
        'JSON has no such fields'
      )
    }
  }
})

t.test('a form may bring the value into a protected scope too', async (t) => {
  const { send, signIn } = await site(t, { formField: '_csrf' }, {}, (app) => app.register(async (scope) => {
    await scope.register(formbody)
    app.accounts.protect(scope)
    scope.post('/protected', handler)
  }))
  const { cookie, value } = await signIn()
  const form = (body: string) =>
    send('/protected', { cookie, 'content-type': 'application/x-www-form-urlencoded' }, body)
  t.match((await form('_csrf=wrong')).json(), failed)
  t.equal((await form(`_csrf=${value}`)).body, 'done')
})

t.test('all methods but those that change nothing need a proof, whatever their name', async (t) => {
  const cross = { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' }
  const { app, send, signIn } = await site(t, {}, {}, (app) => {
    for (const method of ['PURGE', 'LOCK', 'M-SEARCH', 'TRACE', 'QUERY']) {
      app.addHttpMethod(method)
      app.route({ method: method as 'GET', url: '/any', preHandler: app.authenticate, handler })
    }
  })
  const { cookie, value } = await signIn()
  const ask = async (method: string, headers: Record<string, string>) =>
    app.inject({ method: method as 'GET', url: '/any', headers })
  for (const method of ['GET', 'HEAD', 'OPTIONS'] as const) { t.equal((await send('/act', { cookie, ...cross }, undefined, method)).statusCode, 200, method) }
  for (const method of ['TRACE', 'QUERY']) t.equal((await ask(method, { cookie, ...cross })).statusCode, 200, method)
  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE'] as const) {
    t.match((await send('/act', { cookie, ...cross }, undefined, method)).json(), failed, method)
    t.match((await send('/act', { cookie }, undefined, method)).json(), failed, method)
  }
  for (const method of ['PURGE', 'LOCK', 'M-SEARCH']) {
    t.match((await ask(method, { cookie, ...cross })).json(), failed, method)
    t.match((await ask(method, { cookie })).json(), failed, method)
    t.equal((await ask(method, { cookie, 'x-csrf-token': value })).statusCode, 200, method)
  }
  for (const url of ['/auth/login', '/auth/refresh', '/auth/logout', '/auth/register', '/auth/reauthenticate']) {
    t.equal((await send(url, { cookie }, undefined, 'GET')).statusCode, 404, `GET ${url}`)
  }
})

t.test('a list of methods is that of the routes of the app: it opens none of ours, and closes none', async (t) => {
  const strict = await site(t, { methods: ['GET', 'POST', 'DELETE'] })
  const { cookie, value } = await strict.signIn()
  for (const method of ['GET', 'POST', 'DELETE'] as const) { t.match((await strict.send('/act', { cookie }, undefined, method)).json(), failed, method) }
  for (const method of ['PUT', 'PATCH', 'HEAD'] as const) { t.equal((await strict.send('/act', { cookie }, undefined, method)).statusCode, 200, method) }
  t.equal((await strict.send('/auth/me', { cookie }, undefined, 'GET')).statusCode, 200)

  const cross = { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' }
  const lax = await site(t, { methods: ['TRACE'] }, { user: { fields: { nick: Type.Optional(Type.String()) } } })
  const own = await lax.signIn()
  t.equal((await lax.send('/act', { cookie: own.cookie, ...cross })).statusCode, 200, 'as the app said')
  for (const [method, url, payload] of [
    ['DELETE', '/auth/sessions'],
    ['DELETE', '/auth/sessions/019e0000-0000-7000-8000-000000000000'],
    ['DELETE', '/auth/me'],
    ['PATCH', '/auth/me', { nick: 'x' }],
    ['PUT', '/auth/password', { current_password: password, new_password: `${password} again` }],
    ['POST', '/auth/reauthenticate', { password }],
    ['POST', '/auth/logout'],
    ['POST', '/auth/refresh'],
  ] as const) {
    for (const sender of [{}, cross]) {
      t.match(
        (await lax.send(url, { cookie: own.cookie, ...sender }, payload, method)).json(),
        failed,
        `${method} ${url}`
      )
    }
  }
  t.equal((await strict.send('/auth/sessions', { cookie, 'x-csrf-token': value }, undefined, 'DELETE')).statusCode, 204)
})

t.test('a token in the header needs no proof, and no other header waives it for a cookie', async (t) => {
  const { send, signIn } = await site(t)
  const { cookie, cookies } = await signIn()
  const access = cookies['__Host-access']!.value!
  const cross = { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' }
  t.equal((await send('/act', { ...bearer(access), ...cross })).statusCode, 200)
  t.equal(
    (await send('/act', { ...bearer(access), cookie, ...cross })).statusCode,
    200,
    'the header is the token that counts'
  )

  const waivers: [authorization: string, status: number][] = [
    ['', 403],
    ['Basic x', 403],
    ['Basic YTpi', 403],
    [`Basic ${access}`, 403],
    [`Bearerx ${access}`, 403],
    [`Token ${access}`, 403],
    ['Negotiate', 403],
    [access, 403],
    ['null', 403],
    ['Bearer', 400],
    ['bearer ', 400],
    ['Bearer x y', 400],
    ['Bearer a, b', 400],
    ['Bearer\tx', 400],
    ['Bearer x', 401],
    ['Bearer  x', 401],
    ['Bearer null', 401],
    [`Bearer ${access}x`, 401],
  ]
  for (const [authorization, status] of waivers) {
    for (const [url, payload] of [
      ['/act', undefined],
      ['/auth/refresh', undefined],
      ['/auth/logout', undefined],
      ['/auth/reauthenticate', { password }],
    ] as const) {
      for (const sender of [{}, cross]) {
        const answer = await send(url, { cookie, authorization, ...sender }, payload)
        t.equal(answer.statusCode, status, `${url} ${authorization.slice(0, 20)}`)
        t.notOk(answer.headers['set-cookie'])
      }
    }
  }
  t.equal((await send('/act', { cookie }, undefined, 'GET')).statusCode, 200, 'the session went on')
})

t.test('an optional guard, one for refresh tokens and one for any ask a cookie for the same proof', async (t) => {
  const { signIn, send } = await site(t, {}, { cookies: { refresh: { path: '/' } } }, async (app) => {
    app.post('/optional', { preHandler: app.accounts.guard({ optional: true }) }, async ({ user }) => ({ user }))
    app.post('/any', { preHandler: app.accounts.guard({ type: 'any' }) }, handler)
    app.post('/stateless', { preHandler: app.accounts.guard({ consistency: 'stateless' }) }, handler)
    await app.register(async (scope) => {
      app.accounts.protect(scope)
      scope.post('/scoped', handler)
    })
  })
  const { cookie, value } = await signIn()
  for (const url of ['/optional', '/any', '/stateless', '/with-refresh', '/scoped']) {
    t.match((await send(url, { cookie })).json(), failed, url)
    t.match((await send(url, { cookie, 'sec-fetch-site': 'same-site' })).json(), failed, url)
    t.equal((await send(url, { cookie, 'x-csrf-token': value })).statusCode, 200, url)
  }
  t.same(
    (await send('/optional', { 'sec-fetch-site': 'cross-site' })).json(),
    { user: null },
    'who has no cookie has nothing to lose'
  )
})

t.test('a refusal says what is missing and how to send it, and repeats nothing of the request', async (t) => {
  const { app, send, signIn } = await site(t)
  const { cookie, value } = await signIn()
  const messageOf = async (headers: object) => (await send('/act', { cookie, ...headers })).json().message
  t.equal(
    await messageOf({}),
    'A request with cookies needs the header x-csrf-token with the value of csrf_token, which is also in the readable cookie'
  )
  t.match(await messageOf({ 'x-csrf-token': 'evil' }), /x-csrf-token.*csrf_token of this session/)
  t.match(await messageOf({ 'sec-fetch-site': 'cross-site' }), /Sec-Fetch-Site.*csrf\.trustedOrigins/)
  t.match(await messageOf({ origin: 'https://evil.example' }), /Origin.*csrf\.trustedOrigins/)

  for (const headers of [
    { 'x-csrf-token': 'evil<script>' },
    { origin: 'https://evil.example' },
    { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example', referer: 'https://evil.example' },
  ]) {
    const answer = await send('/act?evil', { cookie, ...headers })
    t.match(answer.json(), failed)
    t.notOk(/evil/.test(answer.body + JSON.stringify(answer.headers)))
    t.notOk(answer.body.includes(value))
    t.notOk(answer.headers['www-authenticate'], 'another token would not help')
  }
  await app.close()

  const worded = await site(t, {}, { messages: { ACCOUNTS_CSRF_FAILED: 'Bitte laden Sie die Seite neu' } })
  t.match((await worded.send('/act', { cookie: (await worded.signIn()).cookie })).json(), {
    ...failed,
    message: 'Bitte laden Sie die Seite neu',
  })
})

t.test('what a form can send brings nobody a cookie, and ends no session', async (t) => {
  const { send, signIn } = await site(t, {}, {}, (app) => app.register(formbody))
  const { cookie } = await signIn()
  const json = JSON.stringify(ada)
  const form = new URLSearchParams(ada).toString()
  const multipart = `--b\r\ncontent-disposition: form-data; name="username"\r\n\r\nada\r\n--b\r\ncontent-disposition: form-data; name="password"\r\n\r\n${password}\r\n--b--\r\n`
  const kinds: [type: string | undefined, body: string][] = [
    ['text/plain', json],
    ['text/plain;charset=UTF-8', json],
    ['text/plain; application/json', json],
    [undefined, json],
    ['', json],
    ['application/x-www-form-urlencoded', form],
    ['application/x-www-form-urlencoded', json],
    ['application/x-www-form-urlencoded;charset=UTF-8', `${json}=`],
    ['multipart/form-data; boundary=b', multipart],
    ['multipart/form-data; boundary=application/json', json],
    ['application/jsonx', json],
    ['application/json-patch', json],
    ['application/csp-report', json],
    ['json', json],
    ['*/*', json],
    ['text/plain, application/json', json],
    ['application/json', form],
    ['application/json', `${json}x`],
    ['application/json', `[${json}]`],
    ['application/json', `"${form}"`],
    ['application/json', '{"__proto__":{"username":"ada"},"username":"ada"}'],
  ]
  for (const [type, body] of kinds) {
    for (const url of ['/auth/login', '/auth/register', '/auth/refresh', '/auth/logout', '/auth/reauthenticate']) {
      for (const headers of [{}, { cookie }]) {
        const sent = body.replaceAll('"ada"', '"eve"').replace('username=ada', 'username=eve')
        const answer = await send(
          url,
          { ...headers, ...(type !== undefined && { 'content-type': type }) },
          url === '/auth/register' ? sent : body
        )
        t.ok(answer.statusCode >= 400 && answer.statusCode < 500, `${url} ${type}: ${answer.statusCode}`)
        t.notOk(answer.headers['set-cookie'], `${url} ${type}`)
      }
    }
  }

  // What some parsers take for JSON: whatever ours says, nothing passes that was not checked field by field.
  for (const type of [
    'application/json\ta',
    ' application/json',
    'application/json ;',
    'application/json; charset=utf-8',
    'APPLICATION/JSON',
    'application/json;a=b;charset=latin1',
    'application/json\t; a',
  ]) {
    for (const body of [{ ...ada, admin: true }, { username: 'ada' }, { ...ada, password: [password] }]) {
      const answer = await send('/auth/login', { 'content-type': type }, JSON.stringify(body))
      t.ok([400, 415].includes(answer.statusCode), `${JSON.stringify(type)}: ${answer.statusCode}`)
      t.notOk(answer.headers['set-cookie'])
    }
    for (const url of ['/auth/refresh', '/auth/logout']) { t.ok([400, 403, 415].includes((await send(url, { cookie, 'content-type': type }, '{}')).statusCode), type) }
  }
  t.equal((await send('/auth/login', { 'content-type': 'application/json; charset=utf-8' }, json)).statusCode, 200)

  for (const url of ['/auth/refresh', '/auth/logout']) { t.match((await send(url, { cookie })).json(), failed, 'an empty form') }
  t.equal((await send('/act', { cookie }, undefined, 'GET')).statusCode, 200, 'the session went on')
})

t.test('a trusted origin is written as browsers send it', async (t) => {
  for (const origin of [
    'https://app.example.com/',
    'app.example.com',
    'https://app.example.com:443',
    'HTTPS://app.example.com',
    '*',
    'null',
    '',
    'https://*.example.com',
    'https://a@b.example',
    'https://app.example.com/x',
  ]) {
    await t.rejects(
      build(t, { transport: 'cookie', csrf: { trustedOrigins: [origin] } }),
      { code: 'ACCOUNTS_OPTIONS_INVALID', message: /csrf.trustedOrigins.0 must be an origin such as/ },
      origin
    )
  }
  for (const origin of [
    'http://localhost:5173',
    'https://xn--exmple-cua.com',
    'capacitor://localhost',
    'https://[::1]:8443',
  ]) {
    const { send, signIn } = await site(t, { trustedOrigins: [origin] })
    t.equal(
      (await send('/act', { cookie: (await signIn()).cookie, origin, 'sec-fetch-site': 'cross-site' })).statusCode,
      200,
      origin
    )
  }
})

t.test('a value of a key that only verifies still counts, and new ones come of the first key', async (t) => {
  const [old, young] = ['Zq8vT2kLw9XcR5nYb3HjM7pFs1DgA4uE', 'Yw7uS1jKv8WbQ4mXa2GiL6oEr0CfZ3tD']
  const db = `${t.testdir({})}/accounts.sqlite`
  const first = await site(t, {}, { db, secret: old })
  const { cookie, value } = await first.signIn()
  await first.app.close()

  const second = await build(t, { transport: 'cookie', db, secret: [young, old] })
  t.equal(
    (await second.app.inject({ method: 'POST', url: '/guarded', headers: { cookie, 'x-csrf-token': value } }))
      .statusCode,
    200
  )
  const refreshed = await second.app.inject({
    method: 'POST',
    url: '/auth/refresh',
    headers: { cookie, 'x-csrf-token': value },
  })
  t.equal(refreshed.statusCode, 200)
  t.not(refreshed.json().csrf_token, value)
  t.equal(
    (
      await second.app.inject({
        method: 'POST',
        url: '/guarded',
        headers: { cookie: cookieHeader(setBy(refreshed)), 'x-csrf-token': refreshed.json().csrf_token },
      })
    ).statusCode,
    200
  )
})

t.test(
  'a value that is sent has to be right, though the browser vouches for the page: the cookies may have been planted',
  async (t) => {
    const { send, signIn, register } = await site(t)
    await register({}, 'mallory')
    const [ada, mallory] = [await signIn(), await signIn({ username: 'mallory', password })]
    for (const url of ['/act', '/auth/refresh', '/auth/logout']) {
      const answer = await send(url, {
        cookie: mallory.cookie,
        'sec-fetch-site': 'same-origin',
        'x-csrf-token': ada.value,
      })
      t.match(answer.json(), failed, url)
      t.notOk(answer.headers['set-cookie'], url)
    }
    t.equal(
      (await send('/act', { cookie: mallory.cookie, 'sec-fetch-site': 'same-origin', 'x-csrf-token': mallory.value }))
        .statusCode,
      200
    )
  }
)

t.test('no page of another origin takes the cookies out of a browser', async (t) => {
  const { send, signIn, app } = await site(t)
  const { cookie } = await signIn()
  const garbage = cookie
    .replace(/__Secure-refresh=[^;]+/, '__Secure-refresh=planted')
    .replace(/__Host-access=[^;]+/, '__Host-access=planted')
  for (const url of ['/auth/refresh', '/auth/logout']) {
    for (const from of ['same-site', 'cross-site']) { t.notOk((await send(url, { cookie: garbage, 'sec-fetch-site': from })).headers['set-cookie'], `${url} ${from}`) }
    t.ok((await send(url, { cookie: garbage, 'sec-fetch-site': 'same-origin' })).headers['set-cookie'], url)
  }
  const { access_token: own } = await app.accounts.issueTokens(
    (await app.accounts.verify(/__Host-access=([^;]+)/.exec(cookie)![1]!)).user
  )
  const foreign = await send('/auth/logout', { 'sec-fetch-site': 'cross-site', ...bearer(own) })
  t.match(foreign, { statusCode: 204 })
  t.notOk(foreign.headers['set-cookie'])
})
