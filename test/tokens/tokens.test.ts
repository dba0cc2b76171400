import { generateKeyPairSync } from 'node:crypto'
import { mock } from 'node:test'
import { createVerifier } from 'fast-jwt'
import { jwtVerify } from 'jose'
import type { LightMyRequestResponse } from 'fastify'
import t, { type Test } from 'tap'
import { browser } from '../support/browser.ts'
import { bearer, build, buildOnFile, decode, mint, password, refreshKey, secret } from '../support/build.ts'
import { otherSpellings, signers, type Kind } from './signer.ts'

type Client = Awaited<ReturnType<typeof build>>

/** A place for tokens of one kind. */
interface Place {
  name: string
  kind: Kind
  send: (client: Client, token: string) => Promise<LightMyRequestResponse>
}

const inBody = (url: string) => ({ post }: Client, token: string) => post(url, { refresh_token: token })
const inHeader = (url: string) => ({ post }: Client, token: string) => post(url, undefined, token)

const places: Place[] = [
  { name: 'GET /auth/me', kind: 'access', send: ({ get }, token) => get('/auth/me', token) },
  { name: 'POST /auth/refresh (header)', kind: 'refresh', send: inHeader('/auth/refresh') },
  { name: 'POST /auth/refresh (body)', kind: 'refresh', send: inBody('/auth/refresh') },
  { name: 'POST /auth/logout (body)', kind: 'refresh', send: inBody('/auth/logout') },
  { name: 'POST /with-refresh', kind: 'refresh', send: inBody('/with-refresh') },
]

/** A real token with some changes, signed by the server's own key. */
function reissue (token: string, claims: object, header: object = {}): string {
  const real = decode(token)
  const key = real.header.typ === 'at+jwt' ? secret : refreshKey
  return mint({ ...real.header, ...header }, { ...real.payload, ...claims }, key)
}

/** Stops the clock at some second; `setTime` moves it. */
function stopClock (t: Test): typeof mock.timers {
  mock.timers.enable({ apis: ['Date'], now: 1_800_000_000_000 })
  t.teardown(() => mock.timers.reset())
  return mock.timers
}

t.test('a token of the other kind is called so, wherever it is sent', async (t) => {
  const client = await build(t)
  const { access_token: access, refresh_token: refresh } = await client.signUp()

  for (const { name, kind, send } of places) {
    const answer = await send(client, kind === 'access' ? refresh : access)
    t.match(answer.json(), { statusCode: 401, code: 'ACCOUNTS_TOKEN_WRONG_TYPE' }, name)
    t.match(answer.headers['www-authenticate'], /^Bearer realm="accounts", error="invalid_token"/, name)
  }
})

t.test('a guard of the host says so when the other kind of token is sent', async (t) => {
  const { get, post, signUp } = await build(t)
  const { access_token: access, refresh_token: refresh } = await signUp()

  t.match((await get('/guarded', refresh)).json(), { statusCode: 401, code: 'ACCOUNTS_TOKEN_WRONG_TYPE' })
  t.match((await post('/guarded', {}, refresh)).json(), { statusCode: 401, code: 'ACCOUNTS_TOKEN_WRONG_TYPE' })
  t.match((await post('/with-refresh', {}, access)).json(), { statusCode: 401, code: 'ACCOUNTS_TOKEN_WRONG_TYPE' })
})

t.test('where no token was sent one is asked for, and nothing is called an error', async (t) => {
  const { app } = await build(t)
  const schemes = [{}, { authorization: '' }, { authorization: 'Basic YWRhOnB3' }, { authorization: 'Bearerx abc' }]

  for (const url of ['/auth/me', '/auth/refresh', '/auth/logout', '/guarded', '/with-refresh']) {
    for (const headers of schemes) {
      const answer = await app.inject({ method: url === '/auth/me' ? 'GET' : 'POST', url, headers })
      t.match(answer.json(), { statusCode: 401, code: 'ACCOUNTS_TOKEN_MISSING' }, url)
      t.equal(answer.headers['www-authenticate'], 'Bearer realm="accounts"', url)
    }
  }
})

const invalid = { statusCode: 401, code: 'ACCOUNTS_TOKEN_INVALID' }
const expired = { statusCode: 401, code: 'ACCOUNTS_TOKEN_EXPIRED' }
const past = { auth_time: 1000, iat: 1000, exp: 1900 }

