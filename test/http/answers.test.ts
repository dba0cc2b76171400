// On each database.
import { generateKeyPairSync } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import type { InjectOptions, LightMyRequestResponse } from 'fastify'
import t, { type Test } from 'tap'
import type { AccountsOptions } from '../../lib/index.ts'
import { cookieHeader, setBy } from '../support/browser.ts'
import { bearer, build, decode, mint, password, refreshKey, secret } from '../support/build.ts'
import { documentOf, judgeOf } from '../support/documents.ts'

type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'OPTIONS' | 'TRACE'

const shop = { id: 'shop', secret: 'the secret of a client that asks' }
const { privateKey } = generateKeyPairSync('ed25519')

const options: AccountsOptions = {
  secret: [secret, { private: privateKey }],
  transport: 'both',
  routes: { users: true, revoke: true },
  introspection: { clients: [shop] },
  refresh: { window: 0 },
}

/** An app with all of our routes; it signs with its secret, and publishes another key. */
function everything (t: Test) {
  return build(t, options)
}

const nobody = '01a20000-0000-7000-8000-000000000000'

/** Our routes, with a body that each would understand. */
const routes: [method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE', url: string, body?: Record<string, unknown>][] = [
  ['POST', '/auth/register', { username: 'eve', password }],
  ['POST', '/auth/login', { username: 'ada', password }],
  ['POST', '/auth/refresh', {}],
  ['POST', '/auth/logout', {}],
  ['POST', '/auth/reauthenticate', { password }],
  ['GET', '/auth/me'],
  ['GET', '/auth/jwks.json'],
  ['GET', '/auth/sessions'],
  ['DELETE', '/auth/sessions'],
  ['DELETE', `/auth/sessions/${nobody}`],
  ['PUT', '/auth/password', { current_password: password, new_password: `${password}!` }],
  ['POST', '/auth/revoke', { token: 'x' }],
  ['PATCH', '/auth/me', {}],
  ['DELETE', '/auth/me'],
  ['GET', '/auth/users'],
  ['GET', `/auth/users/${nobody}`],
  ['PATCH', `/auth/users/${nobody}`, { disabled: true, roles: ['clerk'] }],
  ['DELETE', `/auth/users/${nobody}`],
  ['POST', '/auth/introspect', { token: 'x', client_id: shop.id, client_secret: shop.secret }],
]

t.test('the table of routes is whole', async (t) => {
  const { app } = await everything(t)
  const printed = app.printRoutes({ commonPrefix: false, includeHooks: false })
  const ours = new Set(routes.map(([, url]) => url.split('/').slice(0, 3).join('/')))
  t.equal([...printed.matchAll(/\/auth\/[\w.]+/g)].length, ours.size, printed)
})

