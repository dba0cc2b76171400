// On each database.
import { Writable } from 'node:stream'
import t from 'tap'
import { flushMail, outbox, softPasskey } from '../../../lib/testing.ts'
import { build, password } from '../../support/build.ts'
import { origin, passkeys, passkeysOf } from '../passkeys/with-passkeys.ts'
import { buildEnrolled, factorsOf, wrongCode } from './enrolled.ts'

const byMail = { mail: { links: { login: '/in' } }, routes: { emailLogin: true }, email: { verification: 'none' } } as const

t.test('no ticket is in the log, where it would be as good as the first factor', async (t) => {
  const lines: string[] = []
  const stream = new Writable({ write (chunk, _, done) { lines.push(String(chunk)); done() } })
  const { app, user, login } = await buildEnrolled(t, { factors: { requireFor: ['boss'] } }, {
    logger: { level: 'trace', stream },
  })
  const { ticket } = (await login()).json()
  await app.accounts.users.create({ username: 'eve', password, roles: ['boss'] })
  const { ticket: another } = (await login('eve')).json()
  app.log.error(await app.accounts.issueTokens(user.id).catch((error) => error))

  t.match(lines.join(''), 'ACCOUNTS_FACTOR_REQUIRED')
  for (const one of [ticket, another]) t.notOk(lines.join('').includes(one))
  t.notMatch(lines.join(''), /"ticket"/)
})

t.test('a mail that signs in is used up by its first step, whatever comes of the second', async (t) => {
  const { app, user, post } = await buildEnrolled(t, { ...byMail })
  await app.accounts.users.update(user.id, { email: 'ada@example.com' })
  await app.accounts.users.verifyEmail(user.id, 'ada@example.com')
  const { challenge_id: challenge } = (await post('/auth/login/email', { email: 'ada@example.com' })).json()
  await flushMail(app)
  const proof = { challenge_id: challenge, code: outbox(app).code(outbox(app).last('login')) }

  const answers = await Promise.all([1, 2, 3].map(() => post('/auth/login/email/complete', proof)))
  t.same(answers.map((answer) => answer.json().code).toSorted(),
    ['ACCOUNTS_FACTOR_REQUIRED', 'ACCOUNTS_PROOF_INVALID', 'ACCOUNTS_PROOF_INVALID'])
})

t.test('who proves an address by a mail that signs in has nothing of a stranger, nor is asked for their passkey', async (t) => {
  const { app, get, post } = await build(t, { ...byMail, passkeys })
  const { ask, send } = passkeysOf(app)
  const names = { username: 'thief', email: 'vic@example.com' }
  const { options, enrolment } = await ask({ for: 'register', ...names })
  const credential = softPasskey({ origin }).create(options)
  const { access_token: thiefs } = (await send('POST', '/register', undefined, { ...names, enrolment, credential })).json()
  t.equal((await get('/guarded', thiefs)).statusCode, 200)

  const { challenge_id: challenge } = (await post('/auth/login/email', { email: names.email })).json()
  await flushMail(app)
  const code = outbox(app).code(outbox(app).last('login'))
  const answer = await post('/auth/login/email/complete', { challenge_id: challenge, code })
  t.match(answer.json(), { user: { email: names.email, email_verified: true } })
  t.equal((await get('/guarded', thiefs)).statusCode, 401)
})

t.test('a handler that lets the error pass gives the ticket in its cookie', async (t) => {
  const built = await build(t, { factors: true, transport: 'both' })
  const { app } = built
  app.post('/mine', async (request, reply) =>
    app.accounts.issueTokens(await app.accounts.users.find('ada') as { id: string }, { request, reply }))
  await factorsOf(built).enrol((await built.signUp()).access_token)
  const answer = await app.inject({ method: 'POST', url: '/mine', headers: { 'sec-fetch-site': 'same-origin' } })
  t.match(answer.json(), { statusCode: 403, code: 'ACCOUNTS_FACTOR_REQUIRED' })
  t.match(answer.cookies, [{ name: '__Secure-ticket' }])
})

t.test('who needs no factor any more comes in with the passkey that they were asked for', async (t) => {
  const { app } = await build(t, { passkeys: { ...passkeys, secondFactor: false }, factors: { requireFor: ['boss'] } })
  const { add, byPassword } = passkeysOf(app)
  const { id } = await app.accounts.users.create({ username: 'ada', password, roles: ['boss'] })
  const { ticket } = (await byPassword()).json()
  await app.accounts.users.setRoles(id, [])
  const added = await add(softPasskey({ origin }), undefined, { ticket })
  t.match([added.statusCode, added.json()], [201, { user: { id } }])
})

t.test('a recovery code takes back that a stranger has guessed codes', async (t) => {
  const { secret, ticketOf, verify, recoveryCodes } = await buildEnrolled(t, { throttle: {} })
  const guess = async () => (await verify(await ticketOf(), { code: wrongCode(secret) })).statusCode
  for (let free = 5; free >= 0; free--) t.equal(await guess(), 401)
  t.equal(await guess(), 429)
  t.equal((await verify(await ticketOf(), { recovery_code: recoveryCodes[0] })).statusCode, 200)
  t.equal(await guess(), 401)
})

t.test('an admin who names nothing that is to go takes nothing away', async (t) => {
  const { app, user, send } = await buildEnrolled(t, { routes: { users: true } })
  const boss = await app.accounts.users.create({ username: 'boss', password, roles: ['admin'] })
  const { access_token: token } = await app.accounts.issueTokens(boss.id, { acr: 'aal2', authTime: new Date() })
  t.match((await send('DELETE', `/users/${user.id}/factors`, token, { totp: false })).json(), {
    statusCode: 400, code: 'ACCOUNTS_INPUT_INVALID',
  })
  t.match(await app.accounts.factors.of(user.id), { totp: {}, second_factor: true })
})

t.test('a ticket in the body that is none takes no cookie with one back', async (t) => {
  const { app } = await buildEnrolled(t, { transport: 'both' })
  const headers = { 'sec-fetch-site': 'same-origin' }
  const payload = { username: 'ada', password, transport: 'cookie' }
  const { cookies } = await app.inject({ method: 'POST', url: '/auth/login', payload, headers })
  const kept = Object.fromEntries(cookies.map(({ name, value }) => [name, value]))
  const body = { ticket: 'x', code: '000000' }
  const answer = await app.inject({ method: 'POST', url: '/auth/factors/verify', payload: body, headers, cookies: kept })
  t.match([answer.json().code, answer.cookies], ['ACCOUNTS_TOKEN_INVALID', []])
})
