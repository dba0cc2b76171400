// In a process of its own: it sets the environment.
import { generateKeyPairSync, randomBytes, scryptSync } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import formbody from '@fastify/formbody'
import { Type } from '@sinclair/typebox'
import { hash } from 'argon2'
import type { FastifyInstance, FastifyRequest, InjectOptions } from 'fastify'
import t, { type Test } from 'tap'
import accounts, { legacy, type AccountsOptions, type GuardOptions, type TokenResponse } from '../../lib/index.ts'
import { OptionsSchema } from '../../lib/options.ts'
import { bearer, build, buildOnFile, cheap, client, decode, mint, password, secret } from '../support/build.ts'
import { Fastify } from '../support/fastify.ts'
import { run } from '../support/snippets.ts'

/*
 * The tables of docs/from-*.md, row by row: each has an example below, under the name in its first column, or says with a
 * – that nothing is needed. What a page promises and nobody tries, fails, and so does what is tried and nowhere promised.
 */

const root = join(import.meta.dirname, '..', '..')
const now = () => Math.floor(Date.now() / 1000)
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const p256 = generateKeyPairSync('ec', { namedCurve: 'P-256' })

let newcomers = 0
/** A name that nobody has yet. */
const newName = () => `newcomer-${++newcomers}`

const who = async ({ user, auth }: FastifyRequest) => ({ user, auth })

/** A route for each way to guard one. */
const guards: Record<string, GuardOptions> = {
  optional: { optional: true },
  fresh: { fresh: true },
  body: { locations: ['body'] },
  cookie: { locations: ['cookie'] },
  any: { type: 'any' },
  stateless: { consistency: 'stateless' },
  admin: { roles: ['admin'] },
  checked: { check: ({ username }) => username === 'ada' },
}

function addGuarded (app: FastifyInstance) {
  for (const [name, options] of Object.entries(guards)) app.post(`/${name}`, { preHandler: app.accounts.guard(options) }, who)
  app.put('/guarded', { preHandler: app.authenticate }, who)
  app.get('/by-hand', async (request) => {
    await app.accounts.guard()(request)
    return who(request)
  })
}

const refusedIds = new Set<unknown>()
const revokedIds = new Set<unknown>()
const codes = ['TOKEN_MISSING', 'TOKEN_INVALID', 'TOKEN_EXPIRED', 'TOKEN_STALE', 'TOKEN_REVOKED', 'TOKEN_WRONG_TYPE', 'CLAIMS_REFUSED'].map((name) => `ACCOUNTS_${name}`)

/** Nothing but defaults, and the same that puts everything into cookies. */
const usual = await build(t)
const cookies = await build(t, { transport: 'cookie' })
for (const { app } of [usual, cookies]) {
  addGuarded(app)
  app.post<{ Body: { id: string } }>('/sso', async (request, reply) => app.accounts.issueTokens(request.body.id, { request, reply, authTime: new Date() }))
  app.post('/forget', async (_request, reply) => { app.accounts.clearCookies(reply) })
}

/** All that can be said of cookies, said otherwise. */
const browser = await build(t, {
  transport: 'cookie',
  cookies: {
    access: { name: 'access_token_cookie', path: '/api' },
    refresh: { name: 'refresh_token_cookie', path: '/auth/refresh' },
    csrf: { name: 'csrf_access_token', path: '/app' },
    domain: 'example.com',
    sameSite: 'strict',
    secure: false,
    persistent: false,
  },
  csrf: { header: 'x-own', formField: 'csrf_field', methods: ['POST'], trustedOrigins: ['https://shop.example.com'] },
})
await browser.app.register(formbody)
addGuarded(browser.app)

/** All that can be said of tokens, said otherwise. The second key is the secret that tests sign with. */
const own = await build(t, {
  secret: [{ private: p256.privateKey, kid: 'this-year' }, secret],
  issuer: 'https://id.example.com',
  audience: ['https://api.example.com', 'https://old.example.com'],
  access: { expiresIn: '5m' },
  refresh: { expiresIn: 3600 },
  leeway: '10s',
  claims: ({ username }) => username === 'root' ? { sub: 'somebody else' } : { tenant: `of ${username}` },
  headerFields: { region: 'eu' },
  verifyClaims: ({ jti }) => !refusedIds.has(jti),
  isRevoked: ({ jti }) => revokedIds.has(jti),
})

/** Tokens in other places, errors in other words and in another shape. */
const custom = await buildOnFile(t, {
  header: { name: 'X-Access-Token', scheme: 'JWT' },
  locations: ['query', 'header'],
  messages: Object.fromEntries(codes.map((code) => [code, (request, usual) => `${request.headers['accept-language']}: ${code}, ${usual.length}`])),
  verifyClaims: ({ jti }) => !refusedIds.has(jti),
  user: { fields: { nickname: Type.String() } },
  decoratorName: 'person',
  password: { minLength: 8 },
})
addGuarded(custom.app)
custom.app.get('/person', { preHandler: custom.app.authenticate }, async (request) => request.getDecorator('person'))

/** Another key and another algorithm, refresh tokens that work once, and a service that may ask about tokens. */
const api = { id: 'api', secret: 'n3Vb8XqL5wTz2KcR7mHs9PdF4gJyA6eU' }
const pair = await build(t, {
  secret: { private: rsa.privateKey, public: rsa.publicKey },
  algorithm: 'PS256',
  refresh: { window: 0 },
  introspection: { clients: [api] },
})

const ada = await usual.signUp()
const adaHere = await own.signUp()
const kid = decode(ada.access_token).header.kid

/** A token with other claims, signed with the secret of tests. */
function reissue (token: string, claims: object): string {
  const { header, payload } = decode(token)
  return mint({ ...header, alg: 'HS256', kid }, { ...payload, ...claims })
}

/** Cookies as a browser has them after a login, and the value that goes with them. */
async function browse (app: FastifyInstance, username: string) {
  const answer = await app.inject({ method: 'POST', url: '/auth/register', payload: { username, password } })
  const send = (url: string, headers: Record<string, string> = {}, rest: InjectOptions = {}) => app.inject({
    method: 'POST', url, headers: { cookie: answer.cookies.map(({ name, value }) => `${name}=${value}`).join('; '), ...headers }, ...rest,
  })
  return { answer, send, value: answer.json().csrf_token as string }
}

const lena = await browse(browser.app, 'lena')
const mary = await browse(cookies.app, 'mary')
type Cookie = typeof mary.answer.cookies[number]
const cookieOf = ({ answer }: Pick<typeof mary, 'answer'>, name: string) => answer.cookies.find((cookie) => cookie.name === name)

/** One attribute of every cookie. */
const all = ({ answer }: Pick<typeof mary, 'answer'>, attribute: keyof Cookie) => answer.cookies.map((cookie) => cookie[attribute])

/** What theirs allow and the plugin has something against, which it says all at once: first of each by itself, then of how they go together. */
const problems = (await Promise.all([
  { csrf: false, leeway: '6m', access: { expiresIn: false }, refresh: { expiresIn: false }, algorithm: 'HS384', secret: 'super-secret' },
  { access: { expiresIn: '900' } },
  { header: { scheme: '' }, headerFields: { alg: 'none' }, refresh: { expiresIn: '181d' } },
].map((options) => build(t, options as unknown as AccountsOptions).then(() => 'none', ({ message }) => message)))).join('; ')

const isRefused = (t: Test, about: RegExp) => t.match(problems, about)

