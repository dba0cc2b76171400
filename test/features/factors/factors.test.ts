// On each database.
import { test } from 'tap'
import { build, buildOnFile, decode, password } from '../../support/build.ts'
import { until } from '../../support/waiting.ts'
import { buildEnrolled, codeOf, factorsOf, stopClock, wrongCode } from './enrolled.ts'

test('a ticket opens the second step of its use alone', async (t) => {
  const { app, get, post, send, ticketOf, tokens, verify, nextCode } = await buildEnrolled(t)
  const ticket = await ticketOf()

  for (const [method, url] of [
    ['GET', '/me'], ['GET', '/factors'], ['DELETE', '/factors'], ['DELETE', '/factors/totp'], ['GET', '/sessions'],
    ['POST', '/factors/recovery-codes'], ['DELETE', '/me'],
  ] as const) {
    t.match((await send(method, url, ticket)).json(), { code: 'ACCOUNTS_TOKEN_INVALID', statusCode: 401 }, `${method} ${url}`)
  }
  t.equal((await get('/guarded', ticket)).statusCode, 401)
  t.equal((await post('/auth/refresh', { refresh_token: ticket })).statusCode, 401)
  t.equal((await post('/auth/logout', { refresh_token: ticket })).statusCode, 401)
  await t.rejects(app.accounts.verify(ticket, { type: 'any' }), { code: 'ACCOUNTS_TOKEN_INVALID' })
  await t.rejects(app.accounts.revoke(ticket), { code: 'ACCOUNTS_TOKEN_INVALID' })
  t.equal((await send('POST', '/factors/totp', undefined, { ticket })).statusCode, 401, 'a login ticket enrols nothing')
  t.equal((await verify(tokens.access_token, { code: nextCode() })).statusCode, 401, 'an access token is no ticket')
  t.equal((await verify(tokens.refresh_token, { code: nextCode() })).statusCode, 401)
  t.equal((await verify(undefined, { code: nextCode() })).json().code, 'ACCOUNTS_TOKEN_MISSING')
  t.equal((await verify(ticket, { code: nextCode() })).statusCode, 200)
})

test('a ticket is good once, and mistyping does not use it up', async (t) => {
  const { secret: seed, ticketOf, verify, nextCode, recoveryCodes, sql } = await buildEnrolled(t)
  const ticket = await ticketOf()
  for (let index = 0; index < 3; index++) t.equal((await verify(ticket, { code: wrongCode(seed) })).statusCode, 401)
  t.equal((await verify(ticket, { code: nextCode() })).statusCode, 200)
  t.match((await verify(ticket, { recovery_code: recoveryCodes[0] })).json(), { code: 'ACCOUNTS_TOKEN_REVOKED' })
  t.equal((await sql.get('select count(*) as n from accounts_recovery_codes where used_at is null'))!.n, 10,
    'and what came with a used one is not burnt')
})

test('a ticket is over with its time, its user, their epoch and their factors', async (t) => {
  const { app, ticketOf, verify, nextCode, tick, user, enrol, tokens } = await buildEnrolled(t)
  const code = async (ticket: string) => (await verify(ticket, { code: nextCode() })).json().code
  const late = await ticketOf()
  tick(300)
  t.equal(await code(late), 'ACCOUNTS_TOKEN_EXPIRED')

  const everywhere = await ticketOf()
  await app.accounts.sessions.revokeAll(user.id)
  t.equal(await code(everywhere), 'ACCOUNTS_TOKEN_REVOKED')

  const disabled = await ticketOf()
  await app.accounts.users.disable(user.id)
  t.equal(await code(disabled), 'ACCOUNTS_TOKEN_REVOKED')
  await app.accounts.users.enable(user.id)

  const { access_token: strong } = await app.accounts.issueTokens(user.id, { acr: 'aal2', authTime: new Date() })
  const changed = await ticketOf()
  t.equal((await enrol(strong)).answer.statusCode, 200)
  t.equal(await code(changed), 'ACCOUNTS_TOKEN_REVOKED')
  const deleted = await ticketOf()
  await app.accounts.users.delete(user.id)
  t.equal(await code(deleted), 'ACCOUNTS_TOKEN_REVOKED')
  t.ok(tokens)
})

