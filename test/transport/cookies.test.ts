import { mock } from 'node:test'
import cookie from '@fastify/cookie'
import type { SetCookie } from 'cookie'
import type { FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import accounts, { type AccountsOptions, type TokenResponse } from '../../lib/index.ts'
import { browser, cookieHeader, setBy } from '../support/browser.ts'
import { bearer, build, buildOnFile, cheap, decode, mint, password, refreshKey, secret } from '../support/build.ts'
import { Fastify } from '../support/fastify.ts'

const ada = { username: 'ada', password }
const options = {
  db: ':memory:',
  secret,
  password: cheap,
  transport: 'cookie',
  throttle: false,
} satisfies AccountsOptions
const usualNames = ['__Host-access', '__Secure-refresh', '__Host-csrf']
const day = 86400

/** An app with accounts below a scope's prefix. */
async function scoped (t: Test, prefix: string, given: AccountsOptions = {}): Promise<FastifyInstance> {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(async (scope) => { await scope.register(accounts, { ...options, ...given }) }, { prefix })
  return app
}

/** One moment until the end of the test, so that seconds can be counted; `pass` lets some of them go by. */
function stopTheClock (t: Test) {
  mock.timers.enable({ apis: ['Date'], now: Math.floor(Date.now() / 1000) * 1000 })
  t.teardown(() => mock.timers.reset())
  return { pass: (seconds: number) => mock.timers.setTime(Date.now() + seconds * 1000) }
}

t.test('in cookies, tokens stand in no body: at register, login, refresh and reauthenticate', async (t) => {
  const { app } = await build(t, { transport: 'cookie' })
  const page = browser(app)
  const table: [url: string, payload: object | undefined, status: number, names?: string[]][] = [
    ['/auth/register', ada, 201],
    ['/auth/login', ada, 200],
    ['/auth/refresh', undefined, 200],
    ['/auth/refresh', {}, 200, ['__Host-access']],
    ['/auth/reauthenticate', { password }, 200],
  ]
  const sessions = new Set<string>()

  for (const [url, payload, status, names = usualNames] of table) {
    const answer = await page.post(url, payload)
    t.equal(answer.statusCode, status, url)
    t.equal(answer.headers['cache-control'], 'no-store')
    t.same(Object.keys(setBy(answer)), names)
    t.same(Object.keys(answer.json()).sort(), ['csrf_token', 'expires_in', 'refresh_expires_in', 'token_type', 'user'])
    t.match(answer.json(), { token_type: 'Bearer', csrf_token: page.valueOf('csrf'), user: { username: 'ada' } })
    for (const name of ['access', 'refresh']) t.notOk(answer.body.includes(page.valueOf(name)!.split('.')[1]!), name)
    sessions.add(decode(page.valueOf('access')!).payload.sid)

    t.match((await page.get('/guarded')).json(), { user: { username: 'ada' }, auth: { location: 'cookie' } })
    t.match((await page.get('/auth/me')).json(), { username: 'ada' })
  }
  t.equal(sessions.size, 2, 'the login began a session, the others went on with it')

  t.equal((await page.post('/auth/logout')).statusCode, 204)
  t.same(page.names(), [], 'nothing is left in the browser')
  t.equal((await page.get('/guarded')).statusCode, 401)
})

t.test('tokens of a body set no cookie', async (t) => {
  const { post, signUp, refresh } = await build(t)
  const { access_token: access, refresh_token: token } = await signUp()
  for (const answer of [
    await post('/auth/login', ada),
    await refresh(token),
    await post('/auth/reauthenticate', { password }, access),
    await post('/auth/logout', { refresh_token: token }),
  ]) {
    t.notOk(answer.headers['set-cookie'])
  }
})

t.test('a cookie has the attributes that the options give it', async (t) => {
  const table: [given: NonNullable<AccountsOptions['cookies']>, names: string[], shared: object, paths?: string[]][] = [
    [{}, usualNames, { secure: true, sameSite: 'lax' }],
    [{ sameSite: 'strict' }, usualNames, { secure: true, sameSite: 'strict' }],
    [{ sameSite: 'none' }, usualNames, { secure: true, sameSite: 'none' }],
    [{ sameSite: 'none', partitioned: true }, usualNames, { secure: true, partitioned: true }],
    [{ secure: false }, ['access', 'refresh', 'csrf'], { secure: undefined, sameSite: 'lax' }],
    [
      { domain: 'example.com' },
      ['__Secure-access', '__Secure-refresh', '__Secure-csrf'],
      { secure: true, domain: 'example.com' },
    ],
    [{ domain: '.example.com' }, ['__Secure-access', '__Secure-refresh', '__Secure-csrf'], { domain: '.example.com' }],
    [{ refresh: { path: '/' } }, ['__Host-access', '__Host-refresh', '__Host-csrf'], { secure: true }, ['/', '/', '/']],
    [
      { access: { path: '/api' }, csrf: { path: '/api' } },
      ['__Secure-access', '__Secure-refresh', '__Secure-csrf'],
      { secure: true },
      ['/api', '/auth', '/api'],
    ],
    [
      { access: { name: 'at' }, refresh: { name: '__SECURE-rt' }, csrf: { name: '__host-xsrf' } },
      ['at', '__SECURE-rt', '__host-xsrf'],
      { secure: true },
    ],
  ]

  for (const [given, names, shared, paths = ['/', '/auth', '/']] of table) {
    const { post } = await build(t, { transport: 'cookie', cookies: given })
    const cookies = Object.values(setBy(await post('/auth/register', ada)))
    const label = JSON.stringify(given)
    t.same(cookies.map(({ name }) => name), names, label)
    t.same(cookies.map(({ path }) => path), paths, label)
    t.same(cookies.map(({ httpOnly = false }) => httpOnly), [true, true, false], label)
    for (const cookie of cookies) {
      t.match(
        { secure: undefined, domain: undefined, partitioned: undefined, ...cookie },
        { domain: undefined, partitioned: undefined, ...shared },
        label
      )
    }
  }
})

t.test('two kinds of users have cookies of their own, and one browser holds both', async (t) => {
  const { app } = await build(t, { transport: 'cookie' })
  await app.register(accounts, { ...options, name: 'staff', prefix: '/staff', decoratorName: 'colleague' })
  const page = browser(app)
  await page.post('/auth/register', ada)
  const { csrf_token: value } = (await page.post('/staff/register', { username: 'grace', password })).json()
  t.same(page.names(), [...usualNames, '__Host-staff-access', '__Secure-staff-refresh', '__Host-staff-csrf'])
  t.match((await page.get('/auth/me')).json(), { username: 'ada' })
  t.match((await page.get('/staff/me')).json(), { username: 'grace' })

  t.match((await page.send('POST', '/auth/logout', undefined, { 'x-csrf-token': value })).json(), {
    code: 'ACCOUNTS_CSRF_FAILED',
  })
  t.equal((await page.send('POST', '/staff/logout', undefined, { 'x-csrf-token': value })).statusCode, 204)
  t.same(page.names(), usualNames)
})

for (const [scope, prefix, path] of [
  ['', '', '/'],
  ['/api', '/auth', '/api/auth'],
  ['/api/v1', '', '/api/v1'],
  ['/api/', '/auth', '/api/auth'],
  ['/:tenant', '/auth', '/'],
  ['/v1/:tenant/x', '/auth', '/v1'],
] as const) {
  t.test(
    `below the scope '${scope}' with the prefix '${prefix}' the refresh cookie comes back to its route`,
    async (t) => {
      const app = await scoped(t, scope, { prefix })
      const page = browser(app)
      const base = `${scope.replace(/\/$/, '').replace(':tenant', 'acme')}${prefix}`
      const cookies = setBy(await page.post(`${base}/register`, ada))
      const refresh = Object.values(cookies).find(({ name }) => name.endsWith('refresh'))!
      t.equal(refresh.path, path)
      t.equal(refresh.name, path === '/' ? '__Host-refresh' : '__Secure-refresh')
      t.equal((await page.post(`${base}/refresh`)).statusCode, 200)
      t.equal((await page.post(`${base}/logout`)).statusCode, 204)
      t.same(page.names(), [])
    }
  )
}

t.test('a cookie lives as long as its token, and 400 days at most', async (t) => {
  const clock = stopTheClock(t)
  const table: [access: number, refresh: number, maxAge: number, lives: number[]][] = [
    [900, 30 * day, 180 * day, [900, 30 * day]],
    [60, 3600, 5400, [60, 3600]],
    [500 * day, 600 * day, 700 * day, [400 * day, 400 * day]],
  ]
  for (const [access, refresh, maxAge, [accessLife, refreshLife]] of table) {
    const { app } = await build(t, {
      transport: 'cookie',
      access: { expiresIn: access },
      refresh: { expiresIn: refresh, maxAge },
    })
    const page = browser(app)
    const first = setBy(await page.post('/auth/register', ada))
    t.same(Object.values(first).map(({ maxAge }) => maxAge), [accessLife, refreshLife, refreshLife])
    for (const { expires } of Object.values(first)) t.notOk(expires)
  }

  const { app } = await build(t, { transport: 'cookie', refresh: { expiresIn: 3600, maxAge: 5400 } })
  const page = browser(app)
  await page.post('/auth/register', ada)
  clock.pass(3000)
  for (const [url, payload] of [['/auth/refresh', undefined], ['/auth/reauthenticate', { password }]] as const) {
    const answer = await page.post(url, payload)
    const { '__Host-access': access, '__Secure-refresh': refresh, '__Host-csrf': csrf } = setBy(answer)
    t.equal(access!.maxAge, answer.json().expires_in)
    t.same([refresh!.maxAge, csrf!.maxAge], [2400, 2400], 'no longer than the login')
    for (const { value, maxAge } of [access!, refresh!]) {
      t.equal(Date.now() / 1000 + maxAge!, decode(value!).payload.exp, url)
    }
  }
})

t.test('cookies that are not to be remembered go with the window, after a refresh too', async (t) => {
  for (const persistent of [undefined, false]) {
    const { app } = await build(t, { transport: 'cookie', cookies: persistent === undefined ? {} : { persistent } })
    const page = browser(app)
    const usually = persistent ?? true
    t.ok(
      Object.values(setBy(await page.post('/auth/register', ada))).every(
        ({ maxAge }) => (maxAge !== undefined) === usually
      )
    )

    for (const [remember, stays] of [[undefined, usually], [true, true], [false, false]] as const) {
      const answers = [
        await page.post('/auth/login', { ...ada, ...(remember !== undefined && { remember }) }),
        await page.post('/auth/refresh'),
        await page.post('/auth/refresh'),
        await page.post('/auth/reauthenticate', { password }),
      ]
      for (const answer of answers) {
        t.equal(answer.statusCode, 200)
        for (const cookie of Object.values(setBy(answer))) {
          t.equal(cookie.maxAge !== undefined, stays, `persistent ${persistent}, remember ${remember}: ${cookie.name}`)
          t.notOk(cookie.expires)
        }
      }
    }
  }
})

t.test(
  'a browser that shows the very refresh token that it would be given keeps it, and the value that goes with it',
  async (t) => {
    const { app } = await build(t, { transport: 'cookie' })
    const { post, send } = browser(app)
    const ownPage = { 'sec-fetch-site': 'same-origin' }
    await post('/auth/register', ada)
    t.same(Object.keys(setBy(await post('/auth/refresh'))), usualNames)
    t.same(Object.keys(setBy(await post('/auth/refresh'))), ['__Host-access'])
    t.same(
      Object.keys(
        setBy(
          await send('PUT', '/auth/password', { current_password: password, new_password: `${password}!` }, ownPage)
        )
      ).filter((name) => usualNames.includes(name)),
      usualNames
    )
    t.same(Object.keys(setBy(await post('/auth/refresh'))), ['__Host-access'])
  }
)

t.test(
  'what a proof of who one is made void takes no cookies back: newer ones are there, or on their way',
  async (t) => {
    const { app } = await build(t, { transport: 'cookie' })
    const { post, get, valueOf } = browser(app)
    const ownPage = { 'sec-fetch-site': 'same-origin' }
    await post('/auth/register', ada)
    const before = `__Secure-refresh=${valueOf('refresh')}`
    await post('/auth/reauthenticate', { password })
    const late = await app.inject({ method: 'POST', url: '/auth/refresh', headers: { cookie: before, ...ownPage } })
    t.match(late.json(), { statusCode: 401, code: 'ACCOUNTS_TOKEN_SUPERSEDED' })
    t.notOk(late.headers['set-cookie'])
    t.equal((await get('/guarded')).statusCode, 200)
  }
)

t.test(
  'whatever begins a session in cookies ends the one whose cookies it was shown, whoever that is of',
  async (t) => {
    const ownPage = { 'sec-fetch-site': 'same-origin' }
    const access = ({ value }: SetCookie) => `__Host-access=${value}`
    const shows: [what: string, cookie: (cookies: Record<string, SetCookie>) => string][] = [
      ['all cookies', cookieHeader],
      ['the refresh cookie alone', (cookies) => `__Secure-refresh=${cookies['__Secure-refresh']!.value}`],
      ['the access cookie alone', (cookies) => access(cookies['__Host-access']!)],
      [
        'a planted refresh cookie beside',
        (cookies) => `${access(cookies['__Host-access']!)}; __Secure-refresh=planted`,
      ],
    ]
    for (const [what, cookieOf] of shows) {
      const { app, sql, get } = await buildOnFile(t, { transport: 'both' })
      app.post('/issue', (request, reply) => app.accounts.issueTokens(users[0]!, { request, reply }))
      const send = (url: string, payload: object, cookie = '') =>
        app.inject({ method: 'POST', url, payload, headers: { cookie, ...ownPage } })
      const inCookies = { transport: 'cookie' }
      const begun = setBy(await send('/auth/register', { ...ada, ...inCookies }))
      const users = [decode(begun['__Host-access']!.value!).payload.sub as string]

      let shown = begun
      for (const [url, payload] of [
        ['/auth/login', { ...ada, ...inCookies }],
        ['/auth/register', { ...ada, username: 'bob', ...inCookies }],
        ['/issue', {}],
      ] as const) {
        const next = await send(url, payload, cookieOf(shown))
        t.ok(next.statusCode < 300, `${url}, ${what}`)
        t.match(
          (await get('/guarded', shown['__Host-access']!.value)).json(),
          { code: 'ACCOUNTS_TOKEN_REVOKED' },
          `${url}, ${what}`
        )
        const late = await send('/auth/refresh', {}, `__Secure-refresh=${shown['__Secure-refresh']!.value}`)
        t.match(late.json(), { statusCode: 401, code: 'ACCOUNTS_TOKEN_REVOKED' })
        t.notOk(late.headers['set-cookie'], 'which would be those of the new session')
        shown = setBy(next)
        t.equal((await get('/guarded', shown['__Host-access']!.value)).statusCode, 200)
      }
      t.match(
        await sql.all('select revoke_reason from accounts_sessions where revoked_at is not null'),
        [1, 2, 3].map(() => ({ revoke_reason: 'replaced' }))
      )
    }
  }
)

t.test('a login in a body, and cookies that show no session that goes on, end none', async (t) => {
  const { app, sql, signUp } = await buildOnFile(t, { transport: 'both' })
  const { access_token: access, refresh_token: token } = await signUp()
  const { header, payload } = decode(token)
  const { access_token: revoked } = (await app.inject({ method: 'POST', url: '/auth/login', payload: ada })).json()
  await app.accounts.revoke(revoked)
  const login = (cookie: string, wish: object) =>
    app.inject({
      method: 'POST',
      url: '/auth/login',
      payload: { ...ada, ...wish },
      headers: { cookie, 'sec-fetch-site': 'same-origin' },
    })
  const gone = (change: object) => `__Secure-refresh=${mint(header, { ...payload, ...change }, refreshKey)}`

  t.equal((await login(`__Host-access=${access}; __Secure-refresh=${token}`, {})).statusCode, 200)
  for (const cookie of [
    '',
    '__Host-access=planted',
    `__Host-access=${revoked}`,
    gone({ br: 'x'.repeat(16) }),
    gone({ sid: payload.sub }),
  ]) {
    t.equal((await login(cookie, { transport: 'cookie' })).statusCode, 200)
  }
  t.same(await sql.all('select id from accounts_sessions where revoked_at is not null'), [])
})

t.test('who shows a refresh token elsewhere than in its cookie is given the cookie', async (t) => {
  const { app } = await build(t, { transport: 'cookie' })
  const { post, valueOf } = browser(app)
  await post('/auth/register', ada)
  await post('/auth/refresh')
  t.same(
    Object.keys(
      setBy(await app.inject({ method: 'POST', url: '/auth/refresh', payload: { refresh_token: valueOf('refresh') } }))
    ),
    usualNames
  )
})

t.test(
  'where both are possible, the client says how its tokens travel at register and login, and nowhere else',
  async (t) => {
    const { app, post } = await build(t, { transport: 'both' })
    let number = 0
    for (const url of ['/auth/register', '/auth/login']) {
      const send = (wish: object) =>
        post(url, { ...ada, ...(url === '/auth/register' && { username: `ada-${number++}` }), ...wish })
      if (url === '/auth/login') await post('/auth/register', ada)

      for (const wish of [{}, { transport: 'body' }]) {
        const answer = await send(wish)
        t.match(answer.json(), { access_token: /^ey/, refresh_token: /^ey/ })
        t.notOk('csrf_token' in answer.json())
        t.notOk(answer.headers['set-cookie'])
      }
      const answer = await send({ transport: 'cookie' })
      t.ok(answer.json().csrf_token)
      t.notOk('access_token' in answer.json() || 'refresh_token' in answer.json())
      t.same(Object.keys(setBy(answer)), usualNames)

      for (const transport of ['header', 'Cookie', '', null, true, ['cookie'], {}]) {
        const refused = await send({ transport })
        t.match(refused.json(), { statusCode: 400, code: 'ACCOUNTS_INPUT_INVALID' }, JSON.stringify(transport))
        t.notOk(refused.headers['set-cookie'])
      }
    }

    const page = browser(app)
    await page.post('/auth/login', { ...ada, transport: 'cookie' })
    for (const transport of ['body', 'cookie']) {
      for (const [url, payload] of [
        ['/auth/refresh', {}],
        ['/auth/logout', {}],
        ['/auth/reauthenticate', { password }],
      ] as const) {
        t.match(
          (await page.post(url, { ...payload, transport })).json(),
          { statusCode: 400, message: /transport is not a known field/ },
          url
        )
      }
    }
    t.match((await page.post('/auth/login', { ...ada, remember: 'yes' })).json(), { code: 'ACCOUNTS_INPUT_INVALID' })
    t.match((await page.post('/auth/register', { ...ada, username: 'x', remember: true })).json(), {
      message: /remember is not a known field/,
    })
    t.equal((await page.get('/guarded')).statusCode, 200, 'none of this cost the session')

    for (const [transport, wishes] of [
      ['body', [{ transport: 'cookie' }, { transport: 'body' }, { remember: true }]],
      ['cookie', [{ transport: 'body' }]],
    ] as const) {
      const other = await build(t, { transport })
      await other.signUp()
      for (const wish of wishes) {
        t.match((await other.post('/auth/login', { ...ada, ...wish })).json(), {
          code: 'ACCOUNTS_INPUT_INVALID',
          message: /is not a known field/,
        })
      }
    }
  }
)

t.test('a session keeps its transport, however its token is sent', async (t) => {
  const { app, post, refresh, signUp } = await build(t, { transport: 'both' })
  const page = browser(app)
  await signUp()
  await page.post('/auth/login', { ...ada, transport: 'cookie' })
  const token = page.valueOf('refresh')!

  for (const answer of [
    await refresh(token),
    await post('/auth/refresh', {}, token),
    await post('/auth/reauthenticate', { password }, page.valueOf('access')!),
  ]) {
    t.equal(answer.statusCode, 200)
    t.notOk(/"(access|refresh)_token"/.test(answer.body), 'no script can turn its cookie into a token')
    t.same(Object.keys(setBy(answer)), usualNames)
  }

  const { refresh_token: shown } = (await post('/auth/login', ada)).json() as TokenResponse
  const answer = await app.inject({
    method: 'POST',
    url: '/auth/refresh',
    headers: { cookie: `__Secure-refresh=${shown}`, 'sec-fetch-site': 'same-origin' },
  })
  t.match(answer.json(), { access_token: /^ey/, refresh_token: /^ey/ }, 'and no other way round')
  t.notOk(answer.headers['set-cookie'])
})

for (const [before, after] of [['cookie', 'body'], ['body', 'cookie'], ['cookie', 'both'], ['body', 'both']] as const) {
  t.test(
    `a session that began while the transport was ${before} goes on as it began where it is ${after}`,
    async (t) => {
      const first = await buildOnFile(t, { transport: before })
      const answer = await first.post('/auth/register', ada)
      const token = before === 'body' ? answer.json().refresh_token : setBy(answer)['__Secure-refresh']!.value!
      await first.app.close()

      const second = await build(t, { transport: after, db: first.db })
      const next = await second.refresh(token)
      t.equal(next.statusCode, 200)
      t.equal('access_token' in next.json() && 'refresh_token' in next.json(), before === 'body')
      t.same(Object.keys(setBy(next)), before === 'body' ? [] : usualNames)
    }
  )
}

t.test('a logout takes the cookies back under the very same attributes', async (t) => {
  const table: [given: NonNullable<AccountsOptions['cookies']>, scope?: string][] = [
    [{}], [{}, '/api'], [{ domain: 'example.com', sameSite: 'strict' }], [{ secure: false, access: { path: '/app' } }],
    [{ partitioned: true, sameSite: 'none', persistent: false }], [{ refresh: { name: 'r', path: '/auth/' } }],
  ]
  for (const [given, scope = ''] of table) {
    const app = await scoped(t, scope, { cookies: given })
    const page = browser(app)
    const brought = setBy(await page.post(`${scope}/auth/register`, ada))
    const headers = { cookie: cookieHeader(brought), 'x-csrf-token': page.valueOf('csrf')! }
    const answer = await app.inject({ method: 'POST', url: `${scope}/auth/logout`, headers })
    t.equal(answer.statusCode, 204)

    const cleared = setBy(answer)
    t.same(Object.keys(cleared), Object.keys(brought))
    for (const [name, { value: _, maxAge: __, ...attributes }] of Object.entries(brought)) {
      t.same(cleared[name], { ...attributes, value: '', maxAge: 0, expires: new Date(0) }, JSON.stringify(given))
    }
  }
})

t.test('a refresh that is refused for good takes the cookies back, at refresh and at logout', async (t) => {
  const clock = stopTheClock(t)
  const { app, sql } = await buildOnFile(t, { transport: 'cookie', refresh: { window: 0, replay: 'until-superseded' } })
  const page = browser(app)
  const signIn = async () =>
    cookieHeader(setBy(await page.post(page.names().length > 0 ? '/auth/login' : '/auth/register', ada)))
  const send = (url: string, cookie: string, headers = {}) =>
    app.inject({ method: 'POST', url, headers: { cookie, 'sec-fetch-site': 'same-origin', ...headers } })
  const isCleared = (answer: Awaited<ReturnType<typeof send>>) =>
    Object.values(setBy(answer)).map(({ name, value, maxAge }) => [name, value, maxAge])
  const all = usualNames.map((name) => [name, '', 0])

  const living = await signIn()
  const access = /__Host-access=([^;]+)/.exec(living)![1]!
  const { header, payload } = decode(/__Secure-refresh=([^;]+)/.exec(living)![1]!)
  const forged = mint(header, { ...payload, jti: 'x'.repeat(43) }, refreshKey)
  const expired = mint(header, { ...payload, iat: payload.iat - 10, exp: payload.iat - 5 }, refreshKey)

  const table: [url: string, cookie: string, code: string][] = [
    ['/auth/refresh', '__Secure-refresh=garbage', 'ACCOUNTS_TOKEN_INVALID'],
    ['/auth/logout', '__Secure-refresh=garbage', 'ACCOUNTS_TOKEN_INVALID'],
    ['/auth/logout', '__Host-access=garbage', 'ACCOUNTS_TOKEN_INVALID'],
    ['/auth/refresh', `__Secure-refresh=${access}`, 'ACCOUNTS_TOKEN_WRONG_TYPE'],
    ['/auth/refresh', `__Secure-refresh=${forged}`, 'ACCOUNTS_TOKEN_INVALID'],
    ['/auth/logout', `__Secure-refresh=${forged}`, 'ACCOUNTS_TOKEN_INVALID'],
  ]
  for (const [url, cookie, code] of table) {
    const answer = await send(url, cookie)
    t.match(answer.json(), { statusCode: 401, code }, `${url} ${code}`)
    t.same(isCleared(answer), all, `${url} ${code}`)
  }

  t.equal((await send('/auth/refresh', living)).statusCode, 200)
  clock.pass(1)
  const reused = await send('/auth/refresh', living)
  t.match(reused.json(), { code: 'ACCOUNTS_REFRESH_REUSED' })
  t.same(isCleared(reused), all)
  const revoked = await send('/auth/refresh', living)
  t.match(revoked.json(), { code: 'ACCOUNTS_TOKEN_REVOKED' })
  t.same(isCleared(revoked), all)
  t.equal((await send('/auth/logout', living)).statusCode, 204, 'a session that is over stays over')

  const other = await signIn()
  const nothing = [
    [await send('/auth/refresh', other, { 'sec-fetch-site': 'cross-site' }), 403],
    [await app.inject({ method: 'POST', url: '/auth/refresh', headers: { cookie: other } }), 403],
    [await app.inject({ method: 'POST', url: '/auth/logout', headers: { cookie: other } }), 403],
    [await send('/auth/refresh', ''), 401],
    [await send('/auth/refresh', `__Secure-refresh=${expired}`), 401],
    [
      await app.inject({
        method: 'POST',
        url: '/auth/refresh',
        payload: { refresh_token: 'garbage' },
        headers: { cookie: other },
      }),
      401,
    ],
    [await send('/auth/refresh', other, bearer('garbage')), 401],
    [await send('/auth/refresh', other, { authorization: 'Bearer' }), 400],
  ] as const
  for (const [answer, status] of nothing) {
    t.equal(answer.statusCode, status)
    t.notOk(answer.headers['set-cookie'], `${status} ${answer.body}`)
  }

  await sql.exec('alter table accounts_sessions rename to away')
  for (const url of ['/auth/refresh', '/auth/logout']) {
    const answer = await send(url, other)
    t.equal(answer.statusCode, 503)
    t.notOk(answer.headers['set-cookie'], 'it may go better in a moment')
  }
})

t.test('what no browser would keep, and what would end an attribute, is refused at the start', async (t) => {
  const refused: [given: unknown, message: RegExp][] = [
    [{ sameSite: 'none', secure: false }, /sameSite 'none' needs cookies.secure/],
    [{ partitioned: true, secure: false }, /partitioned needs cookies.secure/],
    [{ access: { name: '__Host-at' }, secure: false }, /__Host-at needs cookies.secure/],
    [{ access: { name: '__secure-at' }, secure: false }, /__secure-at needs cookies.secure/],
    [{ access: { name: '__Host-at' }, domain: 'example.com' }, /__Host-at goes with the path \/ and no cookies.domain/],
    [{ csrf: { name: '__host-x', path: '/app' } }, /__host-x goes with the path/],
    [{ refresh: { name: '__HOST-rt' } }, /__HOST-rt goes with the path/],
    [{ access: { name: 'same' }, csrf: { name: 'same' } }, /different names/],
    ...['a; Path=/x', 'a=b', 'a b', 'a\n', 'a\r\nSet-Cookie: b=c', '', 'ä', 'a,b', 'a"', '\0', 'a'.repeat(65)].map(
      (name) => [{ access: { name } }, /cookies.access.name/] as [unknown, RegExp]
    ),
    ...['/; Domain=evil.example', 'auth', '', '/\r\n', '/ä', '/a b', '/<'].map(
      (path) => [{ refresh: { path } }, /cookies.refresh.path/] as [unknown, RegExp]
    ),
    ...[
      'evil.example; Secure',
      'a b',
      '',
      'example.com.',
      '..a',
      'a..b',
      'exämple.com',
      'a\n',
      '-example.com',
      'example-.com',
      `${'a'.repeat(64)}.com`,
      'https://example.com',
      'example.com:443',
    ].map((domain) => [{ domain }, /cookies.domain/] as [unknown, RegExp]),
    [{ sameSite: 'Lax' }, /cookies.sameSite/],
    [{ sameSite: true }, /cookies.sameSite/],
    [{ httpOnly: false }, /cookies.httpOnly is not an option/],
    [{ maxAge: 1 }, /cookies.maxAge is not an option/],
    [{ access: { domain: 'x' } }, /cookies.access.domain is not an option/],
    [{ secure: 'yes' }, /cookies.secure/],
  ]
  for (const [cookies, message] of refused) {
    const app = Fastify()
    t.teardown(() => app.close())
    await t.rejects(
      async () => {
        await app.register(accounts, { ...options, cookies } as AccountsOptions)
      },
      { code: 'ACCOUNTS_OPTIONS_INVALID', message },
      JSON.stringify(cookies)
    )
  }
  const app = Fastify()
  t.teardown(() => app.close())
  await t.rejects(
    async () => {
      await app.register(accounts, { ...options, locations: ['header'] })
    },
    { message: /locations must hold cookie with transport cookie/ }
  )
})

t.test('a cookie that browsers would drop for its length is an error, and nothing is written', async (t) => {
  let length = 0
  const { post, sql } = await buildOnFile(t, { transport: 'both', claims: () => ({ filler: 'x'.repeat(length) }) })
  const rows = () =>
    sql.get('select (select count(*) from accounts_users) users, (select count(*) from accounts_sessions) sessions')
  const inCookies = { ...ada, transport: 'cookie' }
  const sizes = async () =>
    Object.values(setBy(await post('/auth/login', inCookies))).map(({ name, value }) => name.length + value!.length)

  length = 4000
  const refused = await post('/auth/register', inCookies)
  t.match(refused.json(), { statusCode: 500, code: 'ACCOUNTS_TOKEN_TOO_LARGE' })
  t.notOk(refused.headers['set-cookie'])
  t.same(await rows(), { users: 0, sessions: 0 })

  length = 0
  await post('/auth/register', inCookies)
  // Base64url makes 4 characters of 3 bytes: the longest that fits, and one more.
  length = Math.floor((4096 - (await sizes())[0]!) * 3 / 4) - 4
  while ((await post('/auth/login', inCookies)).statusCode === 200) length++
  t.match((await post('/auth/login', inCookies)).json(), { code: 'ACCOUNTS_TOKEN_TOO_LARGE' })
  const before = await rows()
  await post('/auth/login', inCookies)
  t.same(await rows(), before, 'nothing is written')
  length--
  const fitting = Math.max(...await sizes())
  t.ok(fitting <= 4096 && fitting > 4090, `${fitting} of 4096`)
  t.match((await post('/auth/login', ada)).json(), { access_token: /^ey/ }, 'a header takes more')
})

t.test('a login begins a session of its own, whatever cookies somebody has planted, and ends theirs', async (t) => {
  const { app, signUp } = await build(t, { transport: 'both' })
  const mallory = await signUp('mallory')
  const planted = `__Host-access=${mallory.access_token}; __Secure-refresh=${mallory.refresh_token}; __Host-csrf=planted; accounts=x; sid=y`
  await signUp('ada')

  const answer = await app.inject({
    method: 'POST',
    url: '/auth/login',
    payload: { ...ada, transport: 'cookie' },
    headers: { cookie: planted, 'sec-fetch-site': 'same-origin' },
  })
  const cookies = setBy(answer)
  const { sid, sub } = decode(cookies['__Host-access']!.value!).payload
  t.not(sid, decode(mallory.access_token).payload.sid)
  t.not(sub, decode(mallory.access_token).payload.sub)
  t.not(cookies['__Host-csrf']!.value, 'planted')
  t.match((await app.inject({ url: '/guarded', headers: { cookie: cookieHeader(cookies) } })).json(), {
    user: { username: 'ada' },
  })
  t.match((await app.inject({ url: '/guarded', headers: bearer(mallory.access_token) })).json(), {
    code: 'ACCOUNTS_TOKEN_REVOKED',
  })
})

t.test('the cookies of the host stand beside ours, on the same answer', async (t) => {
  for (const order of ['without', 'before', 'after']) {
    const app = Fastify()
    t.teardown(() => app.close())
    app.addHook('onRequest', async (_request, reply) => { reply.header('set-cookie', 'early=1; Path=/') })
    app.addHook('onSend', async (_request, reply, payload) => {
      if (order !== 'without') reply.setCookie('theirs', '2', { path: '/' })
      reply.header('set-cookie', 'late=3')
      return payload
    })
    if (order === 'before') await app.register(cookie, { secret: 'a secret of the host' })
    await app.register(accounts, options)
    if (order === 'after') await app.register(cookie, { secret: 'a secret of the host' })
    app.post('/own', { preHandler: app.authenticate }, async ({ cookies }, reply) => {
      reply.header('set-cookie', 'own=4')
      return { cookies }
    })

    const others = order === 'without' ? ['early', 'late'] : ['early', 'theirs', 'late']
    const page = browser(app)
    for (const [url, payload] of [
      ['/auth/register', ada],
      ['/auth/login', ada],
      ['/auth/refresh', undefined],
      ['/auth/reauthenticate', { password }],
    ] as const) {
      const answer = await page.post(url, payload)
      t.same(Object.keys(setBy(answer)).sort(), [...usualNames, ...others].sort(), `${order} ${url}`)
      t.equal([answer.headers['set-cookie']].flat().length, 3 + others.length, 'each once')
    }
    const own = await page.post('/own', {})
    t.same(Object.keys(setBy(own)).filter((name) => usualNames.includes(name)), [], 'a guard sets nothing')
    t.ok('own' in setBy(own))
    if (order !== 'without') { t.match(own.json().cookies, { '__Host-access': /^ey/, theirs: '2' }, 'and the host reads what it likes') }

    t.equal((await page.post('/auth/logout')).statusCode, 204)
    t.notOk(page.names().some((name) => usualNames.includes(name)))
    t.ok(page.names().includes('early'))
  }
})

t.test('no answer of ours lets another origin read it', async (t) => {
  const { app } = await build(t, { transport: 'cookie', csrf: { trustedOrigins: ['https://app.example.com'] } })
  for (const origin of ['https://evil.example', 'https://app.example.com', 'null']) {
    for (const [method, url] of [
      ['POST', '/auth/register'],
      ['POST', '/auth/login'],
      ['POST', '/auth/refresh'],
      ['POST', '/auth/logout'],
      ['GET', '/auth/me'],
      ['OPTIONS', '/auth/login'],
    ] as const) {
      const headers = {
        origin,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'x-csrf-token',
      }
      const answer = await app.inject({ method, url, headers, ...(method === 'POST' && { payload: ada }) })
      t.same(
        Object.keys(answer.headers).filter((name) => name.startsWith('access-control')),
        [],
        `${method} ${url}`
      )
    }
  }
})

t.test('a login from a page without TLS, whose browser drops Secure cookies, is told to the log once', async (t) => {
  const lines: { level: number, msg: string }[] = []
  const stream = { write: (line: string) => { lines.push(JSON.parse(line)) } }
  const origins = [
    'http://192.168.1.5:3000',
    'http://localhost:3000',
    'http://127.0.0.1',
    'http://[::1]:8080',
    'http://app.localhost',
    'https://app.example.com',
  ]
  const { app } = await build(
    t,
    { transport: 'cookie', csrf: { trustedOrigins: origins } },
    { logger: { level: 'warn', stream } }
  )
  const signIn = (origin: string, url = '/auth/login') =>
    app.inject({ method: 'POST', url, payload: ada, headers: { origin } })
  const warnings = () => lines.filter(({ msg }) => /https?|TLS|Secure/i.test(msg) && !/refresh token/.test(msg))

  await signIn(origins[1]!, '/auth/register')
  for (const origin of origins.slice(1)) t.equal((await signIn(origin)).statusCode, 200)
  t.equal(warnings().length, 0)
  for (let times = 0; times < 2; times++) t.equal((await signIn(origins[0]!)).statusCode, 200)
  t.equal(warnings().length, 1)
})

t.test(
  'a proxy that takes a part of the path away, so that the refresh cookie never comes, is told of to the log once',
  async (t) => {
    const told = async (options: AccountsOptions, sent: string[], headers: Record<string, string> = {}) => {
      const lines: string[] = []
      const { app, signUp } = await build(t, options, {
        logger: {
          level: 'warn',
          stream: {
            write: (line) => {
              lines.push(line)
            },
          },
        },
      })
      const { refresh_token: token } = await signUp()
      const login = await app.inject({
        method: 'POST',
        url: '/auth/login',
        payload: { username: 'ada', password, transport: 'cookie' },
      })
      const cookies = Object.values(setBy(login)).filter(({ name }) => sent.some((end) => name.endsWith(end)))
      const ask = () =>
        app.inject({
          method: 'POST',
          url: '/auth/refresh',
          headers: {
            'sec-fetch-site': 'same-origin',
            cookie: cookies.map(({ name, value }) => `${name}=${value}`).join('; '),
            ...headers,
          },
        })
      const statuses = [(await ask()).statusCode, (await ask()).statusCode]
      if (options.transport === 'both') {
        t.equal(
          (
            await app.inject({
              method: 'POST',
              url: '/auth/refresh',
              headers: { cookie: '__Host-csrf=x' },
              payload: { refresh_token: token },
            })
          ).statusCode,
          200
        )
      }
      return [
        statuses,
        lines.map((line) => JSON.parse(line).msg as string).filter((message) => !message.includes('with-refresh')),
      ] as const
    }
    const missing = [401, 401]
    const warning = /not that of the refresh token, which browsers send to \/auth alone.*cookies\.refresh\.path/
    const both = { transport: 'both' } as const
    for (const sent of [['access', 'csrf'], ['access'], ['csrf']]) { t.match(await told(both, sent), [missing, [warning]], sent.join()) }
    for (const sent of [[], ['device']]) { t.strictSame(await told(both, sent), [missing, []], 'who has no session is told nothing') }
    t.strictSame(await told(both, ['access', 'csrf', 'refresh']), [[200, 200], []])
    t.strictSame(
      await told({ ...both, cookies: { refresh: { path: '/' } } }, ['access', 'csrf']),
      [missing, []],
      'it is sent everywhere'
    )
    t.strictSame(await told({}, [], { cookie: '__Host-access=x' }), [missing, []], 'no cookie is looked at')
    t.strictSame(await told(both, ['access', 'csrf'], { authorization: 'Bearer' }), [[400, 400], []])
  }
)

t.test('with the path that browsers ask for, refreshes go on behind such a proxy', async (t) => {
  const { app } = await build(
    t,
    { transport: 'cookie', cookies: { refresh: { path: '/api/auth' }, device: { path: '/api/auth' } } },
    { rewriteUrl: ({ url }) => url!.replace(/^\/api(?=\/)/, '') }
  )
  const page = browser(app)
  await page.post('/api/auth/register', { username: 'ada', password })
  t.equal((await page.post('/api/auth/refresh')).statusCode, 200)
  t.equal((await page.post('/api/auth/logout')).statusCode, 204)
})
