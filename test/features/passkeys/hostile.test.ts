import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { setTimeout as wait } from 'node:timers/promises'
import { test, type Test } from 'tap'
import { softPasskey, type SoftCredential } from '../../../lib/testing.ts'
import { buildWithAda, buildWithPasskeys, origin } from './with-passkeys.ts'

/** What is told on a channel from now on. */
function told (t: Test, event: string): Record<string, unknown>[] {
  const messages: Record<string, unknown>[] = []
  const listen = (message: unknown) => messages.push(message as Record<string, unknown>)
  subscribe(`fastify-jwt-accounts:${event}`, listen)
  t.teardown(() => unsubscribe(`fastify-jwt-accounts:${event}`, listen))
  return messages
}

const changed = (credential: SoftCredential, response: object, more: object = {}) =>
  ({ ...credential, ...more, response: { ...credential.response, ...response } })

const base64 = (value: object | string) =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')

test('a counter that does not go on is told, and lets nobody in', async (t) => {
  const suspicious = told(t, 'passkey-suspicious')
  const counting = softPasskey({ origin, counts: true })
  const { ask, send, key, user, app } = await buildWithAda(t, { events: { store: true } }, counting)
  const [first, second] = [key.get((await ask({ for: 'login' })).options), key.get((await ask({ for: 'login' })).options)]
  t.equal((await send('POST', '/passkeys/login', undefined, { credential: second })).statusCode, 200)
  const refused = await send('POST', '/passkeys/login', undefined, { credential: first })

  t.match(refused.json(), { statusCode: 401, code: 'ACCOUNTS_PASSKEY_INVALID' })
  await wait(50)
  t.match(suspicious, [{ userId: user.id }])
  t.equal((await send('POST', '/passkeys/login', undefined, { credential: key.get((await ask({ for: 'login' })).options) })).statusCode,
    200, 'the owner goes on')
  t.match(app.accounts.counters, { passkeysRefused: 1 })
})

test('a replay of the same assertion is no sign of a copy', async (t) => {
  const suspicious = told(t, 'passkey-suspicious')
  const { assertion, send, key, app } = await buildWithAda(t, {}, softPasskey({ origin, counts: true }))
  const credential = await assertion(key, { for: 'login' })
  for (let times = 0; times < 3; times++) await send('POST', '/passkeys/login', undefined, { credential })
  await wait(50)
  t.same(suspicious, [])
  t.match(app.accounts.counters, { passkeysRefused: 2, spentTwice: 2 })
})

test('a passkey that is synced may count as it likes', async (t) => {
  const settings = { origin, synced: true, counts: true }
  const { ask, send, key, token } = await buildWithAda(t, {}, softPasskey(settings))
  const made = [key.get((await ask({ for: 'login' })).options), key.get((await ask({ for: 'login' })).options)]
  for (const credential of made.reverse()) {
    t.equal((await send('POST', '/passkeys/login', undefined, { credential })).statusCode, 200)
  }
  t.match((await send('GET', '/passkeys', token)).json().passkeys, [{ synced: true, backed_up: true, transports: ['internal', 'hybrid'] }])
})

test('whether a passkey may be synced never changes', async (t) => {
  const settings = { origin, synced: false }
  const { key, login } = await buildWithAda(t, {}, softPasskey(settings))
  settings.synced = true
  t.equal((await login(key)).json().code, 'ACCOUNTS_PASSKEY_INVALID')
})

test('a signature for another page, another domain or another frame proves nothing', async (t) => {
  const settings = { origin }
  const { key, ask, send, login } = await buildWithAda(t, {}, softPasskey(settings))
  const refused = async (credential: object, name: string) => {
    t.equal((await send('POST', '/passkeys/login', undefined, { credential })).json().code, 'ACCOUNTS_PASSKEY_INVALID', name)
  }
  for (const other of ['https://evil.example', 'https://example.com', 'http://app.example.com', `${origin}:8443`,
    'https://app.example.com.evil.example']) {
    settings.origin = other
    t.equal((await login(key)).json().code, 'ACCOUNTS_PASSKEY_INVALID', other)
  }
  settings.origin = origin
  const { options } = await ask({ for: 'login' })
  const foreign = softPasskey({ origin: 'https://other.example' })
  const made = foreign.create({
    ...(await ask({ for: 'login' })).options,
    rp: { name: 'x' },
    user: { id: 'AA' },
    pubKeyCredParams: [{ alg: -7 }]
  })
  await refused({ ...foreign.get({ ...options, rpId: 'other.example' }), id: key.get(options).id, rawId: made.id }, 'another key')
  const framed = { type: 'webauthn.get', challenge: options.challenge, origin, crossOrigin: true, topOrigin: 'https://evil.example' }
  await refused(changed(key.get(options), { clientDataJSON: base64(framed) }), 'in a frame')
  await refused(changed(key.get(options), { clientDataJSON: base64({ ...framed, crossOrigin: 1, topOrigin: undefined }) }), 'in a frame of no known site')
})

