import t from 'tap'
import accounts, { type AccountsOptions } from '../../../lib/index.ts'
import { OptionsSchema } from '../../../lib/options.ts'
import { build, cheap, decode, mint, password, secret } from '../../support/build.ts'
import { Fastify } from '../../support/fastify.ts'
import { answers, csrfFailed, expired, invalid, malformed, missing } from './answers.ts'
import { addGuarded, all, browse, cookieOf, newName, now, p256, rsa, startApps, who } from './apps.ts'
import { fromFlask, rowsOf, testTable, type Examples } from './tables.ts'

const {
  usual, cookies, browser, own, custom, pair, ada,
  adaHere, lena, mary, reissue, inGerman, isRefused,
} = await startApps(t)

const cookieSettings: Examples = {
  async JWT_ACCESS_COOKIE_NAME (t) {
    t.ok(cookieOf(lena, 'access_token_cookie')?.httpOnly && cookieOf(mary, '__Host-access')?.httpOnly)
    t.equal(
      (
        await browser.app.inject({
          url: '/guarded',
          headers: { cookie: `access_token_cookie=${cookieOf(lena, 'access_token_cookie')!.value}` },
        })
      ).statusCode,
      200
    )
  },
  async JWT_ACCESS_COOKIE_PATH (t) {
    t.equal(cookieOf(lena, 'access_token_cookie')!.path, '/api')
    const elsewhere = await build(t, { transport: 'cookie', cookies: { access: { path: '/api' } } })
    t.ok(cookieOf(await browse(elsewhere.app, 'ada'), '__Secure-access'))
  },
  JWT_ACCESS_CSRF_COOKIE_NAME: (t) =>
    t.match(cookieOf(lena, 'csrf_access_token'), { value: lena.value, httpOnly: undefined }),
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
    await answers(
      t,
      mary.send('/guarded', { 'x-csrf-token': mary.value, 'sec-fetch-site': 'cross-site' }),
      403,
      csrfFailed
    )
    await answers(t, mary.send('/guarded', { 'x-csrf-token': mary.value, origin: 'https://elsewhere.example' }), 200)
    await answers(t, mary.send('/guarded', { origin: 'https://elsewhere.example' }), 403, csrfFailed)
  },
  async JWT_COOKIE_CSRF_PROTECT (t) {
    await answers(t, lena.send('/guarded', { origin: 'https://shop.example.com', 'sec-fetch-site': 'cross-site' }), 200)
    await answers(t, lena.send('/guarded', { origin: 'https://example.com' }), 403, csrfFailed)
    await answers(t, lena.send('/guarded', { origin: 'https://example.com', 'x-own': lena.value }), 200)
    await answers(
      t,
      lena.send('/auth/login', { origin: 'https://example.com' }, { payload: { username: 'lena', password } }),
      403,
      csrfFailed
    )
    isRefused(t, /csrf must be object/)
  },
  async JWT_COOKIE_DOMAIN (t) {
    t.same(all(lena, 'domain'), ['example.com', 'example.com', 'example.com'])
    t.same(all(mary, 'domain'), [undefined, undefined, undefined])
    const { app } = await build(t, { transport: 'cookie', cookies: { domain: 'example.com' } })
    t.same(all(await browse(app, 'ada'), 'name'), ['__Secure-access', '__Secure-refresh', '__Secure-csrf'])
  },
  JWT_COOKIE_SAMESITE: (t) =>
    t.same([...all(lena, 'sameSite'), ...all(mary, 'sameSite')], ['Strict', 'Strict', 'Strict', 'Lax', 'Lax', 'Lax']),
  JWT_COOKIE_SECURE: (t) =>
    t.same([...all(lena, 'secure'), ...all(mary, 'secure')], [undefined, undefined, undefined, true, true, true]),
  async JWT_CSRF_CHECK_FORM (t) {
    const form = { 'content-type': 'application/x-www-form-urlencoded' }
    const send = (field: string) => lena.send('/guarded', form, { payload: `${field}=${lena.value}` })
    await answers(t, send('csrf_field'), 200)
    await answers(t, send('other'), 403, csrfFailed)
    await answers(t, mary.send('/guarded', {}, { payload: { csrf_token: mary.value } }), 403, csrfFailed)
    await answers(t, lena.send('/auth/refresh', {}, { payload: { csrf_field: lena.value } }), 400, {
      code: 'ACCOUNTS_INPUT_INVALID',
    })
  },
  JWT_CSRF_IN_COOKIES: (t) => t.equal(cookieOf(mary, '__Host-csrf')!.value, mary.value),
  async JWT_CSRF_METHODS (t) {
    await answers(t, lena.send('/guarded', {}, { method: 'PUT' }), 200)
    await answers(t, lena.send('/guarded'), 403, csrfFailed)
    await answers(t, mary.send('/guarded', {}, { method: 'PUT' }), 403, csrfFailed)
  },
  JWT_REFRESH_COOKIE_NAME: (t) =>
    t.ok(cookieOf(lena, 'refresh_token_cookie')?.httpOnly && cookieOf(mary, '__Secure-refresh')?.httpOnly),
  JWT_REFRESH_COOKIE_PATH: (t) =>
    t.same(
      [cookieOf(lena, 'refresh_token_cookie')!.path, cookieOf(mary, '__Secure-refresh')!.path],
      ['/auth/refresh', '/auth']
    ),
  JWT_REFRESH_CSRF_COOKIE_NAME: (t) =>
    t.equal(lena.answer.cookies.filter(({ value }) => value === lena.value).length, 1),
  JWT_REFRESH_CSRF_COOKIE_PATH: (t) => t.equal(cookieOf(lena, 'csrf_access_token')!.path, '/app'),
  async JWT_REFRESH_CSRF_FIELD_NAME (t) {
    const routed = (payload: object) => lena.send('/any', {}, { payload })
    await answers(t, routed({ csrf_field: lena.value }), 200, {
      auth: { location: 'cookie', header: { typ: 'rt+jwt' } },
    })
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
    await answers(t, own.get('/guarded', reissue(adaHere.access_token, {})), 200, {
      auth: { header: { alg: 'HS256' } },
    })
    await answers(t, own.get('/guarded', adaHere.access_token), 200, { auth: { header: { alg: 'ES256' } } })
    const { header, payload } = decode(adaHere.access_token)
    await answers(
      t,
      own.get(
        '/guarded',
        mint({ ...header, alg: 'HS256' }, payload, p256.publicKey.export({ type: 'spki', format: 'pem' }))
      ),
      401,
      invalid
    )
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
    const { get, signUp } = await build(t, {
      secret: { private: p256.privateKey.export({ type: 'pkcs8', format: 'pem' }) },
    })
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
    for (const sub of [1, '', 'ada', undefined]) { await answers(t, usual.get('/guarded', reissue(ada.access_token, { sub })), 401, invalid) }
  },
}