/** What may be wrong with a token that is sent to `GET /auth/me`, and what that is called. */
const codes: Array<[what: string, code: string, make: (tokens: Record<Kind, string>) => string]> = [
  ['a word', 'INVALID', () => 'token'],
  ['a token of another server', 'INVALID', ({ access }) => mint(decode(access).header, decode(access).payload, 'x')],
  ['a token of another issuer', 'INVALID', ({ access }) => reissue(access, { iss: 'evil' })],
  ['a token for another audience', 'INVALID', ({ access }) => reissue(access, { aud: 'evil' })],
  ['a token that never ends', 'INVALID', ({ access }) => reissue(access, { exp: undefined })],
  ['an expired token', 'EXPIRED', ({ access }) => reissue(access, past)],
  [
    'a token of a session that ended in the same second',
    'EXPIRED',
    ({ access }) => reissue(access, { ...past, exp: past.iat }),
  ],
  ['an expired token of another issuer', 'INVALID', ({ access }) => reissue(access, { ...past, iss: 'evil' })],
  ['an expired token cut short', 'INVALID', ({ access }) => reissue(access, past).slice(0, -5)],
  ['a refresh token', 'WRONG_TYPE', ({ refresh }) => refresh],
  ['an expired refresh token', 'WRONG_TYPE', ({ refresh }) => reissue(refresh, past)],
  ['a refresh token cut short', 'INVALID', ({ refresh }) => refresh.slice(0, -5)],
  ['a token of nobody', 'REVOKED', ({ access }) => reissue(access, { sub: decode(access).payload.sid })],
]

/** RFC 6750 §3: the characters that a description may have. */
const quoted = /^Bearer realm="accounts", error="invalid_token", error_description="[ -!#-[\]-~]+"$/

t.test('a refusal says what is wrong', async (t) => {
  const { get, signUp } = await build(t)
  const { access_token: access, refresh_token: refresh } = await signUp()

  for (const [what, code, make] of codes) {
    await t.test(`${what} is ACCOUNTS_TOKEN_${code}`, async (t) => {
      const answer = await get('/auth/me', make({ access, refresh }))
      t.match(answer.json(), { statusCode: 401, code: `ACCOUNTS_TOKEN_${code}` })
      t.match(answer.headers['www-authenticate'], quoted)
    })
  }
})

t.test('an access token is over in the second of its exp, and not before', async (t) => {
  const clock = stopClock(t)
  const { get, signUp } = await build(t)
  const { access_token: token } = await signUp()
  const end = decode(token).payload.exp * 1000

  clock.setTime(end - 1)
  t.equal((await get('/auth/me', token)).statusCode, 200)
  clock.setTime(end)
  t.match((await get('/auth/me', token)).json(), { statusCode: 401, code: 'ACCOUNTS_TOKEN_EXPIRED' })
})

t.test('a refresh token is over in the second of its exp, and not before', async (t) => {
  const clock = stopClock(t)
  const { post, refresh, signUp } = await build(t)
  const { refresh_token: token } = await signUp()
  const end = decode(token).payload.exp * 1000

  clock.setTime(end - 1)
  t.equal((await post('/with-refresh', {}, token)).statusCode, 200)
  clock.setTime(end)
  t.match((await post('/with-refresh', {}, token)).json(), { statusCode: 401, code: 'ACCOUNTS_TOKEN_EXPIRED' })
  t.match((await refresh(token)).json(), { statusCode: 401, code: 'ACCOUNTS_TOKEN_EXPIRED' })
})

t.test('the kind of a token may be written as any media type is', async (t) => {
  const { get, post, signUp } = await build(t)
  const { access_token: access, refresh_token: refresh } = await signUp()

  for (const typ of ['at+jwt', 'AT+JWT', 'At+Jwt', 'application/at+jwt', 'APPLICATION/AT+JWT']) {
    t.equal((await get('/auth/me', reissue(access, {}, { typ }))).statusCode, 200, typ)
  }
  for (const typ of ['rt+jwt', 'RT+JWT', 'application/rt+jwt', 'Application/rt+JWT']) {
    t.equal((await post('/with-refresh', {}, reissue(refresh, {}, { typ }))).statusCode, 200, typ)
  }
})

t.test('a token may be for others too, as long as it is for us', async (t) => {
  const { get, signUp } = await build(t, { audience: 'ours' })
  const { access_token: token } = await signUp()

  for (const aud of ['ours', ['ours'], ['ours', 'theirs'], ['theirs', 'ours']]) {
    t.equal((await get('/auth/me', reissue(token, { aud }))).statusCode, 200, String(aud))
  }
  t.equal((await get('/auth/me', reissue(token, { aud: ['theirs'] }))).statusCode, 401)
})