async function answers (t: Test, answer: Promise<{ statusCode: number, json: () => unknown }>, statusCode: number, body: object = {}) {
  const response = await answer
  t.equal(response.statusCode, statusCode)
  t.match(response.json(), body)
}

const invalid = { code: 'ACCOUNTS_TOKEN_INVALID' }
const expired = { code: 'ACCOUNTS_TOKEN_EXPIRED' }
const missing = { code: 'ACCOUNTS_TOKEN_MISSING' }
const revoked = { code: 'ACCOUNTS_TOKEN_REVOKED' }
const malformed = { code: 'ACCOUNTS_HEADER_MALFORMED' }
const csrfFailed = { code: 'ACCOUNTS_CSRF_FAILED' }

type Example = (t: Test) => unknown
type Examples = Record<string, Example>

/** An account of `custom` and a way to be refused there, in German. */
async function inGerman (username = newName()) {
  const tokens = (await custom.post('/auth/register', { username, password, nickname: 'N' })).json() as TokenResponse
  const send = (token?: string, url = '/guarded') => custom.app.inject({
    method: 'POST', url, headers: { 'accept-language': 'de', ...token !== undefined && { 'x-access-token': `JWT ${token}` } },
  })
  return { tokens, send }
}

const said = (code: string) => ({ code, message: new RegExp(`^de: ${code}, \\d+$`) })

const cookieSettings: Examples = {
  async JWT_ACCESS_COOKIE_NAME (t) {
    t.ok(cookieOf(lena, 'access_token_cookie')?.httpOnly && cookieOf(mary, '__Host-access')?.httpOnly)
    t.equal((await browser.app.inject({ url: '/guarded', headers: { cookie: `access_token_cookie=${cookieOf(lena, 'access_token_cookie')!.value}` } })).statusCode, 200)
  },
  async JWT_ACCESS_COOKIE_PATH (t) {
    t.equal(cookieOf(lena, 'access_token_cookie')!.path, '/api')
    const elsewhere = await build(t, { transport: 'cookie', cookies: { access: { path: '/api' } } })
    t.ok(cookieOf(await browse(elsewhere.app, 'ada'), '__Secure-access'))
  },
  JWT_ACCESS_CSRF_COOKIE_NAME: (t) => t.match(cookieOf(lena, 'csrf_access_token'), { value: lena.value, httpOnly: undefined }),
  JWT_ACCESS_CSRF_COOKIE_PATH: (t) => t.equal(cookieOf(lena, 'csrf_access_token')!.path, '/app'),
  async JWT_ACCESS_CSRF_FIELD_NAME (t) {
    await answers(t, lena.send('/guarded', {}, { payload: { csrf_field: lena.value } }), 200)
    await answers(t, lena.send('/guarded', {}, { payload: { csrf_token: lena.value } }), 403, csrfFailed)
  },
  async JWT_ACCESS_CSRF_HEADER_NAME (t) {
    await answers(t, lena.send('/guarded', { 'x-own': lena.value }), 200)
    await answers(t, lena.send('/guarded', { 'x-csrf-token': lena.value }), 403, csrfFailed)
    await answers(t, mary.send('/guarded', { 'x-csrf-token': mary.value }), 200)
    await answers(t, mary.send('/guarded', { 'sec-fetch-site': 'same-origin' }), 200)
    await answers(t, mary.send('/guarded', { 'x-csrf-token': mary.value, 'sec-fetch-site': 'cross-site' }), 403, csrfFailed)
    await answers(t, mary.send('/guarded', { 'x-csrf-token': mary.value, origin: 'https://elsewhere.example' }), 200)
    await answers(t, mary.send('/guarded', { origin: 'https://elsewhere.example' }), 403, csrfFailed)
  },
  async JWT_COOKIE_CSRF_PROTECT (t) {
    await answers(t, lena.send('/guarded', { origin: 'https://shop.example.com', 'sec-fetch-site': 'cross-site' }), 200)
    await answers(t, lena.send('/guarded', { origin: 'https://example.com' }), 403, csrfFailed)
    await answers(t, lena.send('/guarded', { origin: 'https://example.com', 'x-own': lena.value }), 200)
    await answers(t, lena.send('/auth/login', { origin: 'https://example.com' }, { payload: { username: 'lena', password } }), 403, csrfFailed)
    isRefused(t, /csrf must be object/)
  },
  async JWT_COOKIE_DOMAIN (t) {
    t.same(all(lena, 'domain'), ['example.com', 'example.com', 'example.com'])
    t.same(all(mary, 'domain'), [undefined, undefined, undefined])
    const { app } = await build(t, { transport: 'cookie', cookies: { domain: 'example.com' } })
    t.same(all(await browse(app, 'ada'), 'name'), ['__Secure-access', '__Secure-refresh', '__Secure-csrf'])
  },
  JWT_COOKIE_SAMESITE: (t) => t.same([...all(lena, 'sameSite'), ...all(mary, 'sameSite')], ['Strict', 'Strict', 'Strict', 'Lax', 'Lax', 'Lax']),
  JWT_COOKIE_SECURE: (t) => t.same([...all(lena, 'secure'), ...all(mary, 'secure')], [undefined, undefined, undefined, true, true, true]),
  async JWT_CSRF_CHECK_FORM (t) {
    const form = { 'content-type': 'application/x-www-form-urlencoded' }
    const send = (field: string) => lena.send('/guarded', form, { payload: `${field}=${lena.value}` })
    await answers(t, send('csrf_field'), 200)
    await answers(t, send('other'), 403, csrfFailed)
    await answers(t, mary.send('/guarded', {}, { payload: { csrf_token: mary.value } }), 403, csrfFailed)
    await answers(t, lena.send('/auth/refresh', {}, { payload: { csrf_field: lena.value } }), 400, { code: 'ACCOUNTS_INPUT_INVALID' })
  },
  JWT_CSRF_IN_COOKIES: (t) => t.equal(cookieOf(mary, '__Host-csrf')!.value, mary.value),
  async JWT_CSRF_METHODS (t) {
    await answers(t, lena.send('/guarded', {}, { method: 'PUT' }), 200)
    await answers(t, lena.send('/guarded'), 403, csrfFailed)
    await answers(t, mary.send('/guarded', {}, { method: 'PUT' }), 403, csrfFailed)
  },
  JWT_REFRESH_COOKIE_NAME: (t) => t.ok(cookieOf(lena, 'refresh_token_cookie')?.httpOnly && cookieOf(mary, '__Secure-refresh')?.httpOnly),
  JWT_REFRESH_COOKIE_PATH: (t) => t.same([cookieOf(lena, 'refresh_token_cookie')!.path, cookieOf(mary, '__Secure-refresh')!.path], ['/auth/refresh', '/auth']),
  JWT_REFRESH_CSRF_COOKIE_NAME: (t) => t.equal(lena.answer.cookies.filter(({ value }) => value === lena.value).length, 1),
  JWT_REFRESH_CSRF_COOKIE_PATH: (t) => t.equal(cookieOf(lena, 'csrf_access_token')!.path, '/app'),
  async JWT_REFRESH_CSRF_FIELD_NAME (t) {
    const routed = (payload: object) => lena.send('/any', {}, { payload })
    await answers(t, routed({ csrf_field: lena.value }), 200, { auth: { location: 'cookie', header: { typ: 'rt+jwt' } } })
    await answers(t, routed({}), 403, csrfFailed)
  },
  async JWT_REFRESH_CSRF_HEADER_NAME (t) {
    await answers(t, lena.send('/auth/refresh'), 403, csrfFailed)
    await answers(t, lena.send('/auth/refresh', { 'x-own': lena.value }), 200, { csrf_token: lena.value })
  },
  async JWT_SESSION_COOKIE (t) {
    t.same(all(lena, 'maxAge'), [undefined, undefined, undefined])
    t.same(all(mary, 'maxAge'), [900, 2592000, 2592000])
    const answer = await cookies.post('/auth/login', { username: 'mary', password, remember: false })
    t.same(all({ answer }, 'maxAge'), [undefined, undefined, undefined])
  },
}