test('nothing that a client sends as a credential is an error of ours', async (t) => {
  const { key, ask, send, token, byPassword, verify } = await buildWithAda(t)
  const good = key.get((await ask({ for: 'login' })).options)
  const made = softPasskey({ origin }).create((await ask({ for: 'registration' }, token)).options)
  const huge = 'A'.repeat(1364)
  const either = [
    { clientDataJSON: base64('null') }, { clientDataJSON: base64('{') }, { clientDataJSON: base64('[]') },
    { clientDataJSON: base64({ type: {}, challenge: [], origin: 7 }) }, { clientDataJSON: 'A'.repeat(8192) },
  ]
  const asserted = [
    { authenticatorData: 'AA' }, { authenticatorData: huge }, { authenticatorData: 'A'.repeat(8192) },
    { signature: 'AA' }, { signature: huge }, { userHandle: {} }, { userHandle: '\u{0}' }, { userHandle: 7 },
  ]
  const attested = [
    { attestationObject: 'AA' }, { attestationObject: 'oA' }, { attestationObject: '_____' },
    { attestationObject: Buffer.from('bf'.repeat(3000), 'hex').toString('base64url') },
    { attestationObject: Buffer.from('9b7fffffffffffffff', 'hex').toString('base64url') },
    { attestationObject: Buffer.from('a168617574684461746158205f', 'hex').toString('base64url') },
    { attestationObject: 'A'.repeat(12288) }, { attestationObject: 7 },
    { transports: Array(33).fill('usb') }, { transports: 'usb' }, { transports: [{}] },
  ]
  const bodies: unknown[] = [
    {}, { credential: null }, { credential: [] }, { credential: 'x' }, { credential: {} }, { credential: { id: 'x' } },
    ...([[good, asserted], [made, attested]] as const).flatMap(([credential, junk]) => [
      ...[...either, ...junk].map((response) => ({ credential: changed(credential, response) })),
      ...[{ id: huge }, { id: huge, rawId: huge }, { id: `${huge}A` }, { id: '' }, { id: '=' }, { id: 7 }, { rawId: 'other' }, { type: 'x' },
        { type: undefined }, { response: undefined }, { response: [] }]
        .map((more) => ({ credential: { ...credential, ...more } })),
    ]),
  ]
  const { ticket } = (await byPassword()).json()
  for (const body of bodies) {
    const answers = [
      await send('POST', '/passkeys/login', undefined, body as object), await send('POST', '/passkeys', token, body as object),
      await send('POST', '/reauthenticate', token, body as object), await verify(ticket, body as object),
      await send('POST', '/register', undefined, { ...body as object, username: 'eve', enrolment: '01980c1e-6f3b-7d18-8a02-c4f7e1b95d60' }),
    ]
    for (const { statusCode, body: text } of answers) {
      if (![400, 401, 413].includes(statusCode)) t.fail(`${statusCode} for ${JSON.stringify(body).slice(0, 200)}: ${text}`)
    }
  }
  for (const asked of [{}, { for: 'x' }, { for: 7 }, { for: null }, { for: ['login'] }, { for: 'login', more: 1 }, { for: 'toString' },
    { for: 'factor', ticket: 7 }, { for: 'register', username: {} }, []]) {
    t.ok([400, 401].includes((await send('POST', '/passkeys/options', undefined, asked)).statusCode), JSON.stringify(asked))
  }
  t.equal((await send('POST', '/passkeys/login', undefined, { credential: good })).statusCode, 200, 'and what is right is right')
})

test('what an authenticator attests is not looked at: nothing is fetched for whoever sends it', async (t) => {
  const { ask, send, token } = await buildWithAda(t)
  const { encode, decode } = await import('@simplewebauthn/server/helpers').then(({ isoCBOR: { encode }, decodeAttestationObject: decode }) => ({ encode, decode }))
  const credential = softPasskey({ origin }).create((await ask({ for: 'registration' }, token)).options)
  const authData = decode(Uint8Array.from(Buffer.from(credential.response.attestationObject as string, 'base64url'))).get('authData')
  const attested = encode(new Map<string, any>([['fmt', 'packed'], ['attStmt', new Map<string, any>([['alg', -7], ['sig', new Uint8Array(8)],
    ['x5c', [new Uint8Array(64)]]])], ['authData', authData]]))
  const answer = await send('POST', '/passkeys', token, {
    credential: changed(credential, { attestationObject: Buffer.from(attested).toString('base64url') }),
  })
  t.equal(answer.statusCode, 201)
})