t.test('an access token may come from a clock a minute ahead, and not a second more', async (t) => {
  stopClock(t)
  const { app, get, signUp } = await build(t)
  const { access_token: access } = await signUp()
  const { iat, exp } = decode(access).payload
  const ahead = (seconds: number) => reissue(access, { iat: iat + seconds, exp: exp + seconds })

  t.equal((await get('/auth/me', ahead(60))).statusCode, 200)
  for (const seconds of [61, 600, 3600]) {
    for (const url of ['/auth/me', '/guarded', '/strict']) t.match((await get(url, ahead(seconds))).json(), expired)
    await t.rejects(app.accounts.verify(ahead(seconds)), expired)
  }
})

t.test(
  'a machine whose clock is two hours behind lets nobody in by tokens of others, and refreshes and logs out as ever',
  async (t) => {
    const clock = stopClock(t)
    const { app, get, post, refresh, signUp, signIn } = await build(t, { transport: 'both' })
    const now = Date.now()
    const tokens = [await signUp(), await signIn(), await signIn(), await signIn()] as const
    clock.setTime(now - 7_200_000)

    for (const { access_token: token } of tokens) t.match((await get('/guarded', token)).json(), expired)
    const cookie = `__Host-access=${tokens[0].access_token}`
    const answer = await app.inject({ url: '/auth/me', headers: { cookie, 'sec-fetch-site': 'same-origin' } })
    t.match(answer.json(), expired)
    t.equal(answer.headers['set-cookie'], undefined, 'no cookie is taken back')

    t.equal((await post('/with-refresh', {}, tokens[0].refresh_token)).statusCode, 200)
    t.equal((await get('/guarded', (await refresh(tokens[0].refresh_token)).json().access_token)).statusCode, 200)
    t.equal((await post('/auth/logout', { refresh_token: tokens[1].refresh_token })).statusCode, 204)
    t.equal((await post('/auth/logout', undefined, tokens[2].access_token)).statusCode, 204)
    await app.accounts.revoke(tokens[3].access_token)
    clock.setTime(now)
    for (const { access_token: token } of tokens.slice(1)) { t.match((await get('/guarded', token)).json(), { code: 'ACCOUNTS_TOKEN_REVOKED' }) }
  }
)

t.test(
  'a machine whose clock is 31 days ahead refuses tokens and ends nothing, so others go on with them',
  async (t) => {
    const clock = stopClock(t)
    const here = await buildOnFile(t, { transport: 'both' })
    const there = await build(t, { transport: 'both', db: here.db })
    const { access_token: access, refresh_token: refresh } = await here.signUp()
    const page = browser(here.app)
    await page.post('/auth/login', { username: 'ada', password, transport: 'cookie' })
    const cookies = ['__Host-access', '__Secure-refresh'].map((name) => `${name}=${page.valueOf(name)}`).join('; ')
    const now = Date.now()
    clock.setTime(now + 31 * 86_400_000)

    const headers = { cookie: `__Host-access=${page.valueOf('access')}`, 'sec-fetch-site': 'same-origin' }
    const answers = [
      await there.get('/guarded', access),
      await there.refresh(refresh),
      await there.post('/with-refresh', {}, refresh),
      await there.app.inject({ url: '/auth/me', headers }),
      await there.app.inject({ method: 'POST', url: '/auth/logout', headers }),
      await there.app.inject({ method: 'POST', url: '/auth/refresh', headers: { ...headers, cookie: cookies } }),
    ]
    for (const answer of answers) {
      t.match(answer.json(), expired)
      t.equal(answer.headers['set-cookie'], undefined, 'no cookie is taken back')
    }
    t.match(await here.sql.all('select revoked_at from accounts_sessions'), Array(2).fill({ revoked_at: null }))
    t.same(await here.sql.all('select id from accounts_revoked_tokens'), [])

    clock.setTime(now)
    for (const { app, get } of [here, there]) {
      t.equal((await get('/guarded', (await here.refresh(refresh)).json().access_token)).statusCode, 200)
      const answer = await app.inject({
        method: 'POST',
        url: '/auth/refresh',
        headers: { ...headers, cookie: cookies },
      })
      t.equal(answer.statusCode, 200)
    }
  }
)

t.test('a session may go on at a machine whose clock is a minute behind', async (t) => {
  const clock = stopClock(t)
  const { get, refresh, signUp } = await build(t)
  const now = Date.now()

  clock.setTime(now + 60_000)
  const { refresh_token: token } = await signUp()
  clock.setTime(now)
  t.equal((await get('/auth/me', (await refresh(token)).json().access_token)).statusCode, 200)
})

