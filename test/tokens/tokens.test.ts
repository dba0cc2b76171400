import { once } from 'node:events'
import { connect, createServer, type AddressInfo } from 'node:net'
import { mock } from 'node:test'
import type { LightMyRequestResponse } from 'fastify'
import t, { type Test } from 'tap'
import { bearer, build, decode, mint, refreshKey, secret } from '../build.ts'
import { families, forge, forgeries, otherSpellings, type Forgery, type Kind } from './forgery.ts'

type Client = Awaited<ReturnType<typeof build>>

/** Everywhere a token may be sent to, and the kinds that are welcome there. */
interface Place {
  name: string
  kinds: Kind[]
  send: (client: Client, token: string) => Promise<LightMyRequestResponse>
}

const inBody = (url: string) => ({ post }: Client, token: string) => post(url, { refresh_token: token })
const inHeader = (url: string) => ({ post }: Client, token: string) => post(url, undefined, token)

const places: Place[] = [
  { name: 'GET /auth/me', kinds: ['access'], send: ({ get }, token) => get('/auth/me', token) },
  { name: 'POST /auth/refresh (header)', kinds: ['refresh'], send: inHeader('/auth/refresh') },
  { name: 'POST /auth/refresh (body)', kinds: ['refresh'], send: inBody('/auth/refresh') },
  { name: 'POST /auth/logout (header)', kinds: ['access', 'refresh'], send: inHeader('/auth/logout') },
  { name: 'POST /auth/logout (body)', kinds: ['refresh'], send: inBody('/auth/logout') },
  { name: 'POST /with-refresh', kinds: ['refresh'], send: inBody('/with-refresh') },
]

/** How a token that is no good may be refused: everything else is a fault. */
const refusals: Record<string, [status: number, challenge: string]> = {
  ACCOUNTS_HEADER_MALFORMED: [400, 'invalid_request'],
  ACCOUNTS_TOKEN_INVALID: [401, 'invalid_token'],
  ACCOUNTS_TOKEN_WRONG_TYPE: [401, 'invalid_token'],
}

function isRefusal (answer: LightMyRequestResponse, { name, token }: Forgery, { kinds }: Place): boolean {
  const { code } = answer.statusCode < 400 ? { code: 'none' } : answer.json()
  const [status, error] = refusals[code] ?? []
  const challenge = String(answer.headers['www-authenticate'])
  const isReflected = token.length > 20 && (answer.payload + challenge).includes(token)
  const isMisjudged = code === 'ACCOUNTS_TOKEN_WRONG_TYPE' && kinds.some((kind) => name.endsWith(`(${kind})`))

  return answer.statusCode === status && challenge.startsWith(`Bearer realm="accounts", error="${error}"`) &&
    !isReflected && !isMisjudged
}

async function faultsOf (client: Client, place: Place, forged: Forgery[]): Promise<string[]> {
  const faults: string[] = []
  for (const forgery of forged) {
    const answer = await place.send(client, forgery.token)
    if (!isRefusal(answer, forgery, place)) faults.push(`${forgery.name} → ${answer.statusCode} ${answer.payload}`)
  }
  return faults
}

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

/** Somebody on this machine who hangs up on every caller, and counts them. */
async function countCalls (t: Test) {
  let calls = 0
  const listener = createServer((socket) => {
    calls++
    socket.destroy()
  })
  t.teardown(() => listener.close())
  await once(listener.listen(0, '127.0.0.1'), 'listening')
  const { port } = listener.address() as AddressInfo
  return { port, url: `http://127.0.0.1:${port}`, calls: () => calls }
}

for (const place of places) {
  t.test(`${place.name} lets no forged token in, and the real ones stay good`, async (t) => {
    const client = await build(t)
    await client.signUp()

    for (const family of families) {
      const { access_token: access, refresh_token: refresh } = await client.signIn()
      t.strictSame(await faultsOf(client, place, forge(family, access, refresh)), [], family)
      t.equal((await client.get('/auth/me', access)).statusCode, 200, `the access token after ${family}`)
      t.equal((await client.post('/with-refresh', {}, refresh)).statusCode, 200, `the refresh token after ${family}`)
      const { statusCode } = await place.send(client, { access, refresh }[place.kinds[0]!])
      t.match(statusCode, /^20[04]$/, `what belongs there after ${family}`)
    }
  })
}

t.test('the corpus of forgeries is as large as it is meant to be, and holds no real token', async (t) => {
  const { signUp } = await build(t)
  const { access_token: access, refresh_token: refresh } = await signUp()
  const forged = forgeries(access, refresh)

  t.ok(new Set(forged.map(({ token }) => token)).size >= 400)
  const real = [access, refresh, ...otherSpellings(access), ...otherSpellings(refresh)]
  t.equal(new Set(forged.map(({ name }) => name)).size, forged.length, 'every name stands once')
  t.notOk(forged.some(({ token }) => real.includes(token)))
})

