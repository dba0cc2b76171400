// On each database.
import t from 'tap'
import { errors } from '../../../lib/index.ts'
import { clock, flushMail, outbox } from '../../../lib/testing.ts'
import { bearer, build, buildOnFile, password } from '../../support/build.ts'
import { buildWithMail, otherPassword } from '../../support/mail.ts'

const offered = { email: {} }

t.test('who registers with an address gets a mail by which they prove it, and guards know at once', async (t) => {
  const { app, mails, post, get, signUpWithMail } = await buildWithMail(t, offered)
  app.get('/verified', { preHandler: app.accounts.guard({ verified: true }) }, async ({ user }) => user)
  const { access_token: token, user, email_challenge: challenge } = await signUpWithMail()
  t.equal(user.email_verified, false)
  t.match(challenge, { challenge_id: /^[\w-]{22}$/, expires_in: 86400, resend_in: 60 })
  t.match((await get('/verified', token)).json(), { code: 'ACCOUNTS_EMAIL_UNVERIFIED' })

  const mail = await mails.next('verify')
  t.equal(mail.to.address, 'ada@example.com')
  t.match(mail.text, /This is not my account:\nhttp:\/\/localhost\/auth\/pages\/disown#/)
  const answer = await post('/auth/email/verify', { token: mails.token(mail) })
  t.match(answer, { statusCode: 204, body: '', cookies: [] })
  t.match((await get('/verified', token)).json(), { email_verified: true })
  t.equal((await post('/auth/email/verify', { token: mails.token(mail) })).statusCode, 400, 'once')
  t.equal((await post('/auth/email/verify/send', {}, token)).statusCode, 204)
})

t.test('or by the code, in the page that registered', async (t) => {
  const { app, mails, post, signUpWithMail } = await buildWithMail(t, offered)
  const { user, email_challenge: { challenge_id: challenge } } = await signUpWithMail()
  const code = mails.code(await mails.next('verify'))
  t.match((await post('/auth/email/verify', { challenge_id: 'x'.repeat(22), code })).json(), {
    code: 'ACCOUNTS_PROOF_INVALID',
  })
  t.equal((await post('/auth/email/verify', { challenge_id: challenge, code })).statusCode, 204)
  t.match(await app.accounts.users.find(user.id), { email_verified: true })
})

t.test('where tokens travel in cookies, the challenge does too', async (t) => {
  const { app, mails } = await buildWithMail(t, { ...offered, transport: 'cookie' })
  const headers = { 'sec-fetch-site': 'same-origin' }
  const payload = { username: 'ada', email: 'ada@example.com', password }
  const answer = await app.inject({ method: 'POST', url: '/auth/register', headers, payload })
  const cookie = answer.cookies.map(({ name, value }) => `${name}=${value}`).join('; ')
  const code = mails.code(await mails.next('verify'))
  const verify = (headers: Record<string, string>) =>
    app.inject({ method: 'POST', url: '/auth/email/verify', headers, payload: { code } })
  t.equal((await verify({})).statusCode, 400)
  t.equal((await verify({ cookie })).statusCode, 204)
})

t.test('without an address, without mail, or with verification none, nothing is sent', async (t) => {
  const { app, post } = await build(t, { mail: true })
  const bob = (await post('/auth/register', { username: 'bob', password })).json()
  t.notOk('email_challenge' in bob)
  await app.accounts.users.create({ username: 'eve', email: 'eve@example.com', password })
  await flushMail(app)
  t.same(outbox(app).mails, [], 'also none by code')

  for (const options of [{}, { mail: true, email: { verification: 'none' } }] as const) {
    const { post } = await build(t, options)
    const ada = (await post('/auth/register', { username: 'ada', email: 'ada@example.com', password })).json()
    t.notOk('email_challenge' in ada)
  }
  await t.rejects(build(t, { email: { verification: 'offered' } }), { message: /verification 'offered' needs mail/ })
})

t.test('a registration that is rolled back mails nothing', async (t) => {
  const { mails, flush, signUpWithMail } = await buildWithMail(t, {
    ...offered, hooks: { onRegister: () => { throw Object.assign(new Error('No'), { statusCode: 403 }) } },
  })
  t.match(await signUpWithMail(), { statusCode: 403 })
  await flush()
  t.same(mails.mails, [])
})

t.test('the mail is sent again to who is signed in, with the same link for the same challenge', async (t) => {
  const { app, mails, post, get, signUpWithMail } = await buildWithMail(t, offered)
  const { access_token: token, email_challenge: { challenge_id: challenge } } = await signUpWithMail()
  const first = await mails.next('verify')
  const again = await post('/auth/email/verify/send', { challenge_id: challenge }, token)
  t.match(again, { statusCode: 202 })
  t.match(again.json(), { challenge_id: challenge, expires_in: 86400 })
  t.equal(mails.token(await mails.next('verify')), mails.token(first))
  t.not((await post('/auth/email/verify/send', undefined, token)).json().challenge_id, challenge)
  t.not(mails.token(await mails.next('verify')), mails.token(first))

  t.equal((await post('/auth/email/verify/send', {})).statusCode, 401)
  t.match((await post('/auth/email/verify/send', { challenge_id: 1 }, token)).json(), { statusCode: 400 })
  t.match((await post('/auth/email/verify/send', { email: 'a@b.de' }, token)).json(), { statusCode: 400 })
  const bob = (await post('/auth/register', { username: 'bob', password })).json()
  t.match((await post('/auth/email/verify/send', {}, bob.access_token)).json(), {
    statusCode: 409, code: 'ACCOUNTS_EMAIL_MISSING',
  })
  for (const method of ['GET', 'HEAD', 'OPTIONS'] as const) {
    await app.inject({ method, url: `/auth/email/verify?token=${mails.token(first)}`, headers: bearer(token) })
  }
  t.equal((await get('/auth/me', token)).json().email_verified, false, 'a scanner of mails proves nothing')
})

t.test('an address that takes no mail any more is asked again, and is good again once it answers', async (t) => {
  const { app, post, sql } = await buildOnFile(t, { mail: { worker: false } })
  const mails = outbox(app)
  const names = { username: 'ada', email: 'ada@example.com', password }
  const { access_token: token } = (await post('/auth/register', names)).json()
  await post('/auth/email/verify', { token: mails.token(await mails.next('verify')) })
  await sql.exec("update accounts_users set mail_failed_at = '2026-01-01 00:00:00'")
  const send = async () => (await post('/auth/email/verify/send', {}, token)).statusCode
  t.same([await send(), await send()], [202, 202])
  await flushMail(app)
  t.equal((await post('/auth/email/verify', { token: mails.token(mails.last('verify')) })).statusCode, 204)
  t.equal(await send(), 204)
})

t.test('a mail that nobody needs any more when it is to be sent is not sent', async (t) => {
  const { app, mails, flush, post, signUpWithMail } = await buildWithMail(t, { ...offered, mail: { worker: false } })
  const { access_token: token, user } = await signUpWithMail()
  const link = mails.token(await mails.next('verify'))
  await post('/auth/email/verify/send', {}, token)
  await post('/auth/email/verify', { token: link })
  await flush()
  t.equal(mails.mails.length, 1, 'it is verified')
  await app.accounts.users.update(user.id, { email: 'lovelace@example.com' })
  await post('/auth/email/verify/send', {}, token)
  await app.accounts.users.update(user.id, { email: null })
  mails.clear()
  await flush()
  t.match(mails.mails, [{ kind: 'email-changed' }], 'there is no address')
})

t.test('who was deleted meanwhile is told so', async (t) => {
  const { app, post, get, sql, signUp } = await buildOnFile(t, { mail: true })
  const { access_token: token } = await signUp()
  await get('/guarded', token)
  for (const table of ['sessions', 'users']) await sql.exec(`delete from accounts_${table}`)
  t.match((await post('/auth/email/verify/send', {}, token)).json(), { code: 'ACCOUNTS_TOKEN_REVOKED' })
  t.equal(app.accounts.counters.usersRead, 1)
})

t.test('a link is good for a day, for the address that it went to, and for nothing else', async (t) => {
  const { app, mails, post, signUpWithMail } = await buildWithMail(t, offered)
  const { user } = await signUpWithMail()
  const token = mails.token(await mails.next('verify'))
  for (const path of ['password/reset', 'email/verify']) {
    const more = path === 'password/reset' ? { new_password: otherPassword } : {}
    const wrong = { token: token.replace(/.$/, (last) => last === 'A' ? 'B' : 'A'), ...more }
    t.match((await post(`/auth/${path}`, wrong)).json(), { statusCode: 400, code: 'ACCOUNTS_PROOF_INVALID' })
  }
  t.equal((await post('/auth/password/reset', { token, new_password: otherPassword })).statusCode, 400)

  await app.accounts.users.update(user.id, { email: 'lovelace@example.com' })
  t.equal((await post('/auth/email/verify', { token })).statusCode, 400)
  await app.accounts.users.update(user.id, { email: 'ada@example.com' })
  const time = clock()
  t.teardown(time.restore)
  time.advance('25h')
  t.equal((await post('/auth/email/verify', { token })).statusCode, 400)
})

t.test('of many who show one link at once a single one succeeds', async (t) => {
  const { mails, post, signUpWithMail } = await buildWithMail(t, offered)
  await signUpWithMail()
  const token = mails.token(await mails.next('verify'))
  const answers = await Promise.all(Array.from({ length: 12 }, () => post('/auth/email/verify', { token })))
  t.same(answers.map(({ statusCode }) => statusCode).sort(), [204, ...Array(11).fill(400)])
})

t.test('whoever reads the mailbox of a mistyped address takes it from the account, whose sessions end', async (t) => {
  const { app, mails, post, get, signUpWithMail, login } = await buildWithMail(t, offered)
  const { access_token: token, user } = await signUpWithMail()
  const link = mails.token(await mails.next('verify'))
  t.match(await post('/auth/email/disown', { token: link }), { statusCode: 204, body: '' })
  t.match((await get('/guarded', token)).json(), { code: 'ACCOUNTS_TOKEN_REVOKED' })
  t.match(await app.accounts.users.find(user.id), { email: null, email_verified: false })
  t.equal((await login('ada', password)).statusCode, 200, 'by the name they are still who they were')
  for (const path of ['disown', 'verify']) {
    t.match((await post(`/auth/email/${path}`, { token: link })).json(), { code: 'ACCOUNTS_PROOF_INVALID' })
  }
  t.equal((await signUpWithMail('lovelace', 'ada@example.com')).user.email, 'ada@example.com', 'it is free again')
})

t.test('an account that had nothing but that address lets nobody in any more', async (t) => {
  const { app, mails, post } = await buildWithMail(t, { ...offered, identifiers: ['email'] })
  const names = { email: 'ada@example.com', password }
  const { user } = (await post('/auth/register', names)).json()
  await post('/auth/email/disown', { token: mails.token(await mails.next('verify')) })
  t.equal((await post('/auth/login', names)).statusCode, 401)
  t.equal(await app.accounts.users.verifyPassword(user.id, password), null)
  t.match(await app.accounts.users.find(user.id), { email: null, username: null })
})

t.test('an address that was proved is disowned by nobody, and a code disowns nothing', async (t) => {
  const { app, mails, post, signUpWithMail } = await buildWithMail(t, offered)
  const { user, access_token: token, email_challenge: { challenge_id: challenge } } = await signUpWithMail()
  const first = await mails.next('verify')
  const body = { challenge_id: challenge, code: mails.code(first) }
  for (const wrong of [body, {}, { token: 1 }, { token: mails.token(first), code: '1' }]) {
    t.match((await post('/auth/email/disown', wrong)).json(), { statusCode: 400, code: 'ACCOUNTS_INPUT_INVALID' })
  }
  await post('/auth/email/verify/send', {}, token)
  const second = await mails.next('verify')
  const { id: other } = await app.accounts.users.create({
    username: 'bob', email: 'bob@example.com', emailVerifiedAt: new Date(),
  })
  await post('/auth/email/verify', { token: mails.token(first) })
  t.match((await post('/auth/email/disown', { token: mails.token(second) })).json(), { code: 'ACCOUNTS_PROOF_INVALID' })
  t.match(await app.accounts.users.find(user.id), { email: 'ada@example.com', email_verified: true })
  t.match(await app.accounts.users.find(other), { email: 'bob@example.com', email_verified: true })
})

t.test('who is disabled proves nothing and gets no mail', async (t) => {
  const { app, mails, flush, post, signUpWithMail } = await buildWithMail(t, offered)
  const { user } = await signUpWithMail()
  const token = mails.token(await mails.next('verify'))
  await app.accounts.users.disable(user.id)
  for (const path of ['verify', 'disown']) {
    t.match((await post(`/auth/email/${path}`, { token })).json(), { code: new errors.ProofInvalid().code })
  }
  await flush()
  t.equal(mails.mails.length, 1)
})