const tokenSettings: Examples = {
  async JWT_ACCESS_TOKEN_EXPIRES (t) {
    t.equal(adaHere.expires_in, 300)
    isRefused(t, /access\.expiresIn .*must be a duration/)
  },
  async JWT_ALGORITHM (t) {
    t.equal(decode((await pair.signUp(newName())).access_token).header.alg, 'PS256')
    t.equal(decode(adaHere.access_token).header.alg, 'ES256')
    isRefused(t, /algorithm must be one of HS256, /)
  },
  async JWT_DECODE_ALGORITHMS (t) {
    await answers(t, own.get('/guarded', reissue(adaHere.access_token, {})), 200, { auth: { header: { alg: 'HS256' } } })
    await answers(t, own.get('/guarded', adaHere.access_token), 200, { auth: { header: { alg: 'ES256' } } })
    const { header, payload } = decode(adaHere.access_token)
    await answers(t, own.get('/guarded', mint({ ...header, alg: 'HS256' }, payload, p256.publicKey.export({ type: 'spki', format: 'pem' }))), 401, invalid)
  },
  async JWT_DECODE_AUDIENCE (t) {
    await answers(t, own.get('/guarded', reissue(adaHere.access_token, { aud: 'https://old.example.com' })), 200)
    for (const aud of ['https://other.example.com', undefined]) {
      await answers(t, own.get('/guarded', reissue(adaHere.access_token, { aud })), 401, invalid)
    }
  },
  async JWT_DECODE_ISSUER (t) {
    for (const iss of ['https://other.example.com', undefined]) {
      await answers(t, own.get('/guarded', reissue(adaHere.access_token, { iss })), 401, invalid)
    }
  },
  async JWT_DECODE_LEEWAY (t) {
    const past = { iat: now() - 60, auth_time: now() - 60 }
    await answers(t, own.get('/guarded', reissue(adaHere.access_token, { ...past, exp: now() - 3 })), 200)
    await answers(t, own.get('/guarded', reissue(adaHere.access_token, { ...past, exp: now() - 20 })), 401, expired)
    await answers(t, usual.get('/guarded', reissue(ada.access_token, { ...past, exp: now() - 3 })), 401, expired)
    isRefused(t, /leeway must be .* to 300/)
  },
  JWT_ENCODE_AUDIENCE: (t) => t.equal(decode(adaHere.access_token).payload.aud, 'https://api.example.com'),
  JWT_ENCODE_ISSUER: (t) => t.equal(decode(adaHere.access_token).payload.iss, 'https://id.example.com'),
  async JWT_ENCODE_NBF (t) {
    t.notOk('nbf' in decode(adaHere.access_token).payload)
    await answers(t, own.get('/guarded', reissue(adaHere.access_token, { nbf: now() + 60 })), 401, invalid)
    await answers(t, own.get('/guarded', reissue(adaHere.access_token, { nbf: now() - 60 })), 200)
  },
  JWT_IDENTITY_CLAIM: (t) => t.equal(decode(ada.access_token).payload.sub, ada.user.id),
  async JWT_PRIVATE_KEY (t) {
    const { get, signUp } = await build(t, { secret: { private: p256.privateKey.export({ type: 'pkcs8', format: 'pem' }) } })
    await answers(t, get('/guarded', (await signUp()).access_token), 200, { auth: { header: { alg: 'ES256' } } })
  },
  async JWT_PUBLIC_KEY (t) {
    const verifier = await build(t, { secret: { public: rsa.publicKey }, algorithm: 'PS256' })
    addGuarded(verifier.app)
    const { access_token: token } = await pair.signUp('bob')
    await answers(t, verifier.post('/stateless', undefined, token), 200, { user: { id: decode(token).payload.sub } })
    await answers(t, verifier.post('/auth/login', { username: 'bob', password }), 404)
    await t.rejects(verifier.app.accounts.issueTokens('bob'), { code: 'ACCOUNTS_ISSUING_OFF' })
    await answers(t, pair.get('/auth/jwks.json'), 200, { keys: [{ kid: decode(token).header.kid, alg: 'PS256' }] })
  },
  async JWT_REFRESH_TOKEN_EXPIRES (t) {
    t.equal(adaHere.refresh_expires_in, 3600)
    isRefused(t, /refresh\.expiresIn .*must be a duration/)
    isRefused(t, /refresh\.expiresIn .*must not be longer than refresh\.maxAge/)
  },
  async JWT_SECRET_KEY (t) {
    const variables = { JWT_SECRET_KEY: secret, JWT_ACCESS_TOKEN_EXPIRES: '120', JWT_REFRESH_TOKEN_EXPIRES: '240' }
    const before = { ...process.env }
    t.teardown(() => { process.env = before })
    Object.assign(process.env, variables)

    const { signUp } = await build(t, { secret: undefined } as unknown as AccountsOptions)
    const { access_token: token, expires_in: life, refresh_expires_in: refreshLife } = await signUp()
    const { header, payload } = decode(token)
    t.same([mint(header, payload), life, refreshLife], [token, 120, 240])
    isRefused(t, /secret .*must be at least 32 bytes/)
  },
  async JWT_VERIFY_SUB (t) {
    for (const sub of [1, '', 'ada', undefined]) await answers(t, usual.get('/guarded', reissue(ada.access_token, { sub })), 401, invalid)
  },
}

