// On each database.
import t, { type Test } from 'tap'
import type { AccountsOptions } from '../../../lib/index.ts'
import { clock } from '../../../lib/testing.ts'
import { bearer, build, buildOnFile, password } from '../../support/build.ts'
import { buildWithMail, otherPassword } from '../../support/mail.ts'

const next = 'lovelace@example.com'

/** An app with mails, and what is done about addresses in it. */
async function buildForChange (t: Test, options: AccountsOptions = {}) {
  const built = await buildWithMail(t, options)
  const { app, mails, post } = built
  const put = (token: string | undefined, body: object) =>
    app.inject({ method: 'PUT', url: '/auth/email', headers: bearer(token), payload: body })
  return {
    ...built,
    put,
    confirm: (token: string) => post('/auth/email/change', { token }),
    revert: (token: string) => post('/auth/email/revert', { token }),
    emailOf: async (id: string) => (await app.accounts.users.find(id))!.email,
    /** Opens an account with an address that is proved. */
    async signUpVerified (username = 'ada') {
      const { access_token: token, user } = await built.signUpWithMail(username)
      await post('/auth/email/verify/send', {}, token)
      await post('/auth/email/verify', { token: mails.token(await mails.next('verify', { to: user.email })) })
      return { token, user }
    },
    /** Changes an address, and gives the link by which the old one takes it back. */
    async moveTo (token: string, email: string) {
      await put(token, { email })
      await post('/auth/email/change', { token: mails.token(await mails.next('change', { to: email })) })
      return mails.token(await mails.next('email-changed'))
    },
  }
}