t.test('each route has its method, and no other does anything', async (t) => {
  const { app, get, refresh, signUp } = await everything(t)
  const { access_token: access, refresh_token: token } = await signUp()
  const methods: Method[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE']

  for (const [method, url, body] of routes) {
    const known = routes
      .filter(([, path]) => path === url)
      .flatMap(([each]) => (each === 'GET' ? ['GET', 'HEAD'] : [each]))
    for (const other of methods.filter((other) => !known.includes(other))) {
      for (const headers of [
        bearer(access),
        bearer(token),
        { ...bearer(access), 'x-http-method-override': method, 'x-method-override': method },
      ]) {
        const { statusCode } = await app.inject({
          method: other as 'GET',
          url: `${url}?_method=${method}`,
          headers,
          ...(body && !['GET', 'HEAD', 'TRACE'].includes(other) && { payload: body }),
        })
        t.ok([404, 405].includes(statusCode), `${other} ${url}: ${statusCode}`)
      }
    }
  }
  t.equal((await get('/auth/me', access)).statusCode, 200, 'the session goes on')
  t.equal((await refresh(token)).statusCode, 200, 'and its refresh token was not spent')
})

/**
 * Each route with everything that may decide its answer: nobody, a good token, a bad one, cookies, a body in the wrong
 * form.
 */
async function everyAnswer (t: Test) {
  const { app, signUp, post } = await everything(t)
  await signUp()
  const cookies = async (username: string) =>
    cookieHeader(setBy(await post('/auth/login', { username, password, transport: 'cookie' })))
  const own = { 'sec-fetch-site': 'same-origin' }
  const json = { 'content-type': 'application/json' }
  const answers: [what: string, url: string, answer: LightMyRequestResponse][] = []

  for (const [index, [method, url, body]] of routes.entries()) {
    // Some of them close the account, or change its password.
    const username = `user-${index}`
    const { access_token: access, refresh_token: token, user } = await signUp(username)
    await app.accounts.users.setRoles(user.id, ['admin'])
    const credentials: Record<string, Record<string, string>> = {
      nobody: {},
      'an access token': bearer(access),
      'a refresh token': bearer(token),
      'a bad token': bearer('x.y.z'),
      'half a header': { authorization: 'Bearer' },
      'another scheme': { authorization: 'Basic eDp5' },
      'cookies of our own page': { ...own, cookie: await cookies(username) },
      'cookies of another page': {
        'sec-fetch-site': 'cross-site',
        origin: 'https://evil.example',
        cookie: await cookies(username),
      },
      'bad cookies': { ...own, cookie: '__Host-access=x; __Secure-refresh=x' },
    }
    const payloads: Record<string, InjectOptions> = method === 'GET'
      ? { nothing: {} }
      : {
          'its body': { payload: { ...body } },
          'a broken body': { payload: '{"', headers: json },
          'an unknown field': { payload: { nonsense: 1 } },
          'a form': { payload: 'a=b&a=c', headers: { 'content-type': 'application/x-www-form-urlencoded' } },
          'too much': { payload: { username: 'x'.repeat(20_000) } },
        }
    for (const [what, { payload, headers: type }] of Object.entries(payloads)) {
      for (const [who, headers] of Object.entries(credentials)) {
        answers.push([
          `${method} ${url}, ${who}, ${what}`,
          url,
          await app.inject({
            method,
            url,
            headers: { ...headers, ...type },
            ...(payload !== undefined && { payload }),
          }),
        ])
      }
    }
  }
  return answers
}

t.test('every route, with everything that may decide its answer', async (t) => {
  const answers = await everyAnswer(t)
  const statuses = new Set(answers.map(([, , { statusCode }]) => statusCode))
  t.strictSame([...statuses].sort(), [200, 201, 204, 400, 401, 403, 404, 409, 413, 415], 'answers of every status')

  await t.test('no cache keeps what hangs on a token or a cookie, refusals included', async (t) => {
    const kept = answers.filter(
      ([, url, { headers }]) =>
        url !== '/auth/jwks.json' && (headers['cache-control'] !== 'no-store' || headers.pragma !== 'no-cache')
    )
    t.strictSame(kept.map(([what]) => what), [])
    const keys = answers
      .filter(([, url]) => url === '/auth/jwks.json')
      .map(
        ([
          ,
          ,
          {
            body,
            headers: { date: _, ...headers },
          },
        ]) => JSON.stringify({ body, headers })
      )
    t.equal(new Set(keys).size, 1, 'the public keys are the same for everybody, so that a cache may have them')
  })

  await t.test('an answer with a body names its type and charset, and one without names none', async (t) => {
    const named = /^application\/(json; charset=utf-8|jwk-set\+json(; charset=utf-8)?)$/
    const wrong = answers.filter(([, , { headers, body }]) =>
      body === '' ? 'content-type' in headers : !named.test(String(headers['content-type']))
    )
    t.strictSame(wrong.map(([what, , { headers }]) => [what, headers['content-type']]), [])
    t.strictSame(
      [...new Set(answers.filter(([, , { body }]) => body === '').map(([, , { statusCode }]) => statusCode))].sort(),
      [200, 204],
      'of a logout and a revocation'
    )
  })

  await t.test(
    'a refusal is four fields, with a fifth for which name is taken, and says nothing of how the server is made',
    async (t) => {
      const within =
        /[/\\](lib|node_modules|work|home)[/\\]|\.[jt]s\b|\bat .+:\d+|select |insert |sqlite|argon2|jwt\b|undefined|\[object|Error:/i
      for (const [what, , { statusCode, body }] of answers.filter(([, , { statusCode }]) => statusCode >= 400)) {
        const { statusCode: told, code, error, message, ...more } = JSON.parse(body)
        const isPlain =
          /^(ACCOUNTS|FST_ERR_CTP)_[A-Z_]+$/.test(code) &&
          !within.test(message) &&
          typeof error === 'string' &&
          told === statusCode
        const members = code === 'ACCOUNTS_USER_EXISTS' ? { field: 'username' } : {}
        if (!isPlain || !isDeepStrictEqual(more, members)) t.fail(`${what}: ${body}`)
      }
    }
  )

  await t.test(
    'each stands in the document with its status, its form, its headers, its code and the words of that',
    async (t) => {
      const document = await documentOf(t, options)
      const judge = judgeOf(document)
      const seen = new Set<string>()
      for (const [what, url, { statusCode, headers, body }] of answers) {
        const method = what.split(' ')[0]!.toLowerCase()
        const { content, headers: told = {} } =
          document.paths[url.replace(nobody, '{id}')]![method]!.responses[statusCode]!
        const { schema, examples = {} } = content?.[String(headers['content-type']).split(';')[0]!] ?? {}
        if (!schema) {
          if (body !== '' || content) t.fail(`${what}: ${body}`)
          continue
        }
        const answer = JSON.parse(body)
        const fault = judge(schema, answer)
        if (fault) t.fail(`${what}: ${fault}`)
        for (const name of ['www-authenticate', 'retry-after', 'set-cookie']) { if (name in headers && !(name in told)) t.fail(`${what}: ${name}`) }
        if (statusCode < 400) continue
        seen.add(answer.code)
        const hasReason = [
          'ACCOUNTS_INPUT_INVALID',
          'ACCOUNTS_PASSWORD_REJECTED',
          'ACCOUNTS_CSRF_FAILED',
          'ACCOUNTS_THROTTLED',
          'ACCOUNTS_BUSY',
        ].includes(answer.code)
        const { message, ...rest } = examples[answer.code]?.value ?? {}
        const isSame = hasReason || message === answer.message
        if (
          !isSame ||
          rest.code !== answer.code ||
          rest.error !== answer.error ||
          rest.statusCode !== answer.statusCode
        ) { t.fail(`${what}: ${body}`) }
      }
      t.ok(seen.size >= 10, [...seen].join())
    }
  )
})

/** A text that nobody would write by chance, in a form that stands anywhere. */
const marker = 'zXmarkerXz'

t.test('no value of a token comes back in an answer, however it is refused', async (t) => {
  const { app, get, post, refresh, signUp } = await everything(t)
  app.get('/admin', { preHandler: app.accounts.guard({ roles: ['admin'] }) }, async () => 'in')
  app.get('/fresh', { preHandler: app.accounts.guard({ fresh: '1s' }) }, async () => 'in')
  const pair = await signUp()
  const kinds = {
    access: [decode(pair.access_token), secret],
    refresh: [decode(pair.refresh_token), refreshKey],
  } as const
  /** The values that a careless message would print, and those that make a library throw. */
  const values: unknown[] = [
    marker,
    `${marker}"\r\n`,
    [marker],
    { [marker]: marker },
    { toString: marker },
    `<script>${marker}</script>`,
  ]

  for (const [{ header, payload }, key] of Object.values(kinds)) {
    const tokens = [
      ...Object.keys(payload)
        .concat('nbf', marker)
        .flatMap((claim) => values.map((value) => mint(header, { ...payload, [claim]: value }, key))),
      ...Object.keys(header)
        .concat('crit', 'jku', marker)
        .flatMap((field) => values.map((value) => mint({ ...header, [field]: value }, payload, key))),
      ...values.map((value) => mint(header, { ...payload, auth_time: 1, iat: 1, exp: 2, [marker]: value }, key)),
      ...values.map((value) => mint(header, JSON.stringify(value), key)),
      marker,
      `${marker}.${marker}.${marker}`,
      mint(marker, marker, key),
    ]
    for (const token of tokens) {
      for (const answer of [
        await get('/guarded', token),
        await get('/admin', token),
        await get('/fresh', token),
        await refresh(token),
        await post('/with-refresh', {}, token),
        await app.inject({ url: '/guarded', headers: { cookie: `__Host-access=${token}` } }),
      ]) {
        // An unknown claim is no fault: such a token may pass, and the host shows what it likes.
        if (answer.statusCode >= 400 && (answer.body + JSON.stringify(answer.headers)).includes(marker)) { t.fail(`${answer.statusCode} ${answer.body}`, { token }) }
      }
    }
  }
  t.match((await get('/guarded', mint(kinds.access[0].header, { ...kinds.access[0].payload, iss: marker }))).json(), {
    statusCode: 401,
    message: 'The token is not valid',
  })
})

t.test('no value of a body, a query or a header comes back in a refusal', async (t) => {
  const { app, signUp } = await everything(t)
  await signUp()
  const headers = {
    authorization: `Bearer ${marker}`,
    cookie: `__Host-access=${marker}; __Secure-refresh=${marker}`,
    origin: `https://${marker}.example`,
    referer: `https://${marker}.example/`,
    'user-agent': marker,
    'x-csrf-token': marker,
    'x-request-id': marker,
    'x-forwarded-host': marker,
    'x-forwarded-for': marker,
  }
  const credentials = [
    `Bearer ${marker} ${marker}`,
    `Bearer  ${marker}`,
    `Bearer ${marker},x`,
    `Bearer ${marker}.x.y`,
    `Basic ${marker}`,
    marker,
  ]
  let refused = 0
  for (const [method, url, body = {}] of routes) {
    const bodies = [
      ...Object.keys(body).map((field) => ({ ...body, [field]: marker })),
      ...Object.keys(body).map((field) => ({ ...body, [field]: [marker] })),
      ...Object.keys(body).map((field) => ({ ...body, [field]: { a: marker } })),
      { refresh_token: marker }, { refresh_token: [marker] }, { more: marker },
    ]
    for (const payload of method === 'GET' ? [undefined] : [...bodies, `"${marker}"`, `{${marker}`]) {
      for (const sent of [{}, headers, ...credentials.map((authorization) => ({ ...headers, authorization }))]) {
        const answer = await app.inject({
          method,
          url: `${url}?x=${marker}&access_token=${marker}`,
          headers: { ...sent, ...(typeof payload === 'string' && { 'content-type': 'application/json' }) },
          ...(payload !== undefined && { payload }),
        })
        if (answer.statusCode < 400) continue
        refused++
        if ((answer.body + JSON.stringify(answer.headers)).includes(marker)) { t.fail(`${method} ${url} ${JSON.stringify(payload)}: ${answer.body}`) }
      }
    }
  }
  t.ok(refused > 100, `${refused} refusals`)
})

t.test('whose session it is says the token alone: ids in bodies, queries and headers are nothing', async (t) => {
  const { app, signUp, get } = await everything(t)
  app.route({
    method: ['GET', 'POST'],
    url: '/whoami',
    preHandler: app.authenticate,
    handler: async ({ user }) => user,
  })
  app.route({
    method: ['GET', 'POST'],
    url: '/maybe',
    preHandler: app.accounts.guard({ optional: true }),
    handler: async ({ user }) => user ?? 'nobody',
  })
  const [ada, bob] = [await signUp('ada'), await signUp('bob')]
  const sid: string = decode(bob.access_token).payload.sid
  const names = [
    'user',
    'user_id',
    'userId',
    'sub',
    'id',
    'sid',
    'session',
    'session_id',
    'sessionId',
    'username',
    'impersonate',
  ]

  for (const value of [bob.user.id, 'bob', sid]) {
    const ids = Object.fromEntries(names.map((name) => [name, value]))
    const headers = {
      ...Object.fromEntries(
        names.flatMap((name) => [
          [name.replaceAll('_', '-'), value],
          [`x-${name.replaceAll('_', '-')}`, value],
        ])
      ),
      cookie: names.map((name) => `${name}=${value}`).join('; '),
    }
    const query = new URLSearchParams(ids).toString()
    for (const method of ['GET', 'POST'] as const) {
      const ask = (url: string, token?: string) =>
        app.inject({
          method,
          url: `${url}?${query}`,
          headers: { ...headers, ...bearer(token) },
          ...(method === 'POST' && { payload: ids }),
        })
      t.match((await ask('/whoami', ada.access_token)).json(), { id: ada.user.id, username: 'ada' })
      t.equal((await ask('/whoami')).statusCode, 401)
      t.equal((await ask('/maybe')).body, 'nobody')
      t.match((await ask('/maybe', ada.access_token)).json(), { username: 'ada' })
    }
    t.match(
      (await app.inject({ url: `/auth/me?${query}`, headers: { ...headers, ...bearer(ada.access_token) } })).json(),
      { username: 'ada' }
    )
    t.equal((await app.inject({ method: 'POST', url: `/auth/logout?${query}`, headers })).statusCode, 401)
    t.equal((await app.inject({ method: 'POST', url: `/auth/logout?${query}`, headers, payload: ids })).statusCode, 400)
  }

  t.equal(
    (
      await app.inject({
        method: 'POST',
        url: `/auth/logout?sid=${sid}&user=${bob.user.id}`,
        headers: bearer(ada.access_token),
      })
    ).statusCode,
    204
  )
  t.match((await get('/auth/me', ada.access_token)).json(), { code: 'ACCOUNTS_TOKEN_REVOKED' })
  t.equal((await get('/auth/me', bob.access_token)).statusCode, 200, 'only the session of the token ended')
})