const placeSettings: Examples = {
  async JWT_ERROR_MESSAGE_KEY (t) {
    await answers(t, usual.get('/guarded'), 401, { statusCode: 401, error: 'Unauthorized', message: /token/, ...missing })
    const app = Fastify()
    t.teardown(() => app.close())
    app.setErrorHandler((error: Error & { statusCode: number }, _request, reply) => reply.code(error.statusCode).send({ msg: error.message }))
    await app.register(accounts, { db: ':memory:', secret, password: cheap })
    app.get('/guarded', { preHandler: app.authenticate }, who)
    for (const url of ['/guarded', '/auth/me']) {
      const answer = await app.inject(url)
      t.same(Object.keys(answer.json()), ['msg'])
      t.match(answer.headers['www-authenticate'], /^Bearer realm=/)
    }
  },
  async JWT_HEADER_NAME (t) {
    const { tokens: { access_token: token } } = await inGerman()
    const send = (headers: Record<string, string>) => custom.app.inject({ url: '/guarded', headers })
    await answers(t, send({ 'x-access-token': `JWT ${token}` }), 200)
    await answers(t, send({ authorization: `JWT ${token}` }), 401, missing)
    await answers(t, usual.app.inject({ url: '/guarded', headers: { authorization: `Bearer ${ada.access_token}, Basic YTpi` } }), 400, malformed)
    await answers(t, usual.app.inject({ url: '/guarded', headers: { authorization: `Basic YTpi, Bearer ${ada.access_token}` } }), 401, missing)
  },
  async JWT_HEADER_TYPE (t) {
    const { tokens: { access_token: token } } = await inGerman()
    const send = (value: string) => custom.app.inject({ url: '/guarded', headers: { 'x-access-token': value } })
    await answers(t, send(`jwt ${token}`), 200)
    await answers(t, send(`Bearer ${token}`), 401, missing)
    await answers(t, send(`JWT ${token}, JWT ${token}`), 400, malformed)
    isRefused(t, /header\.scheme '' needs a header\.name/)

    const bare = await build(t, { header: { name: 'x-token', scheme: '' } })
    const { access_token: alone } = await bare.signUp()
    await answers(t, bare.app.inject({ url: '/guarded', headers: { 'x-token': alone } }), 200)
  },
  async JWT_JSON_KEY (t) {
    await answers(t, usual.post('/body', { access_token: ada.access_token }), 200, { auth: { location: 'body' } })
    await answers(t, usual.post('/body', { jwt: ada.access_token }), 401, missing)
  },
  async JWT_QUERY_STRING_NAME (t) {
    const { tokens: { access_token: token } } = await inGerman()
    await answers(t, custom.get(`/guarded?access_token=${token}`), 200, { auth: { location: 'query' } })
    await answers(t, custom.get(`/guarded?jwt=${token}`), 401, missing)
  },
  async JWT_REFRESH_JSON_KEY (t) {
    const { refresh_token: token } = await usual.signUp(newName())
    await answers(t, usual.post('/with-refresh', { refresh_token: token }), 200, { auth: { location: 'body' } })
    await answers(t, usual.refresh(token), 200)
  },
  async JWT_TOKEN_LOCATION (t) {
    const { tokens: { access_token: token } } = await inGerman()
    const send = (query: string) => custom.app.inject({ url: `/guarded${query}`, headers: { 'x-access-token': `JWT ${token}` } })
    await answers(t, send(''), 200, { auth: { location: 'header' } })
    await answers(t, send(`?access_token=${token}`), 200, { auth: { location: 'query' } })
    await answers(t, send('?access_token=bad'), 401, invalid)
    await answers(t, mary.send('/guarded', {}, { method: 'GET' }), 200, { auth: { location: 'cookie' } })
  },
}

/** Two kinds of users in one app: a token of one is nothing to the other. */
async function twoKinds (t: Test) {
  const { app, signUp, get } = await build(t)
  await app.register(accounts, { db: ':memory:', secret: { private: p256.privateKey }, name: 'staff', prefix: '/staff', password: cheap })
  const staff = app.getDecorator<typeof app.accounts>('staff')
  app.get('/staff-only', { preHandler: staff.authenticate }, who)
  const { access_token: member } = (await client(app).post('/staff/register', { username: 'ada', password })).json()

  await answers(t, get('/staff-only', member), 200, { auth: { instance: 'staff', header: { alg: 'ES256' } } })
  await answers(t, get('/staff-only', (await signUp()).access_token), 401, invalid)
  await answers(t, get('/guarded', member), 401, invalid)
}
const loaders: Examples = {
  async additional_claims_loader (t) {
    await answers(t, own.get('/guarded', adaHere.access_token), 200, { auth: { claims: { tenant: 'of ada' } } })
    t.notOk('tenant' in decode(adaHere.refresh_token).payload)
    await answers(t, own.post('/auth/register', { username: 'root', password }), 500)
  },
  async additional_headers_loader (t) {
    for (const token of [adaHere.access_token, adaHere.refresh_token]) t.equal(decode(token).header.region, 'eu')
    isRefused(t, /headerFields\.alg is reserved/)
  },
  async decode_key_loader (t) {
    await answers(t, own.get('/guarded', reissue(adaHere.access_token, {})), 200)
    const { header, payload } = decode(adaHere.access_token)
    await answers(t, own.get('/guarded', mint({ ...header, alg: 'HS256', kid: 'last-year' }, payload)), 401, invalid)
  },
  async encode_key_loader (t) {
    t.equal(decode(adaHere.access_token).header.kid, 'this-year')
    await twoKinds(t)
  },
  async expired_token_loader (t) {
    const { tokens, send } = await inGerman()
    const past = { iat: now() - 60, exp: now() - 1, auth_time: now() - 60 }
    await answers(t, send(reissue(tokens.access_token, past)), 401, said('ACCOUNTS_TOKEN_EXPIRED'))
  },
  async invalid_token_loader (t) {
    const { tokens, send } = await inGerman()
    await answers(t, send('garbage'), 401, said('ACCOUNTS_TOKEN_INVALID'))
    await answers(t, send(tokens.refresh_token), 401, said('ACCOUNTS_TOKEN_WRONG_TYPE'))
  },
  async needs_fresh_token_loader (t) {
    const { tokens: { user }, send } = await inGerman()
    const { access_token: token } = await custom.app.accounts.issueTokens(user)
    const answer = await send(token, '/fresh')
    t.match(answer.json(), said('ACCOUNTS_TOKEN_STALE'))
    t.match(answer.headers['www-authenticate'], /error="insufficient_user_authentication".*max_age="600"/)
  },
  async revoked_token_loader (t) {
    const { tokens, send } = await inGerman()
    await custom.post('/auth/logout', { refresh_token: tokens.refresh_token })
    await answers(t, send(tokens.access_token), 401, said('ACCOUNTS_TOKEN_REVOKED'))
  },
  async token_in_blocklist_loader (t) {
    const tokens = await own.signUp('blocklist')
    revokedIds.add(decode(tokens.access_token).payload.jti)
    await answers(t, own.get('/guarded', tokens.access_token), 401, revoked)

    const next = await own.signIn('blocklist')
    await own.app.accounts.revoke(next.access_token)
    await answers(t, own.get('/guarded', next.access_token), 401, revoked)
  },
  async token_verification_failed_loader (t) {
    const { tokens, send } = await inGerman()
    refusedIds.add(decode(tokens.access_token).payload.jti)
    await answers(t, send(tokens.access_token), 401, said('ACCOUNTS_CLAIMS_REFUSED'))
  },
  async token_verification_loader (t) {
    const { access_token: token } = await own.signUp(newName())
    await answers(t, own.get('/guarded', token), 200)
    refusedIds.add(decode(token).payload.jti)
    await answers(t, own.get('/guarded', token), 401, { code: 'ACCOUNTS_CLAIMS_REFUSED' })
  },
  async unauthorized_loader (t) {
    const { send } = await inGerman()
    await answers(t, send(), 401, said('ACCOUNTS_TOKEN_MISSING'))
    await answers(t, mary.send('/guarded'), 403, csrfFailed)
  },
  user_identity_loader: (t) => t.equal(decode(ada.refresh_token).payload.sub, ada.user.id),
  async user_lookup_error_loader (t) {
    const { tokens: { access_token: token, user }, send } = await inGerman()
    await custom.sql.run('update accounts_users set disabled_at = created_at where id = ?', user.id)
    await answers(t, send(token), 401, said('ACCOUNTS_TOKEN_REVOKED'))
  },
  user_lookup_loader: (t) => answers(t, usual.get('/guarded', ada.access_token), 200, { user: ada.user }),
}

async function issuesBoth (t: Test) {
  const tokens = await usual.app.accounts.issueTokens(ada.user)
  await answers(t, usual.get('/guarded', tokens.access_token), 200, { user: ada.user, auth: { fresh: false } })
  await answers(t, usual.refresh(tokens.refresh_token), 200, { user: ada.user })
}