t.test('another address counts once it is proved, and the old one is told with a way back', async (t) => {
  const { app, mails, put, confirm, get, signUpVerified, emailOf, login } = await buildForChange(t)
  const { token, user } = await signUpVerified()
  const asked = await put(token, { email: 'Lovelace@example.com' })
  t.equal(asked.statusCode, 202)
  t.match(asked.json(), { challenge_id: /^[\w-]{22}$/, expires_in: 3600, resend_in: 60 })
  const mail = await mails.next('change')
  t.equal(mail.to.address, 'Lovelace@example.com')
  t.equal(await emailOf(user.id), 'ada@example.com', 'nothing has changed')

  t.match(await confirm(mails.token(mail)), { statusCode: 204, body: '' })
  t.match((await get('/guarded', token)).json().user, { email: 'Lovelace@example.com', email_verified: true })
  const notice = await mails.next('email-changed')
  t.match(notice, { to: { address: 'ada@example.com' }, text: /good for 7 days[^]+pages\/revert#/ })
  t.equal((await confirm(mails.token(mail))).statusCode, 400, 'once')
  t.equal((await login('lovelace@example.com', password)).statusCode, 200)
  t.equal(await app.accounts.users.find('ada@example.com'), null)
})

t.test('or by the code, in the page that asked', async (t) => {
  const { mails, put, post, signUpVerified, emailOf } = await buildForChange(t)
  const { token, user } = await signUpVerified()
  const { challenge_id: challenge } = (await put(token, { email: next })).json()
  const code = mails.code(await mails.next('change'))
  t.equal((await post('/auth/email/change', { challenge_id: challenge, code })).statusCode, 204)
  t.equal(await emailOf(user.id), next)
})

t.test('it asks for a password that was given lately, and for an address', async (t) => {
  const { put, post, signUpVerified } = await buildForChange(t)
  const { token } = await signUpVerified()
  t.equal((await put(undefined, { email: next })).statusCode, 401)
  for (const body of [{}, { email: 1 }, { email: 'no address' }, { email: next, challenge_id: 'x' }, { email: null }]) {
    t.match((await put(token, body)).json(), { statusCode: 400, code: 'ACCOUNTS_INPUT_INVALID' })
  }
  for (const address of ['a@b.de\r\nBcc: c@d.de', 'a@b.de, c@d.de', '<a@b.de>', 'a@b', 'a\0@b.de', '"a"@b.de']) {
    t.match((await put(token, { email: address })).json(), { code: 'ACCOUNTS_INPUT_INVALID' }, JSON.stringify(address))
  }
  const long = `${'x'.repeat(22)}.${'y'.repeat(43)}`
  for (const path of ['change', 'revert']) {
    for (const body of [{}, { token: 1 }, { token: long, code: '12345678' }]) {
      t.match((await post(`/auth/email/${path}`, body)).json(), { code: 'ACCOUNTS_INPUT_INVALID' })
    }
    t.match((await post(`/auth/email/${path}`, { token: long })).json(), { code: 'ACCOUNTS_PROOF_INVALID' })
  }
  const time = clock()
  t.teardown(time.restore)
  time.advance('11m')
  t.match((await put(token, { email: next })).json(), { statusCode: 401, code: 'ACCOUNTS_TOKEN_STALE' })
})

t.test('the answer is the same for an address that somebody has, who is told, and that proves nothing', async (t) => {
  const { mails, flush, put, signUpVerified, signUpWithMail } = await buildForChange(t)
  const { token } = await signUpVerified()
  await signUpWithMail('Bob')
  mails.clear()
  for (const email of ['bob@example.com', next]) {
    const { statusCode, headers, body } = await put(token, { email })
    t.equal(statusCode, 202)
    t.equal(headers['content-length'], '74')
    t.match(body, /^\{"challenge_id":"[\w-]{22}","expires_in":3600,"resend_in":60\}$/)
  }
  await flush()
  t.match(mails.mails, [
    { kind: 'address-taken', to: { address: 'Bob@example.com' } }, { kind: 'change', to: { address: next } },
  ])
  t.notMatch(mails.last('address-taken').text, /#[\w-]{22}\.|^ *\d{4} \d{4}$/m)
})

t.test('of two who prove one address at a time one has it, and the other is told', async (t) => {
  const { mails, put, confirm, signUpVerified, emailOf } = await buildForChange(t)
  const people = [await signUpVerified('ada'), await signUpVerified('bob')]
  const links: string[] = []
  for (const { token } of people) {
    await put(token, { email: next })
    links.push(mails.token(await mails.next('change')))
  }
  const answers = await Promise.all(links.map(confirm))
  t.same(answers.map(({ statusCode }) => statusCode).sort(), [204, 409])
  const [loser, winner] = answers[0]!.statusCode === 409 ? [0, 1] : [1, 0]
  t.match(answers[loser]!.json(), { code: 'ACCOUNTS_USER_EXISTS', field: 'email' })
  t.equal(await emailOf(people[winner]!.user.id), next)
  t.match(await emailOf(people[loser]!.user.id), /^(ada|bob)@example\.com$/)
  t.equal((await confirm(links[winner]!)).statusCode, 400)
})

t.test('of two addresses of one user that are proved at a time one counts, and never a mixture', async (t) => {
  const { app, mails, put, confirm, signUpVerified } = await buildForChange(t)
  const { token, user } = await signUpVerified()
  const links: string[] = []
  const addresses = [next, 'countess@example.com']
  for (const email of addresses) {
    await put(token, { email })
    links.push(mails.token(await mails.next('change')))
  }
  const answers = await Promise.all([...links, ...links].map(confirm))
  t.same(answers.map(({ statusCode }) => statusCode).sort(), [204, 400, 400, 400])
  const winner = answers.findIndex(({ statusCode }) => statusCode === 204) % 2
  t.match(await app.accounts.users.find(user.id), { email: addresses[winner], email_verified: true })
  t.ok(await app.accounts.users.find(addresses[winner]!))
})

t.test('another password, and being signed out everywhere, void what was asked before', async (t) => {
  const { app, mails, flush, put, confirm, signUpVerified, signIn } = await buildForChange(t, {
    mail: { worker: false },
  })
  const { token, user } = await signUpVerified()
  await put(token, { email: next })
  const link = mails.token(await mails.next('change'))
  await app.accounts.sessions.revokeAll(user.id)
  t.equal((await confirm(link)).statusCode, 400)

  const { challenge_id: challenge } = (await put((await signIn()).access_token, { email: next })).json()
  await app.accounts.users.setPassword(user.id, otherPassword)
  mails.clear()
  await flush()
  t.same(mails.mails.map(({ kind }) => kind), ['password-changed'], 'also what was not sent yet')

  const signedIn = await app.accounts.issueTokens(user.id, { authTime: new Date() })
  await put(signedIn.access_token, { email: next, challenge_id: challenge })
  t.equal((await confirm(mails.token(await mails.next('change')))).statusCode, 204)
})

t.test('the same challenge has the same link sent again, unless it is void meanwhile', async (t) => {
  const { app, mails, put, signUpVerified, signIn } = await buildForChange(t)
  const { token, user } = await signUpVerified()
  const { challenge_id: challenge } = (await put(token, { email: next })).json()
  const first = mails.token(await mails.next('change'))
  await put(token, { email: next, challenge_id: challenge })
  t.equal(mails.token(await mails.next('change')), first)
  await app.accounts.sessions.revokeAll(user.id)
  await put((await signIn()).access_token, { email: next, challenge_id: challenge })
  t.not(mails.token(await mails.next('change')), first)
})

t.test('an address that nobody had proved is told nothing, and one in another spelling neither', async (t) => {
  const { app, mails, flush, put, confirm, post, signUpWithMail, signUpVerified } = await buildForChange(t)
  const { access_token: token } = await signUpWithMail()
  await put(token, { email: next })
  await confirm(mails.token(await mails.next('change')))

  const bob = await signUpVerified('bob')
  await put(bob.token, { email: 'BOB@example.com' })
  await confirm(mails.token(await mails.next('change')))
  t.match(await app.accounts.users.find(bob.user.id), { email: 'BOB@example.com', email_verified: true })
  await flush()
  t.notOk(mails.mails.some(({ kind }) => kind === 'email-changed'))
  t.equal((await post('/auth/email/verify/send', {}, bob.token)).statusCode, 204)
})

t.test('a link to verify disowns nothing once the address was proved otherwise', async (t) => {
  const { mails, post, put, confirm, signUpWithMail, emailOf } = await buildForChange(t, { email: {} })
  const { access_token: token, user } = await signUpWithMail()
  const link = mails.token(await mails.next('verify'))
  await put(token, { email: 'ada@example.com' })
  await confirm(mails.token(await mails.next('change')))
  t.match((await post('/auth/email/disown', { token: link })).json(), { code: 'ACCOUNTS_PROOF_INVALID' })
  t.equal(await emailOf(user.id), 'ada@example.com')
  t.equal((await post('/auth/email/verify', { token: link })).statusCode, 204, 'to verify it again does no harm')
})

t.test('the old address takes the account back: nobody is in, until another password is chosen', async (t) => {
  const { app, mails, put, post, get, signUpVerified, moveTo, revert, confirm, login } = await buildForChange(t)
  const { token, user } = await signUpVerified()
  const link = await moveTo(token, next)
  await put(token, { email: 'third@example.com' })
  const pending = mails.token(await mails.next('change'))

  t.match(await revert(link), { statusCode: 204, body: '' })
  t.match(await app.accounts.users.find(user.id), { email: 'ada@example.com', email_verified: true })
  t.equal((await get('/guarded', token)).statusCode, 401, 'every session is over')
  t.equal((await confirm(pending)).statusCode, 400)
  t.equal((await revert(link)).statusCode, 400, 'once')
  t.match((await login('ada', password)).json(), { statusCode: 403, code: 'ACCOUNTS_PASSWORD_RESET_REQUIRED' })
  t.equal((await login('ada', otherPassword)).statusCode, 401, 'a wrong one is told nothing')

  const mail = await mails.next('reset')
  t.equal(mail.to.address, 'ada@example.com')
  const proof = { token: mails.token(mail), new_password: otherPassword }
  t.equal((await post('/auth/password/reset', proof)).statusCode, 204)
  t.equal((await login('ada', otherPassword)).statusCode, 200)
})

t.test('however often a thief changes the address, the first one takes it back, and no later one then', async (t) => {
  const { signUpVerified, moveTo, revert, emailOf } = await buildForChange(t)
  const { token, user } = await signUpVerified()
  const links: string[] = []
  for (const number of [1, 2, 3, 4, 5]) links.push(await moveTo(token, `thief${number}@example.com`))
  t.equal((await revert(links[2]!)).statusCode, 204)
  t.equal(await emailOf(user.id), 'thief2@example.com', 'a thief may try')
  t.equal((await revert(links[3]!)).statusCode, 400)
  t.equal((await revert(links[0]!)).statusCode, 204)
  t.equal(await emailOf(user.id), 'ada@example.com')
  for (const link of links) t.equal((await revert(link)).statusCode, 400)
})

t.test('the way back is open for seven days', async (t) => {
  const { signUpVerified, moveTo, revert } = await buildForChange(t)
  const { token } = await signUpVerified()
  const link = await moveTo(token, next)
  const time = clock()
  t.teardown(time.restore)
  time.advance('6d')
  time.advance('25h')
  t.equal((await revert(link)).statusCode, 400)
})

t.test('who has the old address meanwhile keeps it', async (t) => {
  const { signUpVerified, signUpWithMail, moveTo, revert } = await buildForChange(t)
  const { token } = await signUpVerified()
  const link = await moveTo(token, next)
  await signUpWithMail('bob', 'ada@example.com')
  t.match((await revert(link)).json(), { statusCode: 409, code: 'ACCOUNTS_USER_EXISTS', field: 'email' })
})

t.test('an account that a thief has closed is taken back too, and a disabled one is not', async (t) => {
  const { app, signUpVerified, moveTo, revert, login } = await buildForChange(t, { closing: { grace: '14d' } })
  const ada = await signUpVerified()
  const bob = await signUpVerified('bob')
  const links = [await moveTo(ada.token, next), await moveTo(bob.token, 'other@example.com')]
  await app.inject({ method: 'DELETE', url: '/auth/me', headers: bearer(ada.token) })
  t.match((await login('ada', password)).json(), { statusCode: 403 })
  t.equal((await revert(links[0]!)).statusCode, 204)
  t.match((await login('ada', password)).json(), { code: 'ACCOUNTS_PASSWORD_RESET_REQUIRED' })

  await app.accounts.users.disable(bob.user.id)
  t.equal((await revert(links[1]!)).statusCode, 400)
})

t.test('an address that code changes is not verified, and the old one is told; switched off, it is not', async (t) => {
  const change = async (options: AccountsOptions) => {
    const { app, mails, flush, revert, emailOf } = await buildForChange(t, options)
    const { users } = app.accounts
    const { id } = await users.create({ username: 'ada', email: 'ada@example.com', emailVerifiedAt: new Date() })
    t.match(await users.update(id, { email: next }), { email: next, email_verified: false })
    await users.update(id, { username: 'Ada' })
    await flush()
    if (mails.mails.length === 0) return
    t.equal((await revert(mails.token(mails.last('email-changed', 'ada@example.com')))).statusCode, 204)
    return emailOf(id)
  }
  t.equal(await change({}), 'ada@example.com')
  t.equal(await change({ mail: { notices: { emailChanged: false } } }), undefined)
  t.equal(await change({ routes: { changeEmail: false } }), undefined)
})

t.test('with confirmOld a verified old address agrees first', async (t) => {
  const { mails, put, post, confirm, signUpVerified, emailOf } = await buildForChange(t, {
    email: { confirmOld: true },
  })
  const { token, user } = await signUpVerified()
  const { challenge_id: challenge } = (await put(token, { email: next })).json()
  const first = await mails.next('change-from')
  t.equal(first.to.address, 'ada@example.com')
  await put(token, { email: 'other@example.com', challenge_id: challenge })
  t.not(mails.token(await mails.next('change-from')), mails.token(first), 'for another address another link')
  t.equal((await confirm(mails.token(first))).statusCode, 400)

  const typed = mails.code(mails.last('change-from'))
  const agreed = await post('/auth/email/change', { challenge_id: challenge, code: typed })
  t.equal(agreed.statusCode, 202)
  t.not(agreed.json().challenge_id, challenge)
  t.equal(await emailOf(user.id), 'ada@example.com')
  const code = mails.code(await mails.next('change'))
  t.equal(mails.last('change').to.address, 'other@example.com')
  const done = await post('/auth/email/change', { challenge_id: agreed.json().challenge_id, code })
  t.equal(done.statusCode, 204)
  t.equal(await emailOf(user.id), 'other@example.com')
})

t.test('with confirmOld an address that was not verified is not asked, and one of before no more', async (t) => {
  const { app, mails, put, confirm, signUpWithMail, signUpVerified } = await buildForChange(t, {
    email: { confirmOld: true },
  })
  const { access_token: token } = await signUpWithMail()
  await put(token, { email: next })
  t.equal((await mails.next('change')).to.address, next)
  const bob = await signUpVerified('bob')
  await put(bob.token, { email: 'new@example.com' })
  const link = mails.token(await mails.next('change-from'))
  await app.accounts.users.update(bob.user.id, { email: 'another@example.com' })
  t.equal((await confirm(link)).statusCode, 400)
})

t.test('a session that goes on is not made fresher while another password is due', async (t) => {
  const { post, sql, signUp } = await buildOnFile(t, { mail: true })
  const { access_token: token } = await signUp()
  await sql.exec("update accounts_users set reset_due_at = '2026-01-01 00:00:00'")
  const give = async (given: string) => (await post('/auth/reauthenticate', { password: given }, token)).json()
  t.match(await give(password), { statusCode: 403, code: 'ACCOUNTS_PASSWORD_RESET_REQUIRED' })
  t.match(await give(otherPassword), { statusCode: 401, code: 'ACCOUNTS_CREDENTIALS_INVALID' })
})

t.test('a password that code sets needs no other one', async (t) => {
  const { app, signUpVerified, moveTo, revert, login } = await buildForChange(t)
  const { token, user } = await signUpVerified()
  await revert(await moveTo(token, next))
  await app.accounts.users.setPassword(user.id, otherPassword)
  t.equal((await login('ada', otherPassword)).statusCode, 200)
})

t.test('what has happened to an address is told, and no proof of one purpose opens another', async (t) => {
  const told: string[] = []
  const { subscribe, unsubscribe } = await import('node:diagnostics_channel')
  for (const type of ['verified', 'changed', 'reverted', 'disowned']) {
    const note = (event: unknown) => {
      told.push(type)
      t.match(event, { userId: /./ })
      t.notMatch(JSON.stringify(event), /example\.com/)
    }
    subscribe(`fastify-jwt-accounts:email-${type}`, note)
    t.teardown(() => unsubscribe(`fastify-jwt-accounts:email-${type}`, note))
  }
  const { mails, post, put, signUpVerified, signUpWithMail, moveTo, revert } = await buildForChange(t)
  const { token } = await signUpVerified()
  await put(token, { email: 'third@example.com' })
  const change = mails.token(await mails.next('change'))
  const back = await moveTo(token, next)
  for (const [path, wrong] of [['revert', change], ['verify', change], ['change', back], ['disown', back]] as const) {
    t.equal((await post(`/auth/email/${path}`, { token: wrong })).statusCode, 400)
  }
  await revert(back)
  const bob = await signUpWithMail('bob')
  await post('/auth/email/verify/send', {}, bob.access_token)
  await post('/auth/email/disown', { token: mails.token(await mails.next('verify')) })
  t.same(told, ['verified', 'changed', 'reverted', 'disowned'])
})

t.test('without mail there are no such routes', async (t) => {
  const { app, signUp } = await build(t)
  const { access_token: token } = await signUp()
  const asked = { method: 'PUT', url: '/auth/email', headers: bearer(token), payload: { email: next } } as const
  t.equal((await app.inject(asked)).statusCode, 404)
})
