// On each database.
import { test, type Test } from 'tap'
import type { AccountsOptions } from '../../../lib/index.ts'
import { buildOnFile, decode, password } from '../../support/build.ts'

/** An app with second factors, and Ada, who has one by what her row says. */
async function buildWithFactor (t: Test, options: AccountsOptions = {}) {
  const built = await buildOnFile(t, { factors: true, routes: { users: true }, ...options })
  const begun = await built.signUp()
  await built.sql.run("update accounts_users set mfa_at = '2026-01-05 08:00:00'")
  return { ...built, begun, ada: begun.user }
}

const login = { username: 'ada', password }

test('a right password is half of a sign-in where a second factor is on', async (t) => {
  const { post } = await buildWithFactor(t)
  const refused = await post('/auth/login', login)

  t.equal(refused.statusCode, 403)
  const { ticket, ...said } = refused.json()
  t.strictSame(said, {
    statusCode: 403,
    code: 'ACCOUNTS_FACTOR_REQUIRED',
    error: 'Forbidden',
    message: 'A second factor is required',
    expires_in: 300,
    factors: said.factors,
  })
  t.match(decode(ticket).payload, { use: 'login', amr: ['pwd'], transport: 'body' })
  t.match((await post('/auth/login', { ...login, password: 'wrong horse' })).json(), {
    code: 'ACCOUNTS_CREDENTIALS_INVALID', ticket: undefined,
  })
})

test('nothing is stored of half a sign-in', async (t) => {
  const { post, sql } = await buildWithFactor(t, { events: { store: true } })
  const stateOf = async () => [
    await sql.all('select id from accounts_sessions'), await sql.all('select last_login_at from accounts_users'),
    await sql.all('select type from accounts_events'), await sql.all('select * from accounts_spent'),
  ]
  const before = await stateOf()
  await post('/auth/login', login)
  t.strictSame(await stateOf(), before)
})

test('in cookies the ticket travels in a cookie of its own, and not in the body', async (t) => {
  const { app } = await buildWithFactor(t, { transport: 'cookie' })
  const headers = { 'sec-fetch-site': 'same-origin' }
  const refused = await app.inject({ method: 'POST', url: '/auth/login', payload: login, headers })

  t.equal(refused.json().ticket, undefined)
  const [cookie, ...more] = refused.cookies
  t.strictSame(more, [])
  t.match(cookie, { name: '__Secure-ticket', path: '/auth', httpOnly: true, secure: true, maxAge: 300 })
  t.match(decode(cookie!.value).payload, { transport: 'cookie', remember: true })
})

test('code that begins a session is told that a second factor is on, unless it says what it has proved', async (t) => {
  const { app, ada } = await buildWithFactor(t)
  await t.rejects(app.accounts.issueTokens(ada.id), { code: 'ACCOUNTS_FACTOR_REQUIRED', ticket: String })
  const { access_token: token } = await app.accounts.issueTokens(ada.id, { acr: 'aal2', amr: ['pwd', 'otp', 'mfa'] })
  t.match(decode(token).payload, { acr: 'aal2' })
})

test('a password alone makes no session fresher where a second factor is on', async (t) => {
  const { app, post, ada } = await buildWithFactor(t)
  const { access_token: token } = await app.accounts.issueTokens(ada.id, { acr: 'aal2' })
  const refused = await post('/auth/reauthenticate', { password }, token)

  t.equal(refused.statusCode, 403)
  const { sid, gen } = decode(token).payload
  t.match(decode(refused.json().ticket).payload, { use: 'reauthenticate', sid, gen })
})

test('what changes an account asks for both factors of who has two', async (t) => {
  const { app, ada } = await buildWithFactor(t)
  await app.accounts.users.setRoles(ada.id, ['admin'])
  const tokenOf = async (acr: 'aal1' | 'aal2', authTime: Date) =>
    (await app.accounts.issueTokens(ada.id, { acr, authTime })).access_token
  const [now, before] = [new Date(), new Date(Date.now() - 11 * 60_000)]
  const [weak, stale, strong] = [await tokenOf('aal1', now), await tokenOf('aal2', before), await tokenOf('aal2', now)]

  const requests = [
    { method: 'PUT', url: '/auth/password', payload: { current_password: password, new_password: 'a new long one 42' } },
    { method: 'PATCH', url: `/auth/users/${ada.id}`, payload: { roles: ['admin', 'poet'] } },
    { method: 'DELETE', url: '/auth/me' },
  ] as const
  for (const request of requests) {
    const ask = (token: string) => app.inject({ ...request, headers: { authorization: `Bearer ${token}` } })
    t.match((await ask(weak)).json(), { code: 'ACCOUNTS_TOKEN_WEAK' }, request.url)
    t.match((await ask(weak)).headers['www-authenticate'], /acr_values="aal2", max_age="600"/)
    t.match((await ask(stale)).json(), { code: 'ACCOUNTS_TOKEN_STALE' }, request.url)
  }
  const [change] = requests
  const changed = await app.inject({ ...change, headers: { authorization: `Bearer ${strong}` } })
  t.equal(changed.statusCode, 200)
  const { auth_time: authTime, acr } = decode(changed.json().access_token).payload
  t.strictSame([authTime, acr], [decode(strong).payload.auth_time, 'aal2'], 'and a new password makes nothing fresher')
})

test('whoever needs a second factor and has none is asked to set one up', async (t) => {
  const { app, get, post, signUp } = await buildOnFile(t, { factors: { requireFor: () => true } })
  const { access_token: token } = await signUp()

  t.match((await get('/guarded', token)).json(), { code: 'ACCOUNTS_TOKEN_WEAK' }, 'also after a registration')
  const refused = (await post('/auth/login', login)).json()
  t.match(refused, { code: 'ACCOUNTS_FACTOR_ENROLMENT_REQUIRED', may_enrol: Array })
  t.match(decode(refused.ticket).payload, { use: 'enrol', amr: ['pwd'] })
  t.equal(app.accounts.counters.ticketsGiven, 1)
})

test('with second factors off, a row that says otherwise changes nothing', async (t) => {
  const { signIn, get } = await buildWithFactor(t, { factors: false })
  const { access_token: token } = await signIn()
  t.equal((await get('/guarded', token)).statusCode, 200)
  t.equal(decode(token).payload.acr, undefined)
})