t.test('a token with a beginning is good from then on', async (t) => {
  const clock = stopClock(t)
  const { get, signUp } = await build(t)
  const { access_token: token } = await signUp()
  const { iat } = decode(token).payload
  const later = reissue(token, { nbf: iat + 60 })

  t.match((await get('/auth/me', later)).json(), invalid)
  clock.setTime((iat + 60) * 1000)
  t.equal((await get('/auth/me', later)).statusCode, 200)
})

t.test('a refresh token opens the session of its own user only', async (t) => {
  const { post, refresh, signUp } = await build(t)
  const [ada, eve] = [await signUp('ada'), await signUp('eve')]
  const token = reissue(ada.refresh_token, { sub: eve.user.id })

  t.equal((await post('/with-refresh', {}, token)).statusCode, 401)
  t.equal((await refresh(token)).statusCode, 401)
})

t.test('claims named like parts of an object change no object', async (t) => {
  const { app, get, signUp } = await build(t)
  const isAdmin = (value: object) => (value as { isAdmin?: true }).isAdmin ?? false
  app.get('/rights', { preHandler: app.authenticate }, async ({ user, auth }) =>
    [{}, [], user, auth, auth.claims, auth.header].map(isAdmin))
  const { header, payload } = decode((await signUp()).access_token)

  for (const name of ['__proto__', 'constructor', 'prototype', '__defineGetter__']) {
    const claims = JSON.stringify(payload).replace('{', `{"${name}":{"isAdmin":true,"prototype":{"isAdmin":true}},`)
    t.strictSame((await get('/rights', mint(header, claims))).json(), Array(6).fill(false), name)
  }
})

t.test('a hundred refreshes give two hundred ids of at least 128 bits', async (t) => {
  const { refresh, signUp } = await build(t, { refresh: { window: 0 } })
  let tokens = await signUp()
  const ids = new Set<string>()

  for (let count = 0; count < 100; count++) {
    tokens = (await refresh(tokens.refresh_token)).json()
    ids.add(decode(tokens.access_token).payload.jti).add(decode(tokens.refresh_token).payload.jti)
  }
  t.equal(ids.size, 200)
  t.ok([...ids].every((id) => Buffer.from(id, 'base64url').length >= 16))
})

t.test('two tokens of the same second differ', async (t) => {
  stopClock(t)
  const { refresh, signIn, signUp } = await build(t)
  const logins = [await signUp(), await signIn(), await signIn()]
  const refreshed = [(await refresh(logins[0]!.refresh_token)).json(), (await refresh(logins[0]!.refresh_token)).json()]

  t.equal(new Set([...logins, ...refreshed].map((tokens) => tokens.access_token)).size, 5)
  t.equal(new Set(logins.map((tokens) => tokens.refresh_token)).size, 3)
})

t.test(
  'an access token is known once its signature was checked, and a refresh token is checked each time',
  async (t) => {
    const { app, get, post, signUp } = await build(t)
    const { access_token: access, refresh_token: refresh } = await signUp()

    for (let times = 0; times < 3; times++) t.equal((await get('/guarded', access)).statusCode, 200)
    t.match(app.accounts.counters, { tokensVerified: 1, tokensRemembered: 2 })
    for (let times = 0; times < 3; times++) t.equal((await post('/with-refresh', {}, refresh)).statusCode, 200)
    t.match(app.accounts.counters, { tokensVerified: 4, tokensRemembered: 2 })
  }
)

t.test('a token says what the documents say, and nothing personal', async (t) => {
  const { post } = await build(t)
  const person = { username: 'ada', email: 'ada@lovelace.example', password: 'correct horse battery staple' }
  const { access_token: access, refresh_token: refresh } = (await post('/auth/register', person)).json()
  const shared = ['aud', 'exp', 'gen', 'iat', 'iss', 'jti', 'sid', 'sub', 'ver']

  t.strictSame(Object.keys(decode(access).payload).sort(), [...shared, 'auth_time'].sort())
  t.strictSame(Object.keys(decode(refresh).payload).sort(), [...shared, 'br', 'pa'].sort())
  t.strictSame(Object.keys(decode(access).header).sort(), ['alg', 'kid', 'typ'])
  t.strictSame(Object.keys(decode(refresh).header).sort(), ['alg', 'kid', 'typ'])
  t.notMatch(JSON.stringify([decode(access), decode(refresh)]), /ada|lovelace|horse|argon2/)
})

