// On each database.
import { request as httpRequest } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { LightMyRequestResponse } from 'fastify'
import t, { type Test } from 'tap'
import { errors, type AccountsOptions } from '../../lib/index.ts'
import { softPasskey } from '../../lib/testing.ts'
import { codeOf, wrongCode } from '../features/factors/enrolled.ts'
import { build, decode, mint, password } from '../support/build.ts'

/** A challenge in its parts, by the grammar and no other: RFC 9110 §11.6.1, with RFC 6750 §3 for the characters. */
function parse (challenge: string) {
  const token = "[!#$%&'*+.^_`|~0-9A-Za-z-]+"
  const [start, scheme] = new RegExp(`^(${token}) (?=.)`).exec(challenge) ?? []
  if (!scheme) throw new Error(`No scheme: ${challenge}`)

  const parameter = new RegExp(`(${token})="([\\x20\\x21\\x23-\\x5b\\x5d-\\x7e]*)"(, (?=.)|$)`, 'y')
  const parameters: Record<string, string> = {}
  for (parameter.lastIndex = start!.length; parameter.lastIndex < challenge.length;) {
    const at = parameter.lastIndex
    const [, name, value] = parameter.exec(challenge) ?? []
    if (name === undefined || name in parameters) throw new Error(`At ${at}: ${challenge}`)
    parameters[name] = value!
  }
  return { scheme, parameters }
}

/** RFC 6750 §3.1 and RFC 9470 §3: what each of our errors says is wrong, in which status. */
const challenges: Record<string, [status: number, error?: string]> = {
  ACCOUNTS_TOKEN_MISSING: [401],
  ACCOUNTS_CREDENTIALS_INVALID: [401],
  ACCOUNTS_CLIENT_INVALID: [401],
  ACCOUNTS_HEADER_MALFORMED: [400, 'invalid_request'],
  ACCOUNTS_TOKEN_INVALID: [401, 'invalid_token'],
  ACCOUNTS_TOKEN_EXPIRED: [401, 'invalid_token'],
  ACCOUNTS_TOKEN_WRONG_TYPE: [401, 'invalid_token'],
  ACCOUNTS_TOKEN_REVOKED: [401, 'invalid_token'],
  ACCOUNTS_TOKEN_SUPERSEDED: [401, 'invalid_token'],
  ACCOUNTS_CLAIMS_REFUSED: [401, 'invalid_token'],
  ACCOUNTS_REFRESH_REUSED: [401, 'invalid_token'],
  ACCOUNTS_TOKEN_STALE: [401, 'insufficient_user_authentication'],
  ACCOUNTS_TOKEN_WEAK: [401, 'insufficient_user_authentication'],
  ACCOUNTS_FACTOR_INVALID: [401],
  ACCOUNTS_PASSKEY_INVALID: [401],
  ACCOUNTS_PASSKEY_UNKNOWN: [401],
  ACCOUNTS_FORBIDDEN: [403, 'insufficient_scope'],
}

/** What a challenge says that would be enough (RFC 9470 §3). */
const asked: Record<string, object> = {
  ACCOUNTS_TOKEN_STALE: { max_age: '1' },
  ACCOUNTS_TOKEN_WEAK: { acr_values: 'aal2', max_age: '1' },
}

/** The sentence of each of our errors. */
const sentences = Object.fromEntries(
  Object.values(errors)
    .map((Refusal) => new (Refusal as new () => Error & { code: string })())
    .map(({ code, message }) => [code, message])
)

const shop = { id: 'shop', secret: 'the secret of a client that asks' }
const origin = 'https://app.example.com'
const hostile = 'x"\\, error="none'