test('a body proves exactly one thing', async (t) => {
  const { ticketOf, verify, nextCode, recoveryCodes } = await buildEnrolled(t)
  const ticket = await ticketOf()
  const code = nextCode()
  for (const proof of [{}, { code, recovery_code: recoveryCodes[0] }]) {
    t.match((await verify(ticket, proof)).json(), {
      code: 'ACCOUNTS_INPUT_INVALID', message: /exactly one of recovery_code, code/,
    })
  }
  for (const proof of [{ code: 1 }, { code: null }, { code: ['1'] }, { recovery_code: {} }, { code: 'x'.repeat(33) }, { what: 1 }]) {
    t.equal((await verify(ticket, proof)).statusCode, 400)
  }
  t.equal((await verify(ticket, { code })).statusCode, 200)
})

test('every way in meets the second factor', async (t) => {
  const { app, login, user, post, refresh, tokens, send, nextCode, verify } = await buildEnrolled(t)
  t.match((await login()).json(), { code: 'ACCOUNTS_FACTOR_REQUIRED' })
  const given = await app.accounts.issueTokens(user.id).catch((error) => error)
  t.match(given, { code: 'ACCOUNTS_FACTOR_REQUIRED', factors: ['totp', 'recovery'], expires_in: 300 })
  t.match((await verify(given.ticket, { code: nextCode() })).json(), { token_type: 'Bearer' }, 'whose ticket is good')
  t.match(await app.accounts.issueTokens(user.id, { acr: 'aal2' }), { token_type: 'Bearer' }, 'unless the app says more')

  await app.accounts.users.setPassword(user.id, password)
  t.match((await login()).json(), { code: 'ACCOUNTS_FACTOR_REQUIRED' })
  t.equal((await refresh(tokens.refresh_token)).statusCode, 401, 'sessions of before are over')
  const { access_token: weak } = await app.accounts.issueTokens(user.id, { acr: 'aal1', authTime: new Date() })
  t.match((await send('PUT', '/password', weak, { current_password: password, new_password: 'another long password' })).json(), {
    code: 'ACCOUNTS_TOKEN_WEAK',
  })
  t.match((await send('POST', '/factors/totp', weak)).json(), { code: 'ACCOUNTS_TOKEN_WEAK' })
  t.match((await send('DELETE', '/factors/totp', weak)).json(), { code: 'ACCOUNTS_TOKEN_WEAK' })
  t.match((await send('DELETE', '/factors', weak)).json(), { code: 'ACCOUNTS_TOKEN_WEAK' })
  t.match((await send('DELETE', '/me', weak)).json(), { code: 'ACCOUNTS_TOKEN_WEAK' })
  t.match((await post('/auth/reauthenticate', { password }, weak)).json(), { code: 'ACCOUNTS_FACTOR_REQUIRED' })
})

test('a session is proved again by both factors, and by a password alone it is no fresher', async (t) => {
  const { send, post, tokens, tick, verify, secret: seed, get } = await buildEnrolled(t)
  tick(660)
  t.match((await send('DELETE', '/factors', tokens.access_token)).json(), { code: 'ACCOUNTS_TOKEN_STALE' })
  const half = await post('/auth/reauthenticate', { password }, tokens.access_token)
  t.equal(half.statusCode, 403)
  t.match((await send('DELETE', '/factors', tokens.access_token)).json(), { code: 'ACCOUNTS_TOKEN_STALE' })

  t.equal((await verify(half.json().ticket, { code: wrongCode(seed) })).statusCode, 401)
  const whole = await verify(half.json().ticket, { code: codeOf(seed) })
  t.equal(whole.statusCode, 200)
  const { payload: before } = decode(tokens.access_token)
  const { payload: after } = decode(whole.json().access_token)
  t.equal(after.sid, before.sid, 'the session goes on')
  t.same(after.amr, ['pwd', 'otp', 'mfa'])
  t.match((await get('/guarded', tokens.access_token)).json(), { code: 'ACCOUNTS_TOKEN_SUPERSEDED' })
  t.equal((await send('DELETE', '/factors', whole.json().access_token)).statusCode, 200)
})