for (const { algorithm, option } of Object.values(signers)) {
  t.test(`a token of ${algorithm} that is spelled in another way dies with its session`, async (t) => {
    const { app, get, post, refresh, signUp, signIn } = await build(t, { secret: option!, refresh: { window: 0 } })
    await signUp()
    const statusesOf = async (texts: string[], send: (text: string) => Promise<LightMyRequestResponse>) =>
      [...new Set(await Promise.all(texts.map(async (text) => (await send(text)).statusCode)))]
    const atAccess = (text: string) => get('/auth/me', text)
    const atRefresh = (text: string) => post('/with-refresh', {}, text)

    for (const [how, end] of [
      ['logout', (refreshToken: string) => post('/auth/logout', { refresh_token: refreshToken })],
      ['revoke() of the refresh token', (refreshToken: string) => app.accounts.revoke(refreshToken)],
    ] as const) {
      const tokens = await signIn()
      const [access, refreshTokens] = [tokens.access_token, tokens.refresh_token].map((token) => [
        token,
        ...otherSpellings(token),
      ]) as [string[], string[]]
      t.equal(new Set(access).size, { HS256: 4, ES256: 32 }[algorithm] ?? 16, 'texts of one token')
      t.strictSame(
        [await statusesOf(access, atAccess), await statusesOf(refreshTokens, atRefresh)],
        [[200], [200]],
        `before ${how}`
      )
      await end(tokens.refresh_token)
      t.strictSame(
        [await statusesOf(access, atAccess), await statusesOf(refreshTokens, atRefresh)],
        [[401], [401]],
        `after ${how}`
      )
      t.strictSame(await statusesOf(refreshTokens, refresh), [401], `a refresh after ${how}`)
    }

    const { access_token: revoked, refresh_token: kept } = await signIn()
    await app.accounts.revoke(otherSpellings(revoked)[0]!)
    t.strictSame(
      await statusesOf([revoked, ...otherSpellings(revoked)], atAccess),
      [401],
      'after revoke() of the access token'
    )
    t.equal((await atRefresh(kept)).statusCode, 200, 'which leaves the session alone')
  })
}

t.test('a spent refresh token is spent in every spelling', async (t) => {
  const { refresh, signIn, signUp } = await build(t, { refresh: { window: 0 } })
  await signUp()

  for (const at of [0, 1, 2]) {
    const { refresh_token: token } = await signIn()
    t.equal((await refresh(token)).statusCode, 200)
    t.equal((await refresh(otherSpellings(token)[at]!)).statusCode, 401)
  }
})

t.test('a header as long as Node takes, or longer, is refused over a socket', async (t) => {
  const { app, signUp } = await build(t)
  const { access_token: token } = await signUp()
  const url = `${await app.listen({ port: 0, host: '127.0.0.1' })}/auth/me`
  const statusOf = async (token: string) => (await fetch(url, { headers: bearer(token) })).status

  t.equal(await statusOf('x'.repeat(15_000)), 401)
  t.match(await statusOf('x'.repeat(16_384)), /^(431|401)$/)
  t.match(await statusOf(`${token}${'x'.repeat(16_384)}`), /^(431|401)$/)
  t.equal(await statusOf(token), 200)
})

t.test('a body as long as it may be, or longer, is refused', async (t) => {
  const { post, refresh } = await build(t)

  t.match((await refresh('x'.repeat(15_000))).json(), invalid)
  t.match((await refresh('x'.repeat(1_000_000))).json(), { statusCode: 413, code: 'FST_ERR_CTP_BODY_TOO_LARGE' })
  t.match((await post('/with-refresh', { refresh_token: 'x'.repeat(1_000_000) })).json(), invalid)
})

t.test('the header of tokens may say more, in every kind', async (t) => {
  const headerFields = { env: 'test', version: 2, beta: true }
  const { get, refresh, signUp } = await build(t, { headerFields })
  const { access_token: access, refresh_token: refreshToken } = await signUp()

  t.match(decode(access).header, { ...headerFields, alg: 'HS256', typ: 'at+jwt' })
  t.match(decode(refreshToken).header, { ...headerFields, alg: 'HS256', typ: 'rt+jwt' })
  t.match((await get('/guarded', access)).json().auth.header, headerFields)
  t.match(decode((await refresh(refreshToken)).json().access_token).header, headerFields)
})

t.test('fields of the header that say how a token is read are reserved', async (t) => {
  for (const name of [
    'alg',
    'typ',
    'kid',
    'cty',
    'crit',
    'b64',
    'jwk',
    'jku',
    'x5c',
    'x5u',
    'x5t',
    'x5t#S256',
    'enc',
    'zip',
  ]) {
    await t.rejects(
      build(t, { headerFields: { [name]: 'x' } }),
      { code: 'ACCOUNTS_OPTIONS_INVALID', message: `headerFields.${name} is reserved` },
      name
    )
  }
  for (const wrong of [null, [], {}, () => 'x']) {
    await t.rejects(build(t, { headerFields: { x: wrong as never } }), {
      code: 'ACCOUNTS_OPTIONS_INVALID',
      message: 'headerFields.x',
    })
  }
})