async function setsCookies (t: Test) {
  const answer = await cookies.post('/sso', { id: mary.answer.json().user.id })
  t.same(all({ answer }, 'name'), ['__Host-access', '__Secure-refresh', '__Host-csrf'])
  await answers(t, cookies.app.inject({ method: 'POST', url: '/fresh', headers: { cookie: `__Host-access=${answer.cookies[0]!.value}`, 'x-csrf-token': answer.json().csrf_token } }), 200)
}

async function clearsCookies (t: Test) {
  const { send, answer } = await browse(cookies.app, newName())
  t.same(all({ answer: await send('/forget') }, 'maxAge'), [0, 0, 0])
  t.equal((await send('/guarded', { 'sec-fetch-site': 'same-origin' })).statusCode, 200)
  const logout = await send('/auth/logout', { 'sec-fetch-site': 'same-origin' })
  t.same(all({ answer: logout }, 'maxAge'), [0, 0, 0])
  await answers(t, cookies.get('/guarded', answer.cookies[0]!.value), 401, revoked)
}

const functions: Examples = {
  JWTManager: (t) => t.ok(usual.app.hasDecorator('accounts') && usual.app.hasRoute({ method: 'POST', url: '/auth/login' })),
  async create_access_token (t) {
    await issuesBoth(t)
    const { access_token: token } = await usual.app.accounts.issueTokens(ada.user.id, { authTime: new Date() })
    await answers(t, usual.get('/guarded', token), 200, { auth: { fresh: true } })
  },
  create_refresh_token: issuesBoth,
  current_user: (t) => answers(t, usual.get('/guarded', ada.access_token), 200, { user: { id: ada.user.id, username: 'ada', email: null, roles: [] } }),
  async decode_token (t) {
    const tokens = await usual.signUp(newName())
    t.match(await usual.app.accounts.verify(tokens.access_token), { kind: 'access', claims: decode(tokens.access_token).payload, user: tokens.user })
    await usual.post('/auth/logout', undefined, tokens.access_token)
    await t.rejects(usual.app.accounts.verify(tokens.access_token), revoked)
    t.same(usual.app.accounts.decode(tokens.access_token).claims, decode(tokens.access_token).payload)
  },
  async get_csrf_token (t) {
    t.type(mary.value, 'string')
    await answers(t, mary.send('/guarded', { 'x-csrf-token': mary.value }), 200)
  },
  async get_current_user (t) {
    await answers(t, usual.post('/optional', undefined, ada.access_token), 200, { user: ada.user })
    t.same((await usual.post('/optional')).json().user, null)
  },
  get_jti: async (t) => t.equal((await usual.app.accounts.verify(ada.access_token)).claims.jti, decode(ada.access_token).payload.jti),
  async get_jwt (t) {
    await answers(t, usual.get('/guarded', ada.access_token), 200, { auth: { claims: decode(ada.access_token).payload } })
    t.same((await usual.post('/optional')).json().auth, null)
  },
  get_jwt_header: (t) => answers(t, usual.get('/guarded', ada.access_token), 200, { auth: { header: decode(ada.access_token).header } }),
  get_jwt_identity: (t) => answers(t, usual.get('/guarded', ada.access_token), 200, { user: { id: decode(ada.access_token).payload.sub } }),
  async get_jwt_request_location (t) {
    await answers(t, usual.get('/guarded', ada.access_token), 200, { auth: { location: 'header' } })
    await answers(t, usual.post('/body', { access_token: ada.access_token }), 200, { auth: { location: 'body' } })
  },
  get_unverified_jwt_headers: (t) => t.same(usual.app.accounts.decode(ada.access_token).header, decode(ada.access_token).header),
  async jwt_required (t) {
    await answers(t, usual.post('/guarded'), 401, missing)
    await answers(t, usual.post('/guarded', undefined, ada.access_token), 200)
  },
  set_access_cookies: setsCookies,
  set_refresh_cookies: setsCookies,
  unset_access_cookies: clearsCookies,
  unset_jwt_cookies: clearsCookies,
  unset_refresh_cookies: clearsCookies,
  async verify_jwt_in_request (t) {
    await answers(t, usual.get('/by-hand', ada.access_token), 200, { user: ada.user })
    await answers(t, usual.get('/by-hand'), 401, missing)
  },
}

const switches: Examples = {
  async optional (t) {
    await answers(t, usual.post('/optional'), 200, { user: null })
    await answers(t, usual.post('/optional', undefined, 'garbage'), 401, invalid)
  },
  async fresh (t) {
    const { access_token: token } = await usual.app.accounts.issueTokens(ada.user)
    await answers(t, usual.post('/fresh', undefined, token), 401, { code: 'ACCOUNTS_TOKEN_STALE' })
    const { access_token: next, refresh_token: refresh } = (await usual.post('/auth/reauthenticate', { password }, token)).json()
    await answers(t, usual.post('/fresh', undefined, next), 200)
    t.equal(decode((await usual.refresh(refresh)).json().access_token).payload.auth_time, decode(next).payload.auth_time)
  },
  async refresh (t) {
    await answers(t, usual.post('/with-refresh', undefined, ada.refresh_token), 200)
    await answers(t, usual.post('/with-refresh', undefined, ada.access_token), 401, { code: 'ACCOUNTS_TOKEN_WRONG_TYPE' })
  },
  async locations (t) {
    await answers(t, usual.post('/body', undefined, ada.access_token), 401, missing)
    await answers(t, usual.post('/body', { access_token: ada.access_token }), 200)
  },
  async verify_type (t) {
    for (const token of [ada.access_token, ada.refresh_token]) await answers(t, usual.post('/any', undefined, token), 200, { user: ada.user })
  },
  async skip_revocation_check (t) {
    const { access_token: token, user } = await usual.signUp(newName())
    await usual.post('/auth/logout', undefined, token)
    await answers(t, usual.post('/guarded', undefined, token), 401, revoked)
    t.same((await usual.post('/stateless', undefined, token)).json().user, { id: user.id })
    await usual.app.accounts.users.disable(user.id)
    t.same((await usual.post('/stateless', undefined, token)).json().user, { id: user.id })
    const { refresh_token: refresh } = await usual.signUp(newName())
    await answers(t, usual.post('/stateless', undefined, refresh), 401)
  },
}

async function movesRoutes (t: Test) {
  const { app } = await build(t, { prefix: '/api', routes: { login: '/sign-in', register: '/sign-up' } })
  const tokens = await client(app).post('/api/sign-up', { username: 'ada', password, email: 'ada@example.com' })
  t.equal(tokens.statusCode, 201)
  for (const username of ['ada', 'ada@example.com']) await answers(t, client(app).post('/api/sign-in', { username, password }), 200)
}

async function hasMessages (t: Test) {
  const { send } = await inGerman()
  await answers(t, send('garbage'), 401, said('ACCOUNTS_TOKEN_INVALID'))
}

async function rotates (t: Test) {
  const { refresh_token: token } = await usual.signUp(newName())
  const next = (await usual.refresh(token)).json().refresh_token
  t.not(next, token)
  const sibling = (await usual.refresh(token)).json().refresh_token
  t.equal(decode(sibling).payload.gen, decode(next).payload.gen)
  t.not(sibling, next)
}

async function rotatesStrictly (t: Test) {
  const { refresh_token: token } = await pair.signUp(newName())
  await answers(t, pair.refresh(token), 200)
  await answers(t, pair.refresh(token), 401, { code: 'ACCOUNTS_REFRESH_REUSED' })
}