test('level, methods and time of the proof survive a refresh as they are', async (t) => {
  const { tokens, refresh, tick } = await buildEnrolled(t)
  const { acr, amr, auth_time: authTime } = decode(tokens.access_token).payload
  tick(60)
  t.match(decode((await refresh(tokens.refresh_token)).json().access_token).payload, { acr, amr, auth_time: authTime })
})

test('guesses of codes are slowed down for the user, whatever passwords are right meanwhile', async (t) => {
  const { secret: seed, ticketOf, verify, recoveryCodes, tick, login } = await buildEnrolled(t, {
    throttle: { network: 1000 },
  })
  for (let index = 0; index < 6; index++) {
    t.equal((await verify(await ticketOf(), { code: wrongCode(seed) })).statusCode, 401)
  }
  const refused = await verify(await ticketOf(), { code: wrongCode(seed) })
  t.match(refused.json(), { code: 'ACCOUNTS_THROTTLED', statusCode: 429 })
  t.equal((await login()).statusCode, 403, 'the password is not held up')
  t.equal((await verify(await ticketOf(), { recovery_code: recoveryCodes[0] })).statusCode, 200,
    'and a recovery code is open')
  tick(3600)
  t.equal((await verify(await ticketOf(), { code: codeOf(seed) })).statusCode, 200)
})

test('a signed-in session that is proved again is throttled too', async (t) => {
  const { secret: seed, tokens, post, verify } = await buildEnrolled(t, { throttle: { network: 1000 } })
  const ticket = async () =>
    (await post('/auth/reauthenticate', { password }, tokens.access_token)).json().ticket
  for (let index = 0; index < 6; index++) {
    t.equal((await verify(await ticket(), { code: wrongCode(seed) })).statusCode, 401)
  }
  t.equal((await verify(await ticket(), { code: wrongCode(seed) })).statusCode, 429)
})

test('all that was set up goes at once, and ends the other sessions and tickets', async (t) => {
  const { send, tokens, verify, ticketOf, nextCode, login, sql, get } = await buildEnrolled(t)
  const other = (await verify(await ticketOf(), { code: nextCode() })).json()
  const ticket = await ticketOf()
  const answer = await send('DELETE', '/factors', tokens.access_token)
  t.equal(answer.statusCode, 200)
  t.match((await get('/guarded', other.access_token)).json(), { code: 'ACCOUNTS_TOKEN_REVOKED' })
  t.match((await verify(ticket, { code: nextCode() })).json(), { code: 'ACCOUNTS_TOKEN_REVOKED' })
  t.equal((await login()).statusCode, 200)
  for (const table of ['accounts_totp', 'accounts_recovery_codes']) {
    t.equal((await sql.get(`select count(*) as n from ${table}`))!.n, 0)
  }
  t.match((await send('GET', '/factors', answer.json().access_token)).json(), { second_factor: false })
})

test('an admin takes the factors of somebody away who has lost them', async (t) => {
  const { app, send, signUp, user, login, tokens, get, ticketOf, verify, nextCode } = await buildEnrolled(t, {
    routes: { users: true },
  })
  const { user: { id: adminId } } = await signUp('root')
  await app.accounts.users.setRoles(adminId, ['admin'])
  const { access_token: admin } = await app.accounts.issueTokens(adminId, { authTime: new Date() })
  const path = `/users/${user.id}/factors`

  const { access_token: stale } = await app.accounts.issueTokens(adminId)
  t.match((await send('DELETE', path, stale)).json(), { code: 'ACCOUNTS_TOKEN_STALE' })
  t.match((await send('DELETE', path, tokens.access_token)).json(), { code: 'ACCOUNTS_FORBIDDEN' })
  t.match((await send('DELETE', `/users/${adminId}/factors`, admin)).json(), { code: 'ACCOUNTS_FORBIDDEN' })
  for (const id of ['nobody', '01980c1e-6f3a-7c52-9d41-5b0e8f2a7c13']) {
    t.match((await send('DELETE', `/users/${id}/factors`, admin)).json(), { code: 'ACCOUNTS_NOT_FOUND' })
  }
  t.equal((await send('DELETE', path, admin, { shoes: true })).statusCode, 400)

  const ticket = await ticketOf()
  t.equal((await send('DELETE', path, admin, { recovery_codes: true })).statusCode, 204)
  t.match(await app.accounts.factors.of(user.id), { second_factor: true, totp: {}, recovery_codes: null })
  t.match((await get('/guarded', tokens.access_token)).json(), { code: 'ACCOUNTS_TOKEN_REVOKED' })
  t.match((await verify(ticket, { code: nextCode() })).json(), { code: 'ACCOUNTS_TOKEN_REVOKED' })
  t.equal((await login()).statusCode, 403)
  t.equal((await send('DELETE', path, admin)).statusCode, 204)
  t.equal((await login()).statusCode, 200)
})