t.test('a header is refused at the start where it would be too long for our own reading', async (t) => {
  for (const character of ['x', '"', '字', '😀']) {
    for (const length of [90, 180, 390, 1000]) {
      const headerFields = { field: character.repeat(length) }
      const client = await build(t, { headerFields }).catch((error) => {
        t.match(error, { code: 'ACCOUNTS_OPTIONS_INVALID', message: 'headerFields' })
      })
      if (!client) break
      t.equal(
        (await client.post('/auth/register', { username: 'ada', password })).statusCode,
        201,
        `${length} times ${JSON.stringify(character)}`
      )
    }
  }
})

t.test('with a leeway, a token begins earlier and ends later, to the second', async (t) => {
  const clock = stopClock(t)
  const { get, post, signUp } = await build(t, { leeway: 30 })
  const { access_token: token, refresh_token: refresh } = await signUp()
  const { iat, exp } = decode(token).payload
  const later = reissue(token, { nbf: iat + 31 })
  const laterRefresh = reissue(refresh, { nbf: iat + 31 })

  t.match((await get('/auth/me', later)).json(), invalid)
  t.match((await post('/with-refresh', {}, laterRefresh)).json(), invalid)
  clock.setTime((iat + 1) * 1000)
  t.equal((await get('/auth/me', later)).statusCode, 200)
  t.equal((await post('/with-refresh', {}, laterRefresh)).statusCode, 200)
  clock.setTime((exp + 30) * 1000 - 1)
  t.equal((await get('/auth/me', token)).statusCode, 200)
  clock.setTime((exp + 30) * 1000)
  t.match((await get('/auth/me', token)).json(), { statusCode: 401, code: 'ACCOUNTS_TOKEN_EXPIRED' })
})

t.test('a leeway makes no life longer than it may be, and no token of the future good', async (t) => {
  stopClock(t)
  const { get, signUp } = await build(t, { leeway: '5m' })
  const { access_token: token } = await signUp()
  const { iat, exp } = decode(token).payload

  t.match((await get('/auth/me', reissue(token, { exp: exp + 1 }))).json(), invalid)
  t.match((await get('/auth/me', reissue(token, { iat: iat + 61, exp: exp + 61 }))).json(), expired)
  for (const leeway of [-1, 301, '6m', 1.5, Infinity, NaN, '30', null]) {
    await t.rejects(
      build(t, { leeway: leeway as never }),
      { code: 'ACCOUNTS_OPTIONS_INVALID', message: 'leeway' },
      String(leeway)
    )
  }
})

t.test('of a list of audiences the first is written and each is accepted', async (t) => {
  const { get, post, signUp } = await build(t, { audience: ['first', 'second'] })
  const { access_token: access, refresh_token: refresh } = await signUp()
  t.strictSame([access, refresh].map((token) => decode(token).payload.aud), ['first', 'first/refresh'])

  const ofRefresh = (aud: string | string[]) =>
    Array.isArray(aud) ? aud.map((party) => `${party}/refresh`) : `${aud}/refresh`
  for (const aud of ['first', 'second', ['second'], ['theirs', 'second'], ['first', 'second']]) {
    t.equal((await get('/auth/me', reissue(access, { aud }))).statusCode, 200, String(aud))
    t.equal((await post('/with-refresh', {}, reissue(refresh, { aud: ofRefresh(aud) }))).statusCode, 200, String(aud))
    t.match((await get('/auth/me', reissue(access, { aud: ofRefresh(aud) }))).json(), invalid, 'each kind has its own')
    t.match((await post('/with-refresh', {}, reissue(refresh, { aud }))).json(), invalid)
  }
  for (const aud of ['third', 'first second', 'first,second', [], ['third'], ['First'], '', ['']]) {
    t.match((await get('/auth/me', reissue(access, { aud }))).json(), invalid, String(aud))
    t.match((await post('/with-refresh', {}, reissue(refresh, { aud }))).json(), invalid, String(aud))
  }
})

t.test('who checks key, issuer, audience and expiry alone takes no refresh token for an access token', async (t) => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const { signUp } = await build(t, { secret: { private: privateKey } })
  const { access_token: access, refresh_token: refresh } = await signUp()
  const party = 'fastify-jwt-accounts'

  const verify = createVerifier({
    key: publicKey.export({ type: 'spki', format: 'pem' }),
    algorithms: ['ES256'],
    allowedIss: party,
    allowedAud: party,
  })
  t.match(verify(access), { aud: party })
  t.throws(() => verify(refresh), { code: 'FAST_JWT_INVALID_CLAIM_VALUE' })

  const check = (token: string) => jwtVerify(token, publicKey, { issuer: party, audience: party })
  t.match((await check(access)).payload, { aud: party })
  await t.rejects(check(refresh), { code: 'ERR_JWT_CLAIM_VALIDATION_FAILED', claim: 'aud' })
})