/** A request for each error that has a challenge, with hostile texts wherever a text may stand. */
async function provoke (t: Test, options: AccountsOptions): Promise<LightMyRequestResponse[]> {
  const { app, get, post, refresh, signUp, signIn } = await build(t, {
    refresh: { window: 0 },
    introspection: { clients: [shop] },
    verifyClaims: (_, request) => request?.url !== '/guarded?refused',
    factors: true,
    passkeys: { origins: [origin] },
    ...options,
  })
  app.get('/fresh', { preHandler: app.accounts.guard({ fresh: '1s' }) }, async () => 'in')
  app.get('/weak', { preHandler: app.accounts.guard({ acr: 'aal2', fresh: '1s' }) }, async () => 'in')
  app.get('/admin', { preHandler: app.accounts.guard({ roles: [hostile] }) }, async () => 'in')
  const scheme = options.header?.scheme ?? 'Bearer'
  const ask = (url: string, token: string) => app.inject({ url, headers: { authorization: `${scheme} ${token}` } })

  const { access_token: access, refresh_token: spent, user } = await signUp()
  const { header, payload } = decode(access)
  const { access_token: over } = await signIn()
  await app.accounts.revoke(over)
  const { access_token: old } = await app.accounts.issueTokens(user.id)
  const { access_token: superseded } = await signIn()
  await app.inject({
    method: 'POST',
    url: '/auth/reauthenticate',
    payload: { password },
    headers: { authorization: `${scheme} ${superseded}` },
  })
  await refresh(spent)
  const { access_token: bobs } = await signUp('bob')
  const { access_token: carols } = await signUp('carol')
  const sendAsCarol = async (url: string, payload: object) =>
    (await app.inject({ method: 'POST', url, payload, headers: { authorization: `${scheme} ${carols}` } })).json()
  const [known, unknown] = [softPasskey({ origin }), softPasskey({ origin })]
  const { options: creation } = await sendAsCarol('/auth/passkeys/options', { for: 'registration' })
  unknown.create(creation)
  await sendAsCarol('/auth/passkeys', { credential: known.create(creation) })
  const login = (await sendAsCarol('/auth/passkeys/options', { for: 'login' })).options
  const broken = known.get(login)
  broken.response.signature = 'AAAA'
  const enrol = async (method: 'POST' | 'PUT', payload?: object) => (await app.inject({
    method, url: '/auth/factors/totp', headers: { authorization: `${scheme} ${bobs}` }, ...payload && { payload },
  })).json()
  const { enrolment, secret } = await enrol('POST')
  await enrol('PUT', { enrolment, code: codeOf(secret) })
  const { ticket } = (await post('/auth/login', { username: 'bob', password })).json()

  return [
    await get('/guarded'),
    await app.inject({ url: '/guarded', headers: { authorization: `Basic ${hostile}` } }),
    await post('/auth/refresh'),
    await post('/auth/logout'),
    await ask('/guarded', `a ${hostile}`),
    await ask('/auth/me', ''),
    await ask('/guarded', hostile.replaceAll(/[ ,]/g, '')),
    await ask('/guarded', mint({ ...header, kid: hostile }, payload)),
    await ask('/guarded', mint(header, { ...payload, iss: hostile, [hostile]: hostile })),
    await ask('/guarded', mint(header, { ...payload, auth_time: 1, iat: 1, exp: 2, [hostile]: hostile })),
    await ask('/guarded', spent),
    await ask('/guarded', over),
    await ask('/guarded', superseded),
    await ask('/guarded?refused', old),
    await refresh(spent),
    await ask('/fresh', old),
    await ask('/weak', old),
    await post('/auth/factors/verify', { ticket, code: wrongCode(secret) }),
    await post('/auth/factors/verify', { ticket: hostile, code: hostile }),
    await post('/auth/passkeys/login', { credential: unknown.get(login) }),
    await post('/auth/passkeys/login', { credential: broken }),
    await ask('/admin', old),
    await post('/auth/login', { username: hostile, password: hostile }),
    await post('/auth/login', { username: 'ada', password: hostile }),
    await post('/auth/introspect', { token: hostile, client_id: hostile, client_secret: hostile }),
  ]
}

