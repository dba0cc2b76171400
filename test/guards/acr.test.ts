import { test } from 'tap'
import type { AccountsOptions } from '../../lib/index.ts'
import { build, decode, mint } from '../support/build.ts'

/** An app with second factors, whose routes ask for levels, and Ada. */
async function buildLeveled (t: Parameters<typeof build>[0], options: AccountsOptions = {}) {
  const built = await build(t, { factors: true, ...options })
  const { app } = built
  const { guard } = app.accounts
  app.get('/two', { preHandler: guard({ acr: 'aal2' }) }, async ({ auth: { acr, amr } }) => ({ acr, amr }))
  app.get('/two-fresh', { preHandler: guard({ acr: 'aal2', fresh: '5m' }) }, async () => 'in')
  app.get('/phishing-resistant', { preHandler: guard({ acr: 'phr' }) }, async () => 'in')
  app.post('/two-with-refresh', { preHandler: guard({ type: 'refresh', acr: 'aal2' }) }, async () => 'in')
  app.get('/stateless', { preHandler: guard({ acr: 'aal2', consistency: 'stateless' }) }, async () => 'in')
  const { user } = await built.signUp()
  const proved = (acr: 'aal1' | 'aal2' | 'phr', amr: string[] = []) =>
    app.accounts.issueTokens(user.id, { acr, amr, authTime: new Date() })
  return { ...built, user, proved }
}

test('a guard that asks for two factors refuses a token of one, and says what it asks for', async (t) => {
  const { get, proved } = await buildLeveled(t)
  const { access_token: token } = await proved('aal1')

  const refused = await get('/two', token)
  t.equal(refused.statusCode, 401)
  t.equal(refused.json().code, 'ACCOUNTS_TOKEN_WEAK')
  t.equal(refused.headers['www-authenticate'], 'Bearer realm="accounts", error="insufficient_user_authentication", ' +
    'error_description="A higher level of authentication is required", acr_values="aal2"')
  t.match((await get('/two-fresh', token)).headers['www-authenticate'], /acr_values="aal2", max_age="300"$/)
  t.match((await get('/stateless', token)).json(), { code: 'ACCOUNTS_TOKEN_WEAK' })
})

test('a level satisfies those below it', async (t) => {
  const { get, proved } = await buildLeveled(t)
  const { access_token: two } = await proved('aal2', ['pwd', 'otp', 'mfa'])
  const { access_token: resistant } = await proved('phr', ['pop', 'user', 'mfa'])

  t.match((await get('/two', two)).json(), { acr: 'aal2', amr: ['pwd', 'otp', 'mfa'] })
  t.equal((await get('/stateless', two)).statusCode, 200)
  t.match((await get('/phishing-resistant', two)).headers['www-authenticate'], /acr_values="phr"/)
  t.match((await get('/two', resistant)).json(), { acr: 'phr', amr: ['pop', 'user', 'mfa'] })
  t.equal((await get('/phishing-resistant', resistant)).statusCode, 200)
})

test('a refresh carries the level and the methods on, and a refresh token is judged by its session', async (t) => {
  const { get, post, refresh, proved } = await buildLeveled(t)
  const begun = await proved('aal2', ['pwd', 'otp', 'mfa'])
  const { access_token: token, refresh_token: next } = (await refresh(begun.refresh_token)).json()

  t.match(decode(token).payload, { acr: 'aal2', amr: ['pwd', 'otp', 'mfa'] })
  t.equal((await get('/two', token)).statusCode, 200)
  t.equal((await post('/two-with-refresh', { refresh_token: next })).statusCode, 200)
  const { refresh_token: weak } = await proved('aal1')
  t.match((await post('/two-with-refresh', { refresh_token: weak })).json(), { code: 'ACCOUNTS_TOKEN_WEAK' })
})

test('a password alone is one factor', async (t) => {
  const { signIn } = await buildLeveled(t)
  t.match(decode((await signIn()).access_token).payload, { acr: 'aal1', amr: ['pwd'] })
})

test('a token that says no level counts as the lowest, and one with a level of no meaning is none of ours', async (t) => {
  const { get, proved } = await buildLeveled(t)
  const { header, payload } = decode((await proved('aal2')).access_token)
  const { acr: _, amr: __, ...before } = payload

  t.equal((await get('/guarded', mint(header, before))).statusCode, 200)
  t.match((await get('/two', mint(header, before))).json(), { code: 'ACCOUNTS_TOKEN_WEAK' })
  for (const odd of [{ acr: 'aal3' }, { acr: 2 }, { amr: 'pwd' }, { amr: ['a'.repeat(17)] }, { amr: Array(9).fill('a') }]) {
    t.match((await get('/guarded', mint(header, { ...payload, ...odd }))).json(), { code: 'ACCOUNTS_TOKEN_INVALID' })
  }
})