t.test('a refresh token lives no longer than it may, though the clock that moved its session is ahead', async (t) => {
  const { signUp, refresh, sql } = await buildOnFile(t, { refresh: { expiresIn: '1h' } })
  const { refresh_token: token } = await signUp()
  await refresh(token)
  await sql.run('update accounts_sessions set refresh_expires_at = ?', new Date(Date.now() + 3_660_000))
  const { refresh_token: sibling, refresh_expires_in: seconds } = (await refresh(token)).json()
  t.equal(seconds, 3600)
  t.equal((await refresh(sibling)).statusCode, 200)
})

t.test('claims of the host stand at the top of access tokens, and are asked for anew each time', async (t) => {
  let plan = 'free'
  const { app, get, post, refresh, signUp } = await build(t, {
    claims: async (user, request) => ({
      plan,
      name: user.username,
      nested: { list: [1] },
      url: request?.url ?? 'no request',
      nothing: null,
    }),
  })
  const { access_token: first, refresh_token: token, user } = await signUp()
  t.match(decode(first).payload, {
    plan: 'free',
    name: 'ada',
    nested: { list: [1] },
    url: '/auth/register',
    nothing: null,
    sub: user.id,
  })
  t.match((await get('/guarded', first)).json().auth.claims, { plan: 'free' })
  t.notMatch(decode(token).payload, { plan: 'free' })

  plan = 'paid'
  t.match(decode((await refresh(token)).json().access_token).payload, { plan: 'paid', url: '/auth/refresh' })
  t.match(decode((await post('/auth/reauthenticate', { password }, first)).json().access_token).payload, {
    plan: 'paid',
    url: '/auth/reauthenticate',
  })
  t.match(decode((await app.accounts.issueTokens(user.id)).access_token).payload, { plan: 'paid', url: 'no request' })
})

t.test('no claims of the host are no claims', async (t) => {
  for (const none of [undefined, null, {}]) {
    const { signUp, get } = await build(t, { claims: () => none as never })
    const { access_token: token } = await signUp()
    t.equal((await get('/guarded', token)).statusCode, 200)
    t.equal(Object.keys(decode(token).payload).length, 10)
  }
})

/** What an answer must not tell of the claims that failed. */
const mentions = /hidden|cycl|circular|serialize|BigInt|claims|reserved|ACCOUNTS/i

const cycle: Record<string, unknown> = {}
cycle.cycle = cycle

/** What `claims` must not give, or do: each says something that no client may read. */
const badClaims: [what: string, claims: () => unknown][] = [
  ...['iss', 'aud', 'sub', 'sid', 'gen', 'ver', 'jti', 'iat', 'nbf', 'exp', 'auth_time', '__proto__'].map(
    (name): [string, () => unknown] => [`the reserved name ${name}`, () => JSON.parse(`{"${name}":"hidden"}`)]
  ),
  ['a text', () => 'hidden'],
  ['a number', () => 1],
  ['true', () => true],
  ['a list', () => ['hidden']],
  ['a function', () => () => 'hidden'],
  [
    'an error',
    () => {
      throw new Error('hidden')
    },
  ],
  [
    'an error with a status',
    () => {
      throw Object.assign(new Error('hidden'), { statusCode: 418, code: 'HIDDEN' })
    },
  ],
  [
    'something that is no error',
    () => {
      throw 'hidden' // eslint-disable-line no-throw-literal
    },
  ],
  [
    'a rejection',
    async () => {
      throw new Error('hidden')
    },
  ],
  ['a number without JSON', () => ({ hidden: 1n })],
  ['a cycle', () => cycle],
  [
    'what fails on the way to JSON',
    () => ({
      hidden: {
        toJSON () {
          throw new Error('hidden')
        },
      },
    }),
  ],
]