t.test('a token of the other kind is called so, wherever it is sent', async (t) => {
  const client = await build(t)
  const { access_token: access, refresh_token: refresh } = await client.signUp()

  for (const { name, kinds, send } of places.filter(({ kinds }) => kinds.length === 1)) {
    const answer = await send(client, kinds.includes('access') ? refresh : access)
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
const past = { auth_time: 1000, iat: 1000, exp: 1900 }

/** What may be wrong with a token that is sent to `GET /auth/me`, and what that is called. */
const codes: Array<[what: string, code: string, make: (tokens: Record<Kind, string>) => string]> = [
  ['a word', 'INVALID', () => 'token'],
  ['a token of another server', 'INVALID', ({ access }) => mint(decode(access).header, decode(access).payload, 'x')],
  ['a token of another issuer', 'INVALID', ({ access }) => reissue(access, { iss: 'evil' })],
  ['a token for another audience', 'INVALID', ({ access }) => reissue(access, { aud: 'evil' })],
  ['a token that never ends', 'INVALID', ({ access }) => reissue(access, { exp: undefined })],
  ['an expired token', 'EXPIRED', ({ access }) => reissue(access, past)],
  ['an expired token of another issuer', 'INVALID', ({ access }) => reissue(access, { ...past, iss: 'evil' })],
  ['an expired token cut short', 'INVALID', ({ access }) => reissue(access, past).slice(0, -5)],
  ['a refresh token', 'WRONG_TYPE', ({ refresh }) => refresh],
  ['an expired refresh token', 'WRONG_TYPE', ({ refresh }) => reissue(refresh, past)],
  ['a refresh token cut short', 'INVALID', ({ refresh }) => refresh.slice(0, -5)],
  ['a token of no session', 'REVOKED', ({ access }) => reissue(access, { sid: decode(access).payload.sub })],
  ["a token of somebody else's", 'REVOKED', ({ access }) => reissue(access, { sub: decode(access).payload.sid })],
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

t.test('a token may come from a clock half a minute ahead, and not from one two minutes ahead', async (t) => {
  stopClock(t)
  const { get, post, signUp } = await build(t)
  const { access_token: access, refresh_token: refresh } = await signUp()
  const ahead = (token: string, seconds: number) => reissue(token, { iat: decode(token).payload.iat + seconds })

  t.equal((await get('/auth/me', ahead(access, 30))).statusCode, 200)
  t.equal((await post('/with-refresh', {}, ahead(refresh, 30))).statusCode, 200)
  t.match((await get('/auth/me', ahead(access, 120))).json(), invalid)
  t.match((await post('/with-refresh', {}, ahead(refresh, 120))).json(), invalid)
})

t.test('a session may go on at a machine whose clock is half a minute behind', async (t) => {
  const clock = stopClock(t)
  const { get, refresh, signUp } = await build(t)
  const now = Date.now()

  clock.setTime(now + 30_000)
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

t.test('five hundred refreshes give a thousand ids of at least 128 bits', async (t) => {
  const { refresh, signUp } = await build(t, { refresh: { window: 0 } })
  let tokens = await signUp()
  const ids = new Set<string>()

  for (let count = 0; count < 500; count++) {
    tokens = (await refresh(tokens.refresh_token)).json()
    ids.add(decode(tokens.access_token).payload.jti).add(decode(tokens.refresh_token).payload.jti)
  }
  t.equal(ids.size, 1000)
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

t.test('a token says what the documents say, and nothing personal', async (t) => {
  const { post } = await build(t)
  const person = { username: 'ada', email: 'ada@lovelace.example', password: 'correct horse battery staple' }
  const { access_token: access, refresh_token: refresh } = (await post('/auth/register', person)).json()
  const shared = ['aud', 'exp', 'gen', 'iat', 'iss', 'jti', 'sid', 'sub', 'ver']

  t.strictSame(Object.keys(decode(access).payload).sort(), [...shared, 'auth_time'].sort())
  t.strictSame(Object.keys(decode(refresh).payload).sort(), shared)
  t.strictSame(Object.keys(decode(access).header).sort(), ['alg', 'kid', 'typ'])
  t.strictSame(Object.keys(decode(refresh).header).sort(), ['alg', 'kid', 'typ'])
  t.notMatch(JSON.stringify([decode(access), decode(refresh)]), /ada|lovelace|horse|argon2/)
})

t.test('a token spelled in another way dies with its session', async (t) => {
  const { get, post, refresh, signUp } = await build(t)
  const { access_token: access, refresh_token: refreshToken } = await signUp()
  await post('/auth/logout', { refresh_token: refreshToken })

  const signature = (token: string) => Buffer.from(token.split('.')[2]!, 'base64url').toString('hex')
  t.equal(new Set([access, ...otherSpellings(access)].map(signature)).size, 1, 'four spellings of one signature')
  for (const token of [access, ...otherSpellings(access)]) t.equal((await get('/auth/me', token)).statusCode, 401)
  for (const token of [refreshToken, ...otherSpellings(refreshToken)]) {
    t.strictSame([(await refresh(token)).statusCode, (await post('/with-refresh', {}, token)).statusCode], [401, 401])
  }
})

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

t.test('nobody is called because a token names an address', async (t) => {
  const listener = await countCalls(t)
  const { get, refresh, signUp } = await build(t)
  const { access_token: access, refresh_token: refreshToken } = await signUp()
  const forged = forge('embedded key', access, refreshToken, listener.url)
  const signed = [access, refreshToken].map((token) => reissue(token, {}, { jku: listener.url, x5u: listener.url }))

  for (const token of [...forged.map(({ token }) => token), ...signed]) {
    await Promise.all([get('/auth/me', token), refresh(token)])
  }
  await once(connect(listener.port, '127.0.0.1').resume(), 'close')
  t.equal(listener.calls(), 1, 'the call of this test itself')
})