const placeSettings: Examples = {
  async JWT_ERROR_MESSAGE_KEY (t) {
    await answers(t, usual.get('/guarded'), 401, {
      statusCode: 401,
      error: 'Unauthorized',
      message: /token/,
      ...missing,
    })
    const app = Fastify()
    t.teardown(() => app.close())
    app.setErrorHandler((error: Error & { statusCode: number }, _request, reply) =>
      reply.code(error.statusCode).send({ msg: error.message })
    )
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
    await answers(
      t,
      usual.app.inject({ url: '/guarded', headers: { authorization: `Bearer ${ada.access_token}, Basic YTpi` } }),
      400,
      malformed
    )
    await answers(
      t,
      usual.app.inject({ url: '/guarded', headers: { authorization: `Basic YTpi, Bearer ${ada.access_token}` } }),
      401,
      missing
    )
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
    const send = (query: string) =>
      custom.app.inject({ url: `/guarded${query}`, headers: { 'x-access-token': `JWT ${token}` } })
    await answers(t, send(''), 200, { auth: { location: 'header' } })
    await answers(t, send(`?access_token=${token}`), 200, { auth: { location: 'query' } })
    await answers(t, send('?access_token=bad'), 401, invalid)
    await answers(t, mary.send('/guarded', {}, { method: 'GET' }), 200, { auth: { location: 'cookie' } })
  },
}

const settings = { ...cookieSettings, ...tokenSettings, ...placeSettings }

testTable(t, fromFlask, 'Settings', settings, 43)

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
