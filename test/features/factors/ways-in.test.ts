import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type Test } from 'tap'
import accounts, { type AccountsOptions } from '../../../lib/index.ts'
import { routes as switches } from '../../../lib/options.ts'
import { flushMail, outbox, softPasskey } from '../../../lib/testing.ts'
import { build, cheap, password, secret } from '../../support/build.ts'
import { Fastify } from '../../support/fastify.ts'
import { origin, passkeys, passkeysOf } from '../passkeys/with-passkeys.ts'
import { buildEnrolled, wrongCode } from './enrolled.ts'

const root = join(import.meta.dirname, '..', '..', '..')

const everything: AccountsOptions = {
  secret,
  throttle: false,
  password: cheap,
  factors: true,
  passkeys,
  mail: { links: { login: '/login', register: '/welcome', invite: '/join' } },
  routes: Object.fromEntries(Object.keys(switches.properties).map((name) => [name, true])),
  introspection: { clients: [{ id: 'shop', secret: 'x'.repeat(32) }] },
  closing: { grace: '30d' },
  events: { store: true },
}

const address = 'ada@example.com'
const other = 'an0ther long password'

/** Ada, who has an authenticator app, and an address that is known to be hers. */
async function buildAda (t: Test, options: AccountsOptions = {}) {
  const ada = await buildEnrolled(t, { ...everything, email: { verification: 'none' }, ...options })
  const { app, user } = ada
  await app.accounts.users.update(user.id, { email: address })
  await app.accounts.users.verifyEmail(user.id, address)
  const mails = outbox(app)
  /** The code of the mail that this request asks for. */
  async function codeAfter (url: string, payload: object) {
    const { challenge_id: challenge } = (await ada.post(url, payload)).json()
    await flushMail(app)
    return { challenge_id: challenge, code: mails.code(mails.last()) }
  }
  /** A session that has proved one factor, as one that code begins may have. */
  const weak = async () => (await app.accounts.issueTokens(user.id, { acr: 'aal1', authTime: new Date() })).access_token
  return { ...ada, mails, codeAfter, weak }
}

type Ada = Awaited<ReturnType<typeof buildAda>>

/**
 * Every route that hands out tokens, by its operation: what becomes of somebody who has proved Ada's first factor and
 * not her second.
 */
const ways: Record<string, (t: Test, ada: Ada) => Promise<{ status: number, code?: string }>> = {
  register: async (_, { post }) => answerOf(await post('/auth/register', { username: 'ada', password })),
  completeRegistration: async (t, { tick }) => {
    const { app, post } = await build(t, { ...everything, email: { verification: 'first' } })
    await app.accounts.users.create({ username: 'ada', email: address, password })
    const asked = { username: 'eve', email: address, password }
    const { challenge_id: challenge } = (await post('/auth/register', asked)).json()
    tick(1)
    await flushMail(app)
    t.equal(outbox(app).last().kind, 'register-taken', 'which holds no proof')
    return answerOf(await post('/auth/register/complete', { challenge_id: challenge, code: '0'.repeat(6) }))
  },
  login: async (_, { login }) => answerOf(await login()),
  reauthenticate: async (_, { send, weak }) => answerOf(await send('POST', '/reauthenticate', await weak(), { password })),
  changePassword: async (_, { send, weak }) =>
    answerOf(await send('PUT', '/password', await weak(), { current_password: password, new_password: other })),
  refresh: async (_, { signUp, signIn, enrol, refresh }) => {
    const { access_token: token } = await signUp('bob')
    const { refresh_token: before } = await signIn('bob')
    await enrol(token)
    return answerOf(await refresh(before))
  },
  loginByMail: async (_, { post, codeAfter }) =>
    answerOf(await post('/auth/login/email/complete', await codeAfter('/auth/login/email', { email: address }))),
  acceptInvitation: async (_, { app, mails, post }) => {
    await app.accounts.invitations.create({ email: 'eve@example.com' })
    await flushMail(app)
    const token = mails.token(mails.last('invite'))
    return answerOf(await post('/auth/invitations/accept', { token, username: 'ada', password: other }))
  },
  verifyFactor: async (_, { ticketOf, verify, secret }) =>
    answerOf(await verify(await ticketOf(), { code: wrongCode(secret) })),
  loginByPasskey: async (t, { app, tokens }) => {
    const { add, login } = passkeysOf(app)
    const settings = { origin, verified: true }
    const key = softPasskey(settings)
    t.equal((await add(key, tokens.access_token)).statusCode, 201)
    settings.verified = false
    return answerOf(await login(key))
  },
  addPasskey: async (_, { app, send, tokens, weak }) => {
    const { options } = await passkeysOf(app).ask({ for: 'registration' }, tokens.access_token)
    return answerOf(await send('POST', '/passkeys', await weak(), { credential: softPasskey({ origin }).create(options) }))
  },
  removePasskey: async (_, { send, weak, user }) => answerOf(await send('DELETE', `/passkeys/${user.id}`, await weak())),
  confirmTotp: async (_, { send, weak }) =>
    answerOf(await send('PUT', '/factors/totp', await weak(), { enrolment: 'x', code: '000000' })),
  removeTotp: async (_, { send, weak }) => answerOf(await send('DELETE', '/factors/totp', await weak())),
  removeFactors: async (_, { send, weak }) => answerOf(await send('DELETE', '/factors', await weak())),
}