/** What the app may choose: of its words none reaches a challenge but the realm and the scheme. */
const voices: Record<string, AccountsOptions> = {
  'our own words': {},
  'a realm of every character': { realm: "!#$%&'()*+,-./0123456789:;<=>?@ABCXYZ[]^_`abcxyz{|}~ " },
  'messages of its own': {
    messages: Object.fromEntries(
      Object.keys(challenges).map((code) => [code, (request) => `„${request.url}“ "\r\n\\ 字`])
    ),
  },
  'another scheme': { header: { scheme: "JWT!#$%&'*+-.^_`|~" } },
}

t.test('every error with a challenge is in the table', async (t) => {
  const made = Object.values(errors).map(
    (Refusal) => new (Refusal as new () => { code: string; statusCode: number; headers?: Record<string, string> })()
  )
  t.strictSame(
    made
      .filter(({ headers }) => headers?.['www-authenticate'])
      .map(({ code }) => code)
      .sort(),
    Object.keys(challenges).sort()
  )
  t.strictSame(made.filter(({ statusCode, headers }) => statusCode === 401 && !headers), [], 'and every 401 has one')
})

for (const [voice, options] of Object.entries(voices)) {
  t.test(`every challenge is read by a strict parser, and says nothing of the request, in ${voice}`, async (t) => {
    const answers = await provoke(t, options)
    const { realm = 'accounts', header: { scheme: usual = 'Bearer' } = {} } = options

    for (const answer of answers) {
      const { code, statusCode } = answer.json()
      const {
        scheme,
        parameters: { realm: told, error, error_description: description, ...more },
      } = parse(String(answer.headers['www-authenticate']))
      const [status, expected] = challenges[code]!
      t.strictSame([statusCode, error], [status, expected], code)
      t.strictSame([scheme, told], [code === 'ACCOUNTS_CLIENT_INVALID' ? 'Basic' : usual, realm], code)
      t.strictSame(more, asked[code] ?? {}, `${code} says no more`)
      t.equal(description, error && sentences[code], `${code} has its own sentence`)
    }
    t.strictSame(
      [...new Set(answers.map((answer) => answer.json().code))].sort(),
      Object.keys(challenges).sort(),
      'each was provoked'
    )
  })
}

t.test('on the wire a refusal is one challenge in one line, whatever bytes were sent', async (t) => {
  const { app } = await build(t, { messages: { ACCOUNTS_TOKEN_INVALID: 'a\r\nset-cookie: x=y' } })
  await app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.server.address() as AddressInfo
  const ask = (authorization: string[]) => new Promise<string[]>((resolve, reject) => {
    const headers = ['Host', 'localhost', ...authorization.flatMap((value) => ['Authorization', value])]
    httpRequest({ port, host: '127.0.0.1', path: '/guarded', headers }, (answer) => {
      resolve(answer.rawHeaders)
      answer.resume()
    }).on('error', reject).end()
  })

  for (const [first, ...others] of [
    ['Bearer %0d%0aset-cookie:%20x=y'],
    ['Bearer \xff\xfe'],
    ['Bearer \x80'],
    ['Bearer a', 'Bearer b'],
    ['Basic a', 'Bearer b'],
    ['Bearer\tx'],
  ]) {
    const raw = await ask([first!, ...others])
    const found = raw.filter((_, at) => at % 2 === 1 && raw[at - 1]!.toLowerCase() === 'www-authenticate')
    t.equal(found.length, 1, first!)
    t.equal(parse(found[0]!).scheme, 'Bearer')
    t.notOk(raw.some((name) => name.toLowerCase() === 'set-cookie'))
  }
})

t.test('a success and a refusal without a challenge carry none', async (t) => {
  const { get, post, signUp } = await build(t)
  const { access_token: access } = await signUp()
  for (const answer of [
    await get('/guarded', access),
    await post('/auth/login', { username: 'ada', password }),
    await post('/auth/login', {}),
    await get('/auth/nothing', access),
    await post('/auth/register', { username: 'ada', password }),
  ]) {
    t.notOk('www-authenticate' in answer.headers, String(answer.statusCode))
  }
  t.match((await get('/guarded', `${access}x`)).headers['www-authenticate'], /invalid_token/)
})