t.test('claims that cannot be used are a 500 that says nothing, and nothing is written', async (t) => {
  let claims: () => unknown = () => ({})
  const { app, post, refresh, signUp, sql } = await buildOnFile(t, {
    claims: () => claims() as Record<string, unknown>,
  })
  const { refresh_token: token, user } = await signUp()
  const rows = () =>
    Promise.all(['users', 'sessions'].map((table) => sql.all(`select * from accounts_${table} order by id`)))
  const before = await rows()

  for (const [what, bad] of badClaims) {
    claims = bad
    const answers = {
      register: await post('/auth/register', { username: 'eve', password }),
      login: await post('/auth/login', { username: 'ada', password }),
    }
    for (const [route, { statusCode, payload, headers }] of Object.entries(answers)) {
      t.equal(statusCode, 500, `${route}, ${what}`)
      t.notMatch(payload + JSON.stringify(headers), mentions, `${route}, ${what}`)
    }
    await t.rejects(app.accounts.issueTokens(user.id), { message: 'Internal Server Error' }, what)
    t.strictSame(await rows(), before, `nothing is written for ${what}`)
  }

  for (const [what, bad] of badClaims) {
    claims = bad
    const { statusCode, payload } = await refresh(token)
    t.equal(statusCode, 500, `refresh, ${what}`)
    t.notMatch(payload, mentions, `refresh, ${what}`)
  }
  claims = () => ({})
  t.equal((await refresh(token)).statusCode, 200, 'the session outlives it')
})

const claimOf = (length: number) => ({ a: 'a'.repeat(length) })
const tooLarge = { statusCode: 500, code: 'ACCOUNTS_TOKEN_TOO_LARGE' }

t.test('claims too large to be read back make no tokens, and nothing is written', async (t) => {
  let length = 0
  const { app, get, post, refresh, signUp, sql } = await buildOnFile(t, { claims: () => claimOf(length) })
  const { access_token: small, refresh_token: token, user } = await signUp()
  const rows = () =>
    Promise.all(['users', 'sessions'].map((table) => sql.all(`select * from accounts_${table} order by id`)))

  const room = 6144 - Buffer.from(small.split('.')[1]!, 'base64url').length
  length = room
  const answer = await post('/auth/login', { username: 'ada', password })
  t.equal(answer.statusCode, 200)
  t.equal((await get('/auth/me', answer.json().access_token)).statusCode, 200, 'the largest is good')

  const before = await rows()
  length = room + 1
  t.match((await post('/auth/register', { username: 'eve', password })).json(), tooLarge)
  t.match((await post('/auth/login', { username: 'ada', password })).json(), tooLarge)
  // Its `auth_time` is the 0 of 1970.
  length += 9
  await t.rejects(app.accounts.issueTokens(user.id), { code: tooLarge.code })
  t.strictSame(await rows(), before)
  t.match((await refresh(token)).json(), tooLarge)
  length = 0
  t.equal((await refresh(token)).statusCode, 200, 'the session outlives it')
})

t.test('claims too large for a cookie set none, and nothing is written', async (t) => {
  let length = 0
  const { app, post, sql } = await buildOnFile(t, { transport: 'cookie', claims: () => claimOf(length) })
  const rows = () =>
    Promise.all(['users', 'sessions'].map((table) => sql.all(`select * from accounts_${table} order by id`)))
  const first = await post('/auth/register', { username: 'ada', password })
  const [header, payload, signature] = first.cookies.find(({ name }) => name === '__Host-access')!.value.split('.') as [
    string,
    string,
    string
  ]
  const room = 4096 - '__Host-access'.length - header.length - signature.length - 2

  length = Math.floor(room * 3 / 4) - Buffer.from(payload, 'base64url').length
  const answer = await post('/auth/login', { username: 'ada', password })
  const { name, value } = answer.cookies.find(({ name }) => name === '__Host-access')!
  t.equal(name.length + value.length, 4096, 'the largest that browsers keep')
  t.equal((await app.inject({ url: '/guarded', headers: { cookie: `${name}=${value}` } })).statusCode, 200)

  const before = await rows()
  length += 1
  for (const answer of [
    await post('/auth/login', { username: 'ada', password }),
    await post('/auth/register', { username: 'eve', password }),
  ]) {
    t.match(answer.json(), tooLarge)
    t.equal(answer.headers['set-cookie'], undefined)
  }
  t.strictSame(await rows(), before)
})

t.test('decode() reads what a token says of itself, and checks nothing', async (t) => {
  const { app, signUp } = await build(t)
  const { access_token: token } = await signUp()
  const { header, payload } = decode(token)

  for (const text of [token, mint(header, payload, 'the key of somebody else')]) { t.strictSame(app.accounts.decode(text), { header, claims: payload }) }
  for (const text of [
    '',
    'x',
    'a.b.c',
    `${token}.x`,
    `!${token}`,
    `${token}!`,
    mint('not JSON', payload),
    mint(header, 'not JSON'),
    mint(header, Buffer.from([0xff])),
  ]) {
    t.throws(() => app.accounts.decode(text), { code: 'ACCOUNTS_TOKEN_INVALID' })
  }
})