test('code looks at factors and takes them away, in a transaction of its own or of the app', async (t) => {
  const { app, user, login } = await buildEnrolled(t)
  const { factors, orm } = app.accounts
  t.match(await factors.of(user.id), { second_factor: true, required: false, totp: {}, recovery_codes: { left: 10 } })
  await t.rejects(factors.of('nobody'), { code: 'ACCOUNTS_NOT_FOUND' })
  await t.rejects(factors.reset('nobody'), { code: 'ACCOUNTS_NOT_FOUND' })
  await t.rejects(factors.reset('01980c1e-6f3a-7c52-9d41-5b0e8f2a7c13'), { code: 'ACCOUNTS_NOT_FOUND' })
  await t.rejects(factors.reset(user.id, { shoes: true } as object), { message: /factors\.reset\(\) knows no shoes/ })
  await t.rejects(factors.reset(user.id, {}, { force: true } as object), { code: 'ACCOUNTS_OPTIONS_INVALID' })

  await t.rejects(orm.em.fork().transactional(async (em) => {
    await factors.reset(user.id, undefined, { em })
    t.match(await factors.of(user.id, { em }), { second_factor: false, totp: null })
    throw new Error('never mind')
  }), { message: 'never mind' })
  t.equal((await login()).statusCode, 403)
  await factors.reset(user.id, { totp: true })
  t.equal((await login()).statusCode, 200)
  t.match(await factors.of(user.id), { second_factor: false, recovery_codes: null })
})

test('whoever needs a second factor sets one up when they sign in, with the ticket of the refusal', async (t) => {
  const tick = stopClock(t)
  const built = await buildOnFile(t, { factors: { requireFor: ['admin'] } })
  const { app } = built
  const { send, login, enrol, verify } = factorsOf(built)
  const { user } = await built.signUp()
  await app.accounts.users.setRoles(user.id, ['admin'])

  const half = await login()
  t.equal(half.statusCode, 403)
  t.match(half.json(), { code: 'ACCOUNTS_FACTOR_ENROLMENT_REQUIRED', expires_in: 300, may_enrol: ['totp'] })
  const { ticket } = half.json()
  t.equal((await verify(ticket, { code: '123456' })).statusCode, 401, 'it is of another use')
  const second = (await login()).json().ticket
  const { enrolment, secret: early } = (await send('POST', '/factors/totp', undefined, { ticket: second })).json()
  const { answer, secret: seed } = await enrol(undefined, ticket)
  t.equal(answer.statusCode, 200)
  t.equal(answer.json().recovery_codes.length, 10)
  const { access_token: token } = answer.json()
  t.match((await built.get('/guarded', token)).json().auth, { acr: 'aal2', amr: ['pwd', 'otp', 'mfa'] })
  t.match((await send('GET', '/factors', token)).json(), { required: true, second_factor: true })

  t.match((await send('PUT', '/factors/totp', undefined, { enrolment, code: codeOf(early), ticket: second })).json(), {
    code: 'ACCOUNTS_TOKEN_REVOKED',
  }, 'as soon as there is a factor no ticket sets up another')
  t.match((await send('POST', '/factors/totp', undefined, { ticket })).json(), { code: 'ACCOUNTS_TOKEN_REVOKED' })
  t.match((await send('DELETE', '/factors/totp', token)).json(), { code: 'ACCOUNTS_LAST_CREDENTIAL', statusCode: 409 })
  t.match((await send('DELETE', '/factors', token)).json(), { code: 'ACCOUNTS_LAST_CREDENTIAL', statusCode: 409 })
  t.equal((await built.sql.get('select count(*) as n from accounts_totp'))!.n, 1)
  tick(30)
  t.equal((await verify((await login()).json().ticket, { code: codeOf(seed) })).statusCode, 200)

  await app.accounts.factors.reset(user.id)
  t.match((await login()).json(), { code: 'ACCOUNTS_FACTOR_ENROLMENT_REQUIRED' }, 'an admin may take it away all the same')
})