const expected: Record<string, string> = {
  register: '409 ACCOUNTS_USER_EXISTS',
  completeRegistration: '400 ACCOUNTS_PROOF_INVALID',
  login: '403 ACCOUNTS_FACTOR_REQUIRED',
  reauthenticate: '403 ACCOUNTS_FACTOR_REQUIRED',
  changePassword: '401 ACCOUNTS_TOKEN_WEAK',
  refresh: '401 ACCOUNTS_TOKEN_REVOKED',
  loginByMail: '403 ACCOUNTS_FACTOR_REQUIRED',
  acceptInvitation: '409 ACCOUNTS_USER_EXISTS',
  verifyFactor: '401 ACCOUNTS_FACTOR_INVALID',
  loginByPasskey: '401 ACCOUNTS_PASSKEY_INVALID',
  addPasskey: '401 ACCOUNTS_TOKEN_WEAK',
  removePasskey: '401 ACCOUNTS_TOKEN_WEAK',
  confirmTotp: '401 ACCOUNTS_TOKEN_WEAK',
  removeTotp: '401 ACCOUNTS_TOKEN_WEAK',
  removeFactors: '401 ACCOUNTS_TOKEN_WEAK',
}

function answerOf (answer: { statusCode: number, json: () => { code?: string } }) {
  return { status: answer.statusCode, ...answer.json() }
}

/** The operations whose answer holds tokens. */
async function handingOut (options: AccountsOptions): Promise<string[]> {
  const app = Fastify()
  const found: string[] = []
  app.addHook('onRoute', ({ schema, method }) => {
    if (method === 'HEAD' || !schema?.response) return
    const answers = Object.entries(schema.response as Record<string, { properties?: object }>)
    if (answers.some(([, answer]) => 'refresh_expires_in' in (answer.properties ?? {}))) found.push(schema.operationId!)
  })
  await app.register(accounts, { ...everything, db: ':memory:', ...options })
  await app.close()
  return found
}

test('every route that hands out tokens is one of those that are tried here', async (t) => {
  const found: string[] = []
  for (const verification of ['none', 'first'] as const) found.push(...await handingOut({ email: { verification } }))
  t.strictSame([...new Set(found)].sort(), Object.keys(ways).sort())
})

for (const [operation, attempt] of Object.entries(ways)) {
  test(`no way around the second factor: ${operation}`, async (t) => {
    const { status, code } = await attempt(t, await buildAda(t))
    t.equal(`${status} ${code}`, expected[operation])
  })
}

test('code of the app begins no session either', async (t) => {
  const { app, user, post, ticketOf } = await buildAda(t)
  await t.rejects(app.accounts.issueTokens(user.id), { code: 'ACCOUNTS_FACTOR_REQUIRED', ticket: String })
  await t.rejects(app.accounts.verify(await ticketOf()), { code: 'ACCOUNTS_TOKEN_INVALID' })

  const made = await app.accounts.users.create({ username: 'eve', password })
  await app.accounts.users.setPassword(user.id, other)
  t.match((await post('/auth/login', { username: 'ada', password: other })).json(), { code: 'ACCOUNTS_FACTOR_REQUIRED' })
  t.equal((await post('/auth/login', { username: 'eve', password })).json().user.id, made.id, 'who has none needs none')
})

test('a password that was forgotten leaves the factor, and signs nobody in', async (t) => {
  const { app, get, tokens, codeAfter, post } = await buildAda(t)
  const proof = await codeAfter('/auth/password/forgot', { email: address })
  t.equal((await post('/auth/password/reset', { ...proof, new_password: other })).statusCode, 204)

  t.equal((await get('/guarded', tokens.access_token)).statusCode, 401, 'not the sessions of before either')
  const answer = (await post('/auth/login', { username: 'ada', password: other })).json()
  t.match(answer, { code: 'ACCOUNTS_FACTOR_REQUIRED', factors: ['totp', 'recovery'] })
  t.equal(app.accounts.counters.ticketsGiven, 1)
})

test('cookies of before open nothing once a factor is on', async (t) => {
  const { app, post, enrol, signUp, signIn } = await buildAda(t, { transport: 'both' })
  const headers = { 'sec-fetch-site': 'same-origin' }
  const { access_token: token } = await signUp('bob')
  await signIn('bob')
  const payload = { username: 'bob', password, transport: 'cookie' }
  const { cookies } = await app.inject({ method: 'POST', url: '/auth/login', payload, headers })
  await enrol(token)
  const before = Object.fromEntries(cookies.map(({ name, value }) => [name, value]))
  const asked = await app.inject({ method: 'GET', url: '/guarded', cookies: before })
  t.match(asked.json(), { code: 'ACCOUNTS_TOKEN_REVOKED' })
  t.equal((await post('/auth/refresh')).statusCode, 401)
})

/** Who begins sessions: each by the door that asks for the second factor. Another file here is another way in. */
const callers = [
  'lib/features/email-login/email-login.ts',
  'lib/features/factors/change.ts',
  'lib/features/factors/verify.ts',
  'lib/features/impersonation/borrowing.ts',
  'lib/features/passkeys/login.ts',
  'lib/features/passwords/login.ts',
  'lib/features/providers/arriving.ts',
  'lib/features/register/registering.ts',
  'lib/features/token-services/services.ts',
]

test('nothing but the door of sign-in stores a session', async (t) => {
  const files = globSync('lib/**/*.ts', { cwd: root }).map((path) => [path, readFileSync(join(root, path), 'utf8')] as const)
  const naming = (call: RegExp) => files.filter(([, text]) => call.test(text)).map(([path]) => path).toSorted()
  t.strictSame(naming(/\bsessions\.(begin|store)\b|\bquery\(Session\)\.insert\b/), ['lib/sessions/births.ts', 'lib/sign-in/sign-in.ts'])
  t.strictSame(naming(/\bsignIn\.(begin|signIn)\(/), callers)
})