async function tellsOfLogins (t: Test) {
  const told: unknown[] = []
  const { post, signUp } = await build(t, { hooks: { onLogin: ({ username }) => { told.push(username) }, onLoginFailed: (name) => { told.push(`not ${name}`) } } })
  await signUp()
  for (const given of [password, `${password}!`]) await post('/auth/login', { username: 'ada', password: given })
  t.same(told, ['ada', 'not ada'])
}

async function checks (t: Test) {
  const { access_token: eve } = await usual.signUp(newName())
  await answers(t, usual.post('/checked', undefined, ada.access_token), 200)
  await answers(t, usual.post('/checked', undefined, eve), 403, { code: 'ACCOUNTS_FORBIDDEN' })
}

async function hasMinLength (t: Test) {
  const short = { username: newName(), password: 'k7#pQ2vX' }
  await answers(t, custom.post('/auth/register', { ...short, nickname: 'N' }), 201)
  await answers(t, usual.post('/auth/register', short), 400, { code: 'ACCOUNTS_PASSWORD_REJECTED', message: /15/ })
}

async function showsFields (t: Test) {
  const { tokens: { access_token: token } } = await inGerman()
  t.equal((await custom.app.inject({ url: '/auth/me', headers: { 'x-access-token': `JWT ${token}` } })).json().nickname, 'N')
}

/** What a guard says to these headers. */
const refuses = (headers: Record<string, string>, statusCode: number, body: object): Example =>
  (t) => answers(t, usual.app.inject({ url: '/guarded', headers }), statusCode, body)

/** An example, or the row that has it: of the same table, or of Flask-JWT-Extended's. */
type Others = Record<string, Example | string>

const authlib: Others = {
  JWT: 'JWTManager',
  LOGIN_URL: movesRoutes,
  REGISTER_URL: 'LOGIN_URL',
  async TABLENAME (t) {
    const app = Fastify()
    t.teardown(() => app.close())
    await app.register(accounts, { db: custom.db, name: 'staff', secret, password: cheap })
    t.same((await custom.sql.all("select name from sqlite_master where type = 'table' and name like '%\\_users' escape '\\' order by name")).map(({ name }) => name),
      ['accounts_users', 'staff_users'])
  },
  MIN_PASSWORD_LENGTH: hasMinLength,
  TOKEN_LIFETIME: 'JWT_ACCESS_TOKEN_EXPIRES',
  SECRET_KEY: 'JWT_SECRET_KEY',
  alerts: hasMessages,
  user_schema: showsFields,
  UserModel: 'user_schema',
  jwt_required: 'jwt_required',
  required: checks,
  can_activate: 'required',
  AdminOnly: (t) => answers(t, usual.post('/admin', undefined, ada.access_token), 403, { code: 'ACCOUNTS_FORBIDDEN' }),
  user: 'current_user',
}

const simplejwt: Others = {
  ACCESS_TOKEN_LIFETIME: 'JWT_ACCESS_TOKEN_EXPIRES',
  REFRESH_TOKEN_LIFETIME: 'JWT_REFRESH_TOKEN_EXPIRES',
  ROTATE_REFRESH_TOKENS: rotates,
  BLACKLIST_AFTER_ROTATION: rotatesStrictly,
  ALGORITHM: 'JWT_ALGORITHM',
  SIGNING_KEY: 'JWT_PRIVATE_KEY',
  VERIFYING_KEY: 'JWT_PUBLIC_KEY',
  AUDIENCE: 'JWT_DECODE_AUDIENCE',
  ISSUER: 'JWT_DECODE_ISSUER',
  LEEWAY: 'JWT_DECODE_LEEWAY',
  AUTH_HEADER_TYPES: 'JWT_HEADER_TYPE',
  AUTH_HEADER_NAME: 'JWT_HEADER_NAME',
  USER_ID_FIELD: 'JWT_IDENTITY_CLAIM',
  USER_ID_CLAIM: 'JWT_IDENTITY_CLAIM',
  USER_AUTHENTICATION_RULE: checks,
  AUTH_TOKEN_CLASSES: 'verify_type',
  TOKEN_TYPE_CLAIM: (t) => t.same([ada.access_token, ada.refresh_token].map((token) => decode(token).header.typ), ['at+jwt', 'rt+jwt']),
  TOKEN_USER_CLASS: 'skip_revocation_check',
  JTI_CLAIM: (t) => t.type(decode(ada.refresh_token).payload.jti, 'string'),
  TOKEN_OBTAIN_SERIALIZER: 'additional_claims_loader',
  ON_LOGIN_SUCCESS: tellsOfLogins,
  ON_LOGIN_FAILED: 'ON_LOGIN_SUCCESS',
  async CHECK_USER_IS_ACTIVE (t) {
    const { access_token: token, user } = await usual.signUp(newName())
    await answers(t, usual.get('/guarded', token), 200)
    await usual.app.accounts.users.disable(user.id)
    await answers(t, usual.get('/guarded', token), 401, revoked)
  },
  JWTAuthentication: 'jwt_required',
  JWTStatelessUserAuthentication: 'skip_revocation_check',
  TokenObtainPairView: (t) => answers(t, usual.post('/auth/login', { username: 'ada', password }), 200, { access_token: String, refresh_token: String }),
  TokenRefreshView: 'ROTATE_REFRESH_TOKENS',
  async TokenVerifyView (t) {
    const { access_token: token } = await pair.signUp(newName())
    const credentials = { client_id: api.id, client_secret: api.secret }
    await answers(t, pair.post('/auth/introspect', { token, ...credentials }), 200, { active: true })
    t.same((await pair.post('/auth/introspect', { token: 'garbage', ...credentials })).json(), { active: false })
    await answers(t, pair.post('/auth/introspect', { token }), 401, { code: 'ACCOUNTS_CLIENT_INVALID' })
    await answers(t, usual.post('/auth/introspect', { token }), 404)
  },
  async TokenBlacklistView (t) {
    const { access_token: token, refresh_token: refresh } = await usual.signUp(newName())
    t.equal((await usual.post('/auth/logout', { refresh_token: refresh })).statusCode, 204)
    await answers(t, usual.get('/guarded', token), 401, revoked)
  },
  'RefreshToken.for_user': 'create_refresh_token',
}

