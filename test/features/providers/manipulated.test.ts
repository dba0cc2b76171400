import { createHmac, generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import t from 'tap'
import { clock, fakeProvider, type FakeProviderOptions, type MadeIdToken } from '../../../lib/testing.ts'
import { bearer, secret } from '../../support/build.ts'
import { until } from '../../support/waiting.ts'
import { challenge, endOf, verifier, withProvider } from './with-provider.ts'

type Alter = NonNullable<FakeProviderOptions['alter']>

const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
/** The answer with an ID token that was changed before it was signed. */
const claims = (change: Record<string, unknown>, header = {}) =>
  (answer: Record<string, unknown>, made: MadeIdToken) =>
    ({ ...answer, id_token: made.sign({ ...made.header, ...header }, { ...made.claims, ...change }) })
const past = Math.floor(Date.now() / 1000) - 600

const answers: Record<string, Alter> = {
  'an ID token of another issuer': { tokens: claims({ iss: 'https://evil.example' }) },
  'an ID token with another nonce': { tokens: claims({ nonce: 'other' }) },
  'an ID token without a nonce': { tokens: claims({ nonce: undefined }) },
  'an ID token for another app': { tokens: claims({ aud: 'another-app' }) },
  'an ID token for several that another app has asked for': {
    tokens: claims({ aud: ['fake-client', 'other'], azp: 'other' }),
  },
  'an ID token for several that does not say who has asked': { tokens: claims({ aud: ['fake-client', 'other'] }) },
  'an ID token that goes with another access token': { tokens: claims({ at_hash: 'AAAAAAAAAAAAAAAAAAAAAA' }) },
  'an ID token whose hash is no text': { tokens: claims({ at_hash: 1 }) },
  'an ID token that is over': { tokens: claims({ exp: past }) },
  'an ID token that is not good yet': { tokens: claims({ nbf: past + 1200 }) },
  'an ID token without a subject': { tokens: claims({ sub: undefined }) },
  'an ID token whose subject fits no column': { tokens: claims({ sub: 'x'.repeat(256) }), userInfo: () => ({ sub: 'x'.repeat(256) }) },
  'an ID token that nobody has signed': {
    tokens: (answer, { header, claims }) => ({ ...answer, id_token: `${part({ ...header, alg: 'none' })}.${part(claims)}.` }),
  },
  'an ID token that is signed with the public key as a secret': {
    tokens: signedByPublicKey,
  },
  'an ID token by another key': {
    tokens: (answer, { header, claims }) => ({ ...answer, id_token: fakeSigned(header, claims) }),
  },
  'an ID token of an algorithm that the provider has not': { tokens: claims({}, { alg: 'ES384' }) },
  'an ID token of an unknown key': { tokens: claims({}, { kid: 'other' }) },
  'no ID token': { tokens: ({ id_token: _, ...answer }) => answer },
  'user info of another subject': { userInfo: (said) => ({ ...said, sub: 'eve' }) },
  'user info that is none': { response: (url, response) => url.pathname === '/userinfo' ? new Response('no') : response },
  'a redirect of the endpoint of tokens': {
    response: (url, response) => url.pathname === '/token'
      ? new Response(null, { status: 307, headers: { location: 'https://evil.example/token' } })
      : response,
  },
  'an answer without an end': {
    response: (url, response) => url.pathname === '/token' ? new Response('x'.repeat(300_000)) : response,
  },
}

function signedByPublicKey (answer: Record<string, unknown>, { claims, publicKey }: MadeIdToken) {
  const input = `${part({ alg: 'HS256', kid: 'fake' })}.${part(claims)}`
  const pem = publicKey.export({ format: 'pem', type: 'spki' })
  return { ...answer, id_token: `${input}.${createHmac('sha256', pem).update(input).digest('base64url')}` }
}

/** By a key that the provider does not show. */
function fakeSigned (header: object, claims: object): string {
  const { privateKey: key } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const input = `${part(header)}.${part(claims)}`
  return `${input}.${sign('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`
}

t.test('what an answer of the provider is not to be is refused', async (t) => {
  const lines: string[] = []
  const logger = { level: 'warn', stream: { write (line: string) { lines.push(line) } } }
  const fake: FakeProviderOptions = {}
  const { app, browser, exchange, fake: { approve }, sql } = await withProvider(t, { fake }, { logger })
  for (const [name, alter] of Object.entries(answers)) {
    fake.alter = alter
    const before = app.accounts.counters.providersFailed
    t.match((await exchange()).json(), { code: 'ACCOUNTS_PROVIDER_FAILED', statusCode: 502 }, `${name}: refused`)
    const page = browser()
    t.equal(endOf(await page.comeBack(approve(await page.leave()))).error, 'provider_failed', `${name}: of a browser too`)
    t.equal(app.accounts.counters.providersFailed, before + 2, `${name}: counted`)
  }
  t.equal((await sql.get('select count(*) as n from accounts_users'))!.n, 0)
  const told = lines.filter((line) => line.includes('A provider has proved nothing'))
  t.equal(told.length, Object.keys(answers).length * 2)
  t.notOk(lines.some((line) => /eyJ|fake-secret/.test(line)), 'nothing of it is in the log')
  fake.alter = {}
  t.equal((await exchange()).json().code, 'ACCOUNTS_REGISTRATION_INCOMPLETE', 'the provider is not held to be bad')
})

t.test('what metadata say is not taken where they are of another issuer, or would let a secret be shared', async (t) => {
  const other = await withProvider(t, {
    fake: {
      alter: {
        metadata: (usual) => ({ ...usual, issuer: 'https://evil.example' }),
      }
    }
  })
  t.equal((await other.authorize({ code_challenge: challenge })).json().code, 'ACCOUNTS_PROVIDER_FAILED')
  const shared = await withProvider(t, {
    fake: {
      alter: {
        metadata: (usual) => ({ ...usual, id_token_signing_alg_values_supported: ['ES256', 'HS256', 'none'] }),
        tokens: signedByPublicKey,
      }
    }
  })
  t.equal((await shared.exchange()).json().code, 'ACCOUNTS_PROVIDER_FAILED')
})

t.test('a state is taken once', async (t) => {
  const { browser, fake } = await withProvider(t, { fake: { profile: () => ({ username: 'ada' }) } })
  const page = browser()
  const url = fake.approve(await page.leave())
  t.same(endOf(await page.send({ url })), { page: 'https://app.example.com/' })
  t.equal(endOf(await page.send({ url })).error, 'flow_invalid', 'its cookie is gone')
})

t.test('of two who use one state at once one comes in', async (t) => {
  const { app, browser, fake } = await withProvider(t, { fake: { profile: () => ({ username: 'ada' }) } })
  const page = browser()
  await page.go()
  const [there, cookie] = [await page.leave(), [...page.jar].map((pair) => pair.join('=')).join('; ')]
  const answers = await Promise.all([0, 1].map(() => app.inject({ url: fake.approve(there), headers: { cookie } })))
  t.same(answers.map(endOf).map(({ error }) => error).toSorted(), ['flow_invalid', undefined])
  t.equal(app.accounts.counters.spentTwice, 1)
})

t.test('the answer of somebody else\'s flow signs nobody in (login CSRF)', async (t) => {
  const { browser, fake, sql } = await withProvider(t, { fake: { profile: () => ({ username: 'eve' }) } })
  const url = fake.approve(await browser().leave())
  const victim = browser()
  await victim.leave()
  t.equal(endOf(await victim.comeBack(url)).error, 'flow_invalid')
  t.equal((await victim.get('/guarded')).statusCode, 401)
  t.equal((await sql.get('select count(*) as n from accounts_users'))!.n, 0)
})

t.test('a cookie of another flow with the same first letters is none', async (t) => {
  const { browser, fake } = await withProvider(t)
  const page = browser()
  const url = fake.approve(await page.leave())
  const [name, value] = [...page.jar].find(([name]) => name.startsWith('__Host-flow-'))!
  page.jar.set(name, `${value.slice(0, 8)}${'x'.repeat(14)}`)
  t.equal(endOf(await page.comeBack(url)).error, 'flow_invalid')
})

t.test('a state comes back too late', async (t) => {
  const { browser, fake } = await withProvider(t)
  const page = browser()
  const url = fake.approve(await page.leave())
  // Nothing is stored meanwhile, so that no id is of then.
  const time = clock()
  t.teardown(time.restore)
  time.advance('601s')
  t.equal(endOf(await page.comeBack(url)).error, 'flow_invalid')
})

t.test('a state of one provider is none of another', async (t) => {
  const other = fakeProvider({ id: 'other' })
  const { browser, fake, providers } = await withOther(t, other)
  const page = browser()
  const url = fake.approve(await page.leave())
  const response = await page.comeBack(url.replace('/fake/', '/other/'))
  t.match(response.json(), { statusCode: 400, code: 'ACCOUNTS_FLOW_INVALID' })
  t.equal(providers.length, 2)
})

async function withOther (t: Parameters<typeof withProvider>[0], other: ReturnType<typeof fakeProvider>) {
  const fake = fakeProvider()
  const built = await withProvider(t, { providers: [fake.provider, other.provider] })
  return { ...built, fake, providers: [fake, other] }
}

t.test('the answer of one provider is none of another (mix-up)', async (t) => {
  const { authorize, app, fake } = await withProvider(t)
  const { authorization_url: url } = (await authorize({ code_challenge: challenge })).json()
  const back = new URL(fake.approve(url))
  back.searchParams.set('iss', 'https://evil.example')
  t.equal(endOf(await app.inject({ url: back.href })).error, 'flow_invalid')
  back.searchParams.delete('iss')
  t.equal(endOf(await app.inject({ url: back.href })).error, 'flow_invalid', 'it is promised')
  t.notOk(fake.asked.includes('/token'))
})

t.test('a state that is none is a 400, and the browser stays', async (t) => {
  const { get, fake, browser } = await withProvider(t)
  const state = new URL(await browser().leave()).searchParams.get('state')!
  const changed = `${state.slice(0, -9)}${state.at(-9) === 'A' ? 'B' : 'A'}${state.slice(-8)}`
  for (const text of ['', 'x', randomBytes(99).toString('base64url'), changed, secret, 'x'.repeat(9000)]) {
    const response = await get(`/auth/providers/fake/callback?code=x&state=${text}&iss=https://fake.example`)
    t.equal(response.statusCode, 400)
    t.match(response.json().code, /^ACCOUNTS_(FLOW|INPUT)_INVALID$/)
  }
  t.equal((await get('/auth/providers/fake/callback?code=x')).json().code, 'ACCOUNTS_INPUT_INVALID')
  t.equal((await get(`/auth/providers/fake/callback?state=${state}&state=${state}`)).statusCode, 400)
  t.equal((await get(`/auth/providers/none/callback?code=x&state=${state}`)).json().code, 'ACCOUNTS_NOT_FOUND')
  t.same(fake.asked, ['/.well-known/openid-configuration'])
})

t.test('a code is exchanged by its client alone, in time and once', async (t) => {
  const { authorize, app, fake, post } = await withProvider(t, { fake: { profile: () => ({ username: 'ada' }) } })
  async function codeOf (): Promise<string> {
    const { authorization_url: url } = (await authorize({ code_challenge: challenge })).json()
    return endOf(await app.inject({ url: fake.approve(url) })).code!
  }
  const exchange = (code: string, proof = verifier) => post('/auth/providers/exchange', { code, code_verifier: proof })
  const code = await codeOf()
  t.equal((await exchange(code, 'x'.repeat(43))).json().code, 'ACCOUNTS_FLOW_INVALID')
  t.equal((await exchange(`${code}x`)).json().code, 'ACCOUNTS_FLOW_INVALID')
  t.equal((await exchange(code)).statusCode, 200)
  t.equal((await exchange(code)).json().code, 'ACCOUNTS_PROVIDER_FAILED', 'the provider takes its code once')
  const late = await codeOf()
  const time = clock()
  t.teardown(time.restore)
  time.advance('61s')
  t.equal((await exchange(late)).json().code, 'ACCOUNTS_FLOW_INVALID')
})

t.test('an answer without a code, and a refusal, are told apart', async (t) => {
  const { authorize, app, fake } = await withProvider(t)
  const leave = async () => (await authorize({ code_challenge: challenge })).json().authorization_url
  t.equal(endOf(await app.inject({ url: fake.deny(await leave()) })).error, 'provider_denied')
  const failed = fake.deny(await leave()).replace('access_denied', 'server_error')
  t.equal(endOf(await app.inject({ url: failed })).error, 'provider_failed')
  const empty = fake.deny(await leave()).replace('error=access_denied&', '')
  t.equal(endOf(await app.inject({ url: empty })).error, 'flow_invalid')
})

t.test('a client has to be bound to its flow', async (t) => {
  const { app, authorize, signUp } = await withProvider(t)
  const refused = async (body: object, headers = {}) => t.equal((await authorize(body, headers)).json().code, 'ACCOUNTS_INPUT_INVALID')
  await refused({})
  await refused({ transport: 'cookie', code_challenge: challenge })
  await refused({ code_challenge: 'short' })
  const { access_token: token } = await signUp()
  await refused({ for: 'link' }, bearer(token))
  await refused({ for: 'link', code_challenge: challenge, transport: 'body' }, bearer(token))
  await refused({ for: 'link', code_challenge: challenge, return_to: 'https://evil.example' }, bearer(token))
  t.equal((await authorize({ for: 'link', code_challenge: challenge })).json().code, 'ACCOUNTS_TOKEN_MISSING')
  const foreign = await app.inject({
    method: 'POST', url: '/auth/providers/fake/authorize', payload: { transport: 'cookie' }, headers: { 'sec-fetch-site': 'cross-site' },
  })
  t.equal(foreign.json().code, 'ACCOUNTS_CSRF_FAILED')
  t.equal((await authorize({ code_challenge: challenge }, {}, 'none')).json().code, 'ACCOUNTS_NOT_FOUND')
})

t.test('a provider that is away breaks nothing but itself, and is asked again', async (t) => {
  const { authorize, fake, get, exchange } = await withProvider(t, { fake: { profile: () => ({ username: 'ada' }) } })
  fake.isAway = true
  t.match((await authorize({ code_challenge: challenge })).json(), { statusCode: 502, code: 'ACCOUNTS_PROVIDER_FAILED' })
  t.equal((await get('/auth/providers')).statusCode, 200)
  fake.isAway = false
  t.equal((await exchange()).statusCode, 200)
})

t.test('metadata are asked for by one request at a time, and kept for an hour', async (t) => {
  const { promise: gate, resolve: open } = Promise.withResolvers<void>()
  const response = async (_: URL, answer: Response) => gate.then(() => answer)
  const { authorize, fake } = await withProvider(t, { fake: { alter: { response } } })
  const both = [0, 1].map(() => authorize({ code_challenge: challenge }))
  await until(() => fake.asked.length > 0)
  open()
  t.same((await Promise.all(both)).map(({ statusCode }) => statusCode), [200, 200])
  t.same(fake.asked, ['/.well-known/openid-configuration'])
  const time = clock()
  t.teardown(time.restore)
  time.advance('59m')
  await authorize({ code_challenge: challenge })
  t.equal(fake.asked.length, 1)
  time.advance('1m')
  await authorize({ code_challenge: challenge })
  t.equal(fake.asked.length, 2)
})

t.test('flows that nobody finishes write nothing', async (t) => {
  const { app, authorize, fake, sql } = await withProvider(t)
  const tables = ['users', 'sessions', 'identities', 'spent', 'events', 'one_time', 'throttle']
  const count = async () => Promise.all(tables.map(async (name) => (await sql.get(`select count(*) as n from accounts_${name}`))!.n))
  const before = await count()
  for (let turn = 0; turn < 50; turn++) {
    const body = turn % 2 ? { transport: 'cookie' } : { code_challenge: challenge }
    const { authorization_url: url } = (await authorize(body)).json()
    await app.inject({ url: fake.approve(url) })
  }
  t.same(await count(), before)
})