test('the level is asked for after expiry and before revocation', async (t) => {
  const { app, get, proved } = await buildLeveled(t)
  const { access_token: token } = await proved('aal1')
  const { header, payload } = decode(token)
  const over = mint(header, { ...payload, iat: payload.iat - 7200, exp: payload.iat - 6600, auth_time: 0 })
  t.match((await get('/two', over)).json(), { code: 'ACCOUNTS_TOKEN_EXPIRED' })

  await app.accounts.revoke(token)
  t.match((await get('/two', token)).json(), { code: 'ACCOUNTS_TOKEN_WEAK' })
  t.match((await get('/guarded', token)).json(), { code: 'ACCOUNTS_TOKEN_REVOKED' })
})

test('whoever the app lets in by two factors alone comes nowhere with one', async (t) => {
  const { app, get, post, user, proved } = await buildLeveled(t, { factors: { requireFor: ['admin'] } })
  await app.accounts.users.setRoles(user.id, ['admin'])
  const { access_token: weak, refresh_token: refreshToken } = await proved('aal1')
  const { access_token: strong } = await proved('aal2')

  t.match((await get('/guarded', weak)).json(), { code: 'ACCOUNTS_TOKEN_WEAK' })
  t.match((await get('/strict', weak)).json(), { code: 'ACCOUNTS_TOKEN_WEAK' })
  t.match((await get('/auth/me', weak)).json(), { code: 'ACCOUNTS_TOKEN_WEAK' })
  t.match((await post('/with-refresh', { refresh_token: refreshToken })).json(), { code: 'ACCOUNTS_TOKEN_WEAK' })
  t.equal((await get('/guarded', strong)).statusCode, 200)
  await app.accounts.users.setRoles(user.id, [])
  t.equal((await get('/guarded', weak)).statusCode, 200)
})

test('a function that says who needs two factors and fails lets nobody in', async (t) => {
  const failing = () => { throw new Error('no directory') }
  const { app, get, user } = await buildLeveled(t, { factors: { requireFor: ({ username }) => username === 'ada' && failing() } })
  const { access_token: token } = await app.accounts.issueTokens(user.id, { acr: 'aal2' })

  for (const path of ['/guarded', '/strict']) {
    const answer = await get(path, token)
    t.equal(answer.statusCode, 500)
    t.notMatch(answer.body, /directory/)
  }
})

test('without second factors there is no level: tokens, requests and claims of the app are as before', async (t) => {
  const { app, get, signUp } = await build(t, { claims: () => ({ acr: 'of the app', amr: 7 }) })
  const { access_token: token } = await signUp()

  t.match(decode(token).payload, { acr: 'of the app', amr: 7 })
  t.match((await get('/guarded', token)).json().auth, { acr: undefined, amr: undefined })
  t.throws(() => app.accounts.guard({ acr: 'aal2' }), { code: 'ACCOUNTS_OPTIONS_INVALID' })
  await t.rejects(app.accounts.issueTokens('01980c1e-6f3a-7c52-9d41-5b0e8f2a7c13', { acr: 'aal2' }), {
    message: /needs the option factors or passkeys/,
  })
})

test('with second factors both claims are ours', async (t) => {
  const { post } = await build(t, { factors: true, claims: () => ({ acr: 'of the app' }) })
  t.equal((await post('/auth/register', { username: 'ada', password: 'correct horse battery' })).statusCode, 500)
})

test('a guard that lets anybody in asks for no level', async (t) => {
  const { app } = await build(t, { factors: true })
  t.throws(() => app.accounts.guard({ optional: true, acr: 'aal2' }), { message: /does not go with fresh, acr/ })
  t.throws(() => app.accounts.guard({ acr: 'aal1' as never }), { code: 'ACCOUNTS_OPTIONS_INVALID' })
})

test('code cannot say a level or a method that is none', async (t) => {
  const { app, user } = await buildLeveled(t)
  for (const odd of [{ acr: 'aal9' }, { acr: 3 }, { amr: 'pwd' }, { amr: ['two words'] }, { amr: Array(9).fill('a') }]) {
    await t.rejects(app.accounts.issueTokens(user.id, odd as never), { code: 'ACCOUNTS_OPTIONS_INVALID' })
  }
})