const fastifyJwt: Others = {
  secret: 'JWT_SECRET_KEY',
  async sign (t) {
    t.equal(adaHere.expires_in, 300)
    t.equal(problems.match(/access\.expiresIn .*?must be a duration/g)!.length, 2, "'900' too")
  },
  verify: 'JWT_DECODE_LEEWAY',
  extractToken: 'JWT_HEADER_NAME',
  decode: 'get_unverified_jwt_headers',
  async decoratorName (t) {
    const { tokens: { access_token: token } } = await inGerman('person')
    await answers(t, custom.get(`/person?access_token=${token}`), 200, { username: 'person' })
  },
  cookie: 'set_access_cookies',
  async onlyCookie (t) {
    await answers(t, mary.send('/cookie', { 'x-csrf-token': mary.value, authorization: 'Bearer garbage' }), 200, { auth: { location: 'cookie' } })
    await answers(t, cookies.post('/cookie', undefined, mary.answer.cookies[0]!.value), 401, missing)
  },
  namespace: 'encode_key_loader',
  trusted: 'token_in_blocklist_loader',
  formatUser: 'current_user',
  messages: hasMessages,
  'fastify.jwt.sign': 'create_access_token',
  'fastify.jwt.verify': 'decode_token',
  'fastify.jwt.decode': 'get_unverified_jwt_headers',
  'reply.jwtSign': 'set_access_cookies',
  'request.jwtVerify': 'jwt_required',
  'request.jwtDecode': 'get_jwt',
  FST_JWT_NO_AUTHORIZATION_IN_HEADER: refuses({}, 401, missing),
  FST_JWT_NO_AUTHORIZATION_IN_COOKIE: (t) => answers(t, cookies.app.inject({ url: '/guarded', headers: { cookie: 'other=1' } }), 401, missing),
  FST_JWT_BAD_REQUEST: refuses({ authorization: 'Bearer' }, 400, malformed),
  FST_JWT_AUTHORIZATION_TOKEN_EXPIRED: refuses(bearer(reissue(ada.access_token, { iat: now() - 60, auth_time: now() - 60, exp: now() - 1 })), 401, expired),
  FST_JWT_AUTHORIZATION_TOKEN_INVALID: refuses(bearer(mint({ alg: 'HS512', typ: 'at+jwt', kid }, [1], secret, 'sha512')), 401, invalid),
  FST_JWT_AUTHORIZATION_TOKEN_UNTRUSTED: 'revoked_token_loader',
  FAST_JWT_MISSING_SIGNATURE: refuses(bearer(`${ada.access_token.split('.').slice(0, 2).join('.')}.`), 401, invalid),
}

/** Somebody with two sessions, and what is left of them. */
async function twoSessions () {
  const username = newName()
  const [first, second] = [await usual.signUp(username), await usual.signIn(username)]
  const end = (url: string, token = second.access_token) => usual.app.inject({ method: 'DELETE', url, headers: bearer(token) })
  const left = async () => (await usual.app.accounts.sessions.list(first.user.id)).map(({ id }) => [first, second].findIndex(({ access_token: token }) => decode(token).payload.sid === id))
  return { username, first, second, end, left }
}

const betterAuth: Others = {
  secret: 'JWT_SECRET_KEY',
  async database (t) {
    const { tokens: { user } } = await inGerman()
    t.match(await custom.sql.get('select username from accounts_users where id = ?', user.id), { username: user.username })
  },
  basePath: movesRoutes,
  trustedOrigins: 'JWT_COOKIE_CSRF_PROTECT',
  'advanced.cookies': 'JWT_ACCESS_COOKIE_NAME',
  async emailAndPassword (t) {
    const { post } = await build(t, { identifiers: ['email'] })
    await answers(t, post('/auth/register', { email: 'ada@example.com', password }), 201, { user: { username: null } })
    await answers(t, post('/auth/login', { email: 'ada@example.com', password }), 200)
    await answers(t, post('/auth/login', { username: 'ada', password }), 400)
  },
  'emailAndPassword.minPasswordLength': hasMinLength,
  'user.additionalFields': showsFields,
  'session.expiresIn': 'JWT_REFRESH_TOKEN_EXPIRES',
  'session.freshAge': 'fresh',
  async rateLimit (t) {
    const { post } = await build(t, { throttle: { accountNetwork: 1 } })
    const statuses = []
    for (let tries = 0; tries < 3; tries++) statuses.push((await post('/auth/login', { username: 'ada', password })).statusCode)
    t.same(statuses, [401, 401, 429])
  },
  async databaseHooks (t) {
    const seen: string[] = []
    const { signUp, app } = await build(t, { hooks: { onRegister: (_, { username }) => { seen.push(username!); throw new Error('no') } } })
    await signUp()
    t.same(seen, ['ada'])
    t.equal(await app.accounts.users.find('ada'), null)
  },
  disabledPaths: async (t) => t.notOk((await build(t, { routes: { register: false } })).app.hasRoute({ method: 'POST', url: '/auth/register' })),
  'auth.api.getSession': 'current_user',
  async 'signUp.email' (t) {
    await answers(t, usual.post('/auth/register', { username: newName(), email: 'lin@example.com', password }), 201, { access_token: String })
  },
  async 'signIn.email' (t) {
    const { app } = cookies
    await app.inject({ method: 'POST', url: '/auth/register', payload: { username: 'eve', email: 'eve@example.com', password } })
    const login = (remember: boolean) => app.inject({ method: 'POST', url: '/auth/login', payload: { username: 'eve@example.com', password, remember } })
    t.same([await login(true), await login(false)].map((answer) => all({ answer }, 'maxAge')[0]), [900, undefined])
  },
  async signOut (t) {
    const { access_token: token } = await usual.signUp(newName())
    t.equal((await usual.post('/auth/logout', undefined, token)).statusCode, 204)
    await answers(t, usual.get('/guarded', token), 401, revoked)
  },
  async listSessions (t) {
    const { second: { access_token: token, refresh_token: refresh } } = await twoSessions()
    const { body } = await usual.get('/auth/sessions', token)
    t.equal(JSON.parse(body).sessions.length, 2)
    t.notOk(body.includes(token) || body.includes(refresh))
  },
  async revokeSession (t) {
    const { first, end, left } = await twoSessions()
    await end(`/auth/sessions/${decode(first.access_token).payload.sid}`)
    t.same(await left(), [1])
  },
  async revokeSessions (t) {
    const { end, left } = await twoSessions()
    await end('/auth/sessions')
    t.same(await left(), [])
  },
  async revokeOtherSessions (t) {
    const { end, left } = await twoSessions()
    await end('/auth/sessions?keep=current')
    t.same(await left(), [1])
  },
  async changePassword (t) {
    const { second, left } = await twoSessions()
    const payload = { current_password: password, new_password: `another ${password}` }
    await answers(t, usual.app.inject({ method: 'PUT', url: '/auth/password', headers: bearer(second.access_token), payload }), 200)
    t.same(await left(), [1])
  },
  async deleteUser (t) {
    const { first: { user }, end } = await twoSessions()
    const { access_token: stale } = await usual.app.accounts.issueTokens(user)
    await answers(t, end('/auth/me', stale), 401, { code: 'ACCOUNTS_TOKEN_STALE' })
    t.equal((await end('/auth/me')).statusCode, 204)
    t.equal(await usual.app.accounts.users.find(user.id), null)
  },
  bearer: 'jwt_required',
  jwt: 'JWT_PUBLIC_KEY',
  username: 'current_user',
  async admin (t) {
    const { app, get, signUp } = await build(t, { routes: { users: true } })
    const { access_token: token, user } = await signUp()
    await answers(t, get('/auth/users', token), 403, { code: 'ACCOUNTS_FORBIDDEN' })
    await app.accounts.users.setRoles(user.id, ['admin'])
    await answers(t, get('/auth/users', token), 200, { users: [{ username: 'ada' }] })
  },
}

const settings = { ...cookieSettings, ...tokenSettings, ...placeSettings }
const flask: Examples = { ...settings, ...loaders, ...functions, ...switches }

interface Row {
  theirs: string
  ours: string
}