test('a session of before the rule sets a factor up on its own', async (t) => {
  stopClock(t)
  const built = await build(t, { factors: { requireFor: ({ username }) => username === 'ada' } })
  const { send, enrol } = factorsOf(built)
  const { access_token: token } = await built.signUp()
  t.match((await built.get('/guarded', token)).json(), { code: 'ACCOUNTS_TOKEN_WEAK' })
  t.match((await send('GET', '/factors', token)).json(), { required: true, second_factor: false })
  const { body } = await enrol(token)
  t.equal((await built.get('/guarded', body.access_token)).statusCode, 200)
})

test('each change of factors is told: by an event, a hook and a mail', async (t) => {
  const told: unknown[] = []
  const mail = { from: 'accounts@example.com', appName: 'Example' }
  const tick = stopClock(t)
  const built = await buildOnFile(t, {
    factors: true,
    mail,
    events: { store: true },
    hooks: { onFactorsChanged: ({ username }, changed, source) => { told.push([username, changed, source !== null]) } },
  })
  const { app, sql } = built
  const { send, enrol } = factorsOf(built)
  const user = await app.accounts.users.create({
    username: 'ada', email: 'ada@example.com', password, emailVerifiedAt: new Date(0),
  })
  const strong = async () =>
    (await app.accounts.issueTokens(user.id, { acr: 'aal2', authTime: new Date() })).access_token
  await enrol(await strong())
  await send('POST', '/factors/recovery-codes', await strong())
  await app.accounts.factors.regenerateRecoveryCodes(user.id)
  await send('DELETE', '/factors/totp', await strong())
  tick(30)
  await enrol(await strong())
  await send('DELETE', '/factors', await strong())
  tick(30)
  await enrol(await strong())
  await app.accounts.factors.reset(user.id)

  const changes = [
    ['factor-added', 'totp', true], ['factor-added', 'recovery', true], ['factor-added', 'recovery', false],
    ['factor-removed', 'totp', true], ['factor-added', 'totp', true], ['factors-reset', 'user', true],
    ['factor-added', 'totp', true], ['factors-reset', 'admin', false],
  ]
  t.same(told, changes.map(([change, what, isAsked]) => ['ada', { what, change }, isAsked]))
  const rows = await sql.all("select type, reason from accounts_events where type like 'factor%' order by id")
  t.same(rows.map(({ type, reason }) => [type, reason]), changes.map(([type, reason]) => [type, reason]))
  t.equal((await sql.get("select count(*) as n from accounts_mails where kind = 'factors-changed'"))!.n, changes.length)
})

test('a wrong code is told as a login that failed', async (t) => {
  const { secret: seed, ticketOf, verify, sql, nextCode } = await buildEnrolled(t, { events: { store: true } })
  await verify(await ticketOf(), { code: wrongCode(seed) })
  const rows = async () => (await sql.all('select type, reason from accounts_events order by id')).map(({ type, reason }) => `${type} ${reason}`)
  t.same((await rows()).slice(-2), ['factor-failed totp', 'login-failed factor'])
  const before = (await rows()).length
  await verify(await ticketOf(), { code: nextCode() })
  t.same((await rows()).slice(before), ['login null'])
})

test('hooks of a login wait for the second step', async (t) => {
  const told: string[] = []
  const { ticketOf, verify, nextCode, sql } = await buildEnrolled(t, {
    hooks: { onLogin: ({ username }) => { told.push(username!) } },
  })
  const sessions = async () => (await sql.get('select count(*) as n from accounts_sessions'))!.n
  const before = await sessions()
  const ticket = await ticketOf()
  t.same(told, [])
  t.equal(await sessions(), before)
  await verify(ticket, { code: nextCode() })
  t.same(told, ['ada'])
})