test('sentences about a refusal are in no log above debug, and no answer has the challenge', async (t) => {
  for (const level of ['info', 'debug']) {
    const lines: string[] = []
    const logger = { level, stream: { write: (line: string) => lines.push(line) } }
    const { ask, send, key } = await buildWithAda(t, {}, softPasskey({ origin }), { logger })
    const { options } = await ask({ for: 'factor' }).then(() => ask({ for: 'login' }))
    const spoilt = `${options.challenge.slice(0, -2)}${options.challenge.at(-2) === 'A' ? 'B' : 'A'}A`
    const credential = key.get({ ...options, challenge: spoilt })
    const answer = await send('POST', '/passkeys/login', undefined, { credential })
    t.equal(answer.statusCode, 401)
    t.match(answer.headers['www-authenticate'], /^Bearer realm="accounts"$/)
    const isQuoted = lines.some((line) => line.includes(spoilt))
    t.equal(isQuoted, level === 'debug')
  }
})

test('refused passkeys count for the network, and never for a user', async (t) => {
  const { key, assertion, send, byPassword } = await buildWithAda(t, { throttle: { network: 5, account: 2 } })
  const wrong = changed(await assertion(key, { for: 'login' }), { signature: 'AAAA' })
  const statuses = []
  for (let times = 0; times < 12; times++) {
    statuses.push((await send('POST', '/passkeys/login', undefined, { credential: wrong })).statusCode)
  }
  t.same([...new Set(statuses)], [401, 429])
  t.equal((await byPassword()).statusCode, 429, 'of this network')
})

test('what is refused, added and taken away is told', async (t) => {
  const changes: unknown[] = []
  const { key, send, assertion, user, app, body } = await buildWithAda(t, {
    events: { store: true },
    hooks: { onFactorsChanged: (user, changed) => { changes.push([user.username, changed]) } },
  })
  const failed = told(t, 'login-failed')
  const wrong = changed(await assertion(key, { for: 'login' }), { signature: 'AAAA' })
  await send('POST', '/passkeys/login', undefined, { credential: wrong })
  t.match(failed, [{ reason: 'passkey', userId: null }])
  await app.accounts.passkeys.delete(user.id, body.passkey.id)
  t.strictSame(changes, [
    ['ada', { what: 'passkey', change: 'factor-added' }], ['ada', { what: 'passkey', change: 'factor-removed' }],
  ])
})

test('to ask for options leaves every table as it was', async (t) => {
  const { ask, sql, signUp, byPassword, add } = await buildWithPasskeys(t)
  const { access_token: first } = await signUp()
  const { access_token: token } = (await add(softPasskey({ origin }), first)).json()
  const { ticket } = (await byPassword()).json()
  const tables = ['users', 'sessions', 'passkeys', 'spent', 'recovery_codes', 'events', 'one_time']
  const counted = () => Promise.all(tables.map(async (table) =>
    [table, (await sql.get(`select count(*) as n from accounts_${table}`))!.n]))
  const before = await counted()
  for (let times = 0; times < 50; times++) {
    await Promise.all([
      ask({ for: 'login' }), ask({ for: 'factor', ticket }), ask({ for: 'reauthenticate' }, token),
      ask({ for: 'registration' }, token), ask({ for: 'register', username: `user${times}` }), byPassword(),
    ])
  }
  t.same(await counted(), before)
})

test('with tokens in cookies the ticket of the second step is in one too', async (t) => {
  const { app, key, ask } = await buildWithAda(t, { transport: 'both' })
  const site = { 'sec-fetch-site': 'same-origin' }
  const post = (url: string, payload: object, cookie = '') =>
    app.inject({ method: 'POST', url: `/auth${url}`, payload, headers: { ...site, ...cookie && { cookie } } })
  const half = await post('/login', { username: 'ada', password: 'correct horse battery staple', transport: 'cookie' })
  t.equal(half.statusCode, 403)
  const cookie = String(half.headers['set-cookie']).split(';')[0]!
  const { options } = (await post('/passkeys/options', { for: 'factor' }, cookie)).json()
  const whole = await post('/factors/verify', { credential: key.get(options) }, cookie)
  t.equal(whole.statusCode, 200)
  t.ok(whole.json().csrf_token)
  const login = await post('/passkeys/login', {
    credential: key.get((await ask({ for: 'login' })).options), transport: 'cookie', remember: true,
  })
  t.match(login.json(), { csrf_token: String })
  t.match(String(login.headers['set-cookie']), /Max-Age/)
})