/** The rows under a heading of a page. A name in the first column stands alone, as code. */
function rowsOf (page: string, heading: string): Row[] {
  const section = readFileSync(join(root, page), 'utf8').split(/^##+ /m).find((part) => part.startsWith(`${heading}\n`))!
  return [...section.matchAll(/^\| `([^`]+)` \| ([^|]+) \|/gm)].map(([, theirs, ours]) => ({ theirs: theirs!, ours: ours! }))
}

const fromFlask = 'docs/from-flask-jwt-extended.md'
const fromOthers = 'docs/from-others.md'
const argumentsHeading = 'Arguments of jwt_required and verify_jwt_in_request'
const tables: [page: string, heading: string, examples: Others, rows?: number][] = [
  [fromFlask, 'Settings', settings, 43],
  [fromFlask, 'Loaders', loaders, 15],
  [fromFlask, 'Functions', functions, 20],
  [fromFlask, argumentsHeading, switches, 6],
  [fromOthers, 'Flask-Authlib', authlib],
  [fromOthers, 'djangorestframework-simplejwt', simplejwt],
  [fromOthers, '@fastify/jwt', fastifyJwt],
  [fromOthers, 'better-auth', betterAuth],
]

for (const [page, heading, examples, count] of tables) {
  const rows = rowsOf(page, heading)

  t.test(`${page}: every row under ${heading} has an example or needs none`, async (t) => {
    if (count !== undefined) t.equal(rows.length, count)
    t.equal(new Set(rows.map(({ theirs }) => theirs)).size, rows.length, 'no name stands twice')
    t.same(rows.filter(({ ours }) => ours !== '–').map(({ theirs }) => theirs).sort(), Object.keys(examples).sort())
    for (const example of Object.values(examples)) if (typeof example === 'string') t.ok([flask[example], examples[example]].some((found) => typeof found === 'function'), example)
  })

  t.test(`${page}: what stands under ${heading} is so`, async (t) => {
    for (const { theirs, ours } of rows) {
      const example = examples[theirs]
      if (typeof example === 'function') await t.test(`${theirs} is ${ours} here`, async (t) => { await example(t) })
    }
  })
}

t.test('what a table calls an option is one', async (t) => {
  type Schema = { properties?: Record<string, Schema> }
  const pathsOf = ({ properties = {} }: Schema, prefix = ''): string[] =>
    Object.entries(properties).flatMap(([name, inner]) => [`${prefix}${name}`, ...pathsOf(inner, `${prefix}${name}.`)])
  const options = ['secret', ...pathsOf(OptionsSchema as Schema)]
  const fixed = ['sub', 'nbf', 'access_token', 'refresh_token', 'csrf_token', 'app.setErrorHandler']
  for (const { theirs, ours } of rowsOf(fromFlask, 'Settings')) {
    const name = ours.replaceAll('`', '')
    t.ok(ours === '–' || fixed.includes(name) || options.includes(name), `${theirs}: ${name}`)
  }
})

t.test('the app after the move does what it says', async (t) => {
  const { get, post, signUp } = await run(t, fromFlask)
  const { access_token: token, user } = await signUp()
  await answers(t, get('/me', token), 200, user)
  await answers(t, post('/purge', undefined, token), 200, { done: user.id })
  await answers(t, get('/me'), 401, missing)
})

t.test('a token of another library is refused, also with the same secret', async (t) => {
  const old = { sub: ada.user.id, jti: '6f1c', type: 'access', fresh: false, iat: now(), nbf: now(), exp: now() + 900 }
  await answers(t, usual.get('/guarded', mint({ alg: 'HS256', typ: 'JWT' }, old)), 401, invalid)
})

t.test('an old refresh token is changed for a session once, and an access token never', async (t) => {
  const oldSecret = 'h6Rt9WqL2vXb5NzKc8PmJ3sFd7GyA4eU'
  const { module, get, post, signUp } = await run(t, fromOthers, { env: { OLD_SECRET: oldSecret }, names: ['newIds'] })
  const { user } = await signUp()
  module.newIds.set('17', user.id)

  const old = (claims: object, key = oldSecret) => mint({ alg: 'HS256', typ: 'JWT' }, { sub: '17', jti: 'a', type: 'refresh', iat: now(), exp: now() + 60, ...claims }, key)
  const tokens = (await post('/exchange', { token: old({}) })).json() as TokenResponse
  await answers(t, get('/auth/me', tokens.access_token), 200, { id: user.id })
  t.equal(decode(tokens.access_token).payload.auth_time, 0, 'nobody has given a password')

  const others = [old({}), old({ jti: 'b', type: 'access' }), old({ jti: 'c', sub: '18' }), old({ jti: 'd', exp: now() - 1 }), old({ jti: 'e' }, secret), 'garbage']
  for (const token of others) await answers(t, post('/exchange', { token }), 401, invalid)
})

t.test('users of better-auth come along with their passwords', async (t) => {
  const { module, post } = await run(t, fromOthers, { under: 'better-auth', names: ['bringAlong'] })
  const salt = randomBytes(16).toString('hex')
  const key = scryptSync(password.normalize('NFKC'), salt, 64, { N: 16384, r: 16, p: 1, maxmem: 64 * 1024 * 1024 })
  const newIds = await module.bringAlong([{ id: 'kQ3vXb8L', email: 'ada@example.com', password: `${salt}:${key.toString('hex')}` }])
  await answers(t, post('/auth/login', { username: 'ada@example.com', password }), 200, { user: { id: newIds.get('kQ3vXb8L') } })
  await answers(t, post('/auth/login', { username: 'ada@example.com', password: `${password}!` }), 401)
})

t.test('a password hash comes along if it is argon2id, or of a scheme that password.legacy names', async (t) => {
  const { post, signUp, sql } = await buildOnFile(t)
  await signUp()
  const login = () => post('/auth/login', { username: 'ada', password })
  const store = (phc: string) => sql.run('update accounts_users set password_hash = ?', phc)
  const django = `argon2${await hash(password, { memoryCost: 2048, timeCost: 1, parallelism: 2 })}`

  await store(django.slice('argon2'.length))
  t.equal((await login()).statusCode, 200)
  t.match(await sql.get('select password_hash from accounts_users'), { password_hash: /m=1024,t=2,p=1/ }, 'and is made anew at the cost of today')
  for (const foreign of [django, 'pbkdf2_sha256$870000$salt$hash', '$2b$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW', 'scrypt:32768:8:1$salt$hash']) {
    await store(foreign)
    await answers(t, login(), 401, { code: 'ACCOUNTS_CREDENTIALS_INVALID' })
  }

  const moved = await build(t, { password: { legacy: [legacy.bcrypt({ cost: 4 }), legacy.scrypt({ N: 1024 }), legacy.pbkdf2({ iterations: 1000 })] } })
  const theirs = {
    'flask-jwt-extended': 'scrypt:1024:8:1$GYnWDLzezsrDSRsA$50613e0f4bf55cfdf99f1b62116413f8f0ad8b790fa99fe19626de106fb54cba236b1e088af858ea611d4ef24e760c8ef88b1af6a290bbb4184c3637e695e7c3',
    simplejwt: 'pbkdf2_sha256$1000$NaCl2saltsalt9$Q7CR7Y1LMpJqp9u/49SxkahbrfwvDFwbpTDQbJBFKgs=',
    'fastapi-jwt-auth': '$2b$04$ZcWDT1oGmN2/u2yliu8tZuY3MPLRB0XVx2S3vhYpiqsaqRFgO9fIC',
  }
  for (const [username, passwordHash] of Object.entries(theirs)) {
    await moved.app.accounts.users.create({ username, passwordHash })
    await answers(t, moved.post('/auth/login', { username, password: `${password}!` }), 401, { code: 'ACCOUNTS_CREDENTIALS_INVALID' })
    t.match(await moved.signIn(username), { user: { username } })
  }
})