test('half a sign-in leaves every table as it was', async (t) => {
  const { sql, get, login, send, tokens } = await buildEnrolled(t)
  await get('/guarded', tokens.access_token)
  // That the tokens have arrived is noted once, after the first request with them.
  await until(async () => Number((await sql.get('select confirmed_gen as n from accounts_sessions'))!.n) > 0)
  const tables = ['users', 'sessions', 'totp', 'recovery_codes', 'spent', 'revoked_tokens', 'throttle', 'events']
  const all = async () => JSON.stringify(await Promise.all(tables.map((table) => sql.all(`select * from accounts_${table}`))))
  const before = await all()
  for (let index = 0; index < 20; index++) {
    await login()
    await send('POST', '/factors/totp', tokens.access_token)
  }
  t.equal(await all(), before)
})

test('where tokens travel in cookies the ticket does too, and a browser may be remembered', async (t) => {
  const tick = stopClock(t)
  const built = await buildOnFile(t, { factors: { remember: '30d' }, transport: 'cookie' })
  const { app } = built
  const user = await app.accounts.users.create({ username: 'ada', password })
  let jar: Record<string, string> = {}
  async function ask (method: 'GET' | 'POST' | 'PUT' | 'DELETE', url: string, payload?: object) {
    const answer = await app.inject({
      method,
      url: `/auth${url}`,
      cookies: jar,
      headers: { 'sec-fetch-site': 'same-origin' },
      ...payload && { payload },
    })
    for (const { name, value, maxAge } of answer.cookies) {
      if (maxAge === 0) delete jar[name]
      else jar[name] = value
    }
    return answer
  }
  const login = () => ask('POST', '/login', { username: 'ada', password })

  await login()
  const { enrolment, secret: seed } = (await ask('POST', '/factors/totp')).json()
  t.equal((await ask('PUT', '/factors/totp', { enrolment, code: codeOf(seed) })).statusCode, 200)
  jar = {}
  const half = await login()
  t.equal(half.statusCode, 403)
  t.notOk('ticket' in half.json())
  t.match(half.cookies, [{ name: '__Secure-ticket', httpOnly: true, secure: true, path: '/auth', maxAge: 300 }])
  t.equal((await ask('POST', '/factors/verify', { code: wrongCode(seed) })).statusCode, 401)
  t.ok(jar['__Secure-ticket'], 'a mistyped code leaves it')
  tick(30)
  const whole = await ask('POST', '/factors/verify', { code: codeOf(seed), remember_device: true })
  t.equal(whole.statusCode, 200)
  t.notOk(jar['__Secure-ticket'])
  t.ok(jar['__Host-remember'])

  const remembered = await login()
  t.equal(remembered.statusCode, 200, 'no second step here')
  t.equal(decode(jar['__Host-access']!).payload.acr, 'aal1', 'and it is no better proved for that')
  t.match((await ask('DELETE', '/factors')).json(), { code: 'ACCOUNTS_TOKEN_WEAK' })
  const kept = jar['__Host-remember']!
  t.equal((await ask('DELETE', '/factors/devices')).statusCode, 204)
  t.notOk(jar['__Host-remember'])
  jar['__Host-remember'] = kept
  t.equal((await login()).statusCode, 403, 'the cookie is void')

  tick(30)
  await ask('POST', '/factors/verify', { code: codeOf(seed), remember_device: true })
  await app.accounts.users.setPassword(user.id, password)
  t.equal((await login()).statusCode, 403, 'with another password it is asked for again')
  tick(30)
  await ask('POST', '/factors/verify', { code: codeOf(seed), remember_device: true })
  t.equal((await login()).statusCode, 200)
  tick(31 * 86400)
  t.equal((await login()).statusCode, 403, 'and after its time')
  jar['__Host-remember'] = 'x'
  t.equal((await login()).statusCode, 403)
})

test('without second factors there are no routes, no services and no statements of them', async (t) => {
  const built = await build(t)
  const { access_token: token } = await built.signUp()
  const { send } = factorsOf(built)
  for (const [method, url] of [['GET', '/factors'], ['POST', '/factors/totp'], ['POST', '/factors/verify'], ['DELETE', '/users/x/factors']] as const) {
    t.equal((await send(method, url, token)).statusCode, 404)
  }
  t.equal(built.app.accounts.factors, undefined)
  const { payload } = decode(token)
  t.notOk('acr' in payload || 'amr' in payload)
})
