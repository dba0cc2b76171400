// On each database.
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import t from 'tap'
import { clock } from '../../../lib/testing.ts'
import { build, password } from '../../support/build.ts'
import { buildWithMail, otherPassword } from '../../support/mail.ts'

t.test('who has forgotten the password chooses another one by the link, and is signed in by nothing', async (t) => {
  const { mails, post, get, signUpWithMail, login } = await buildWithMail(t)
  const { access_token: token } = await signUpWithMail()
  const asked = await post('/auth/password/forgot', { email: 'Ada@Example.com' })
  t.equal(asked.statusCode, 202)
  t.match(asked.json(), { challenge_id: /^[\w-]{22}$/, expires_in: 3600, resend_in: 60 })

  const mail = await mails.next('reset')
  t.equal(mail.to.address, 'ada@example.com')
  const answer = await post('/auth/password/reset', { token: mails.token(mail), new_password: otherPassword })
  t.equal(answer.statusCode, 204)
  t.equal(answer.body, '')
  t.strictSame(answer.cookies, [])
  t.equal((await get('/guarded', token)).statusCode, 401, 'every session is over')
  t.equal((await login('ada', password)).statusCode, 401)
  t.equal((await login('ada', otherPassword)).statusCode, 200)
  t.equal((await mails.next('password-changed')).to.address, 'ada@example.com')
})

t.test('or by the code, typed with blanks, together with what the asking page was given', async (t) => {
  const { mails, post, signUpWithMail, login } = await buildWithMail(t)
  await signUpWithMail()
  const { challenge_id: challenge } = (await post('/auth/password/forgot', { username: 'ada' })).json()
  const code = mails.code(await mails.next('reset'))
  t.match(code, /^\d{8}$/)
  const typed = `${code.slice(0, 4)} ${code.slice(4)}`

  const reset = (body: object) => post('/auth/password/reset', { ...body, new_password: otherPassword })
  t.match((await reset({ challenge_id: 'x'.repeat(22), code })).json(), { code: 'ACCOUNTS_PROOF_INVALID' })
  t.equal((await reset({ challenge_id: challenge, code: typed })).statusCode, 204)
  t.equal((await login('ada', otherPassword)).statusCode, 200)
  t.match((await reset({ challenge_id: challenge, code })).json(), { code: 'ACCOUNTS_PROOF_INVALID' }, 'once')
})

t.test('the answer is the same whether there is such an account or not, and only who has one gets a mail', async (t) => {
  const { app, mails, flush, post, signUpWithMail } = await buildWithMail(t)
  await signUpWithMail()
  await signUpWithMail('eve')
  const eve = (await app.accounts.users.find('eve'))!
  await app.accounts.users.disable(eve.id)
  for (const email of ['ada@example.com', 'nobody@example.com', 'eve@example.com', 'no address', 'ada']) {
    const { statusCode, headers, body } = await post('/auth/password/forgot', { email })
    t.equal(statusCode, 202)
    t.equal(headers['content-length'], '74')
    t.match(body, /^\{"challenge_id":"[\w-]{22}","expires_in":3600,"resend_in":60\}$/)
  }
  await flush()
  const reached = new Set(mails.mails.filter(({ kind }) => kind === 'reset').map(({ to }) => to.address))
  t.strictSame([...reached], ['ada@example.com'])
})

t.test('with mail.unknown tell, an address without an account is told so', async (t) => {
  const { mails, post } = await buildWithMail(t, { mail: { unknown: 'tell' } })
  await post('/auth/password/forgot', { email: 'nobody@example.com' })
  t.equal((await mails.next('unknown')).to.address, 'nobody@example.com')
})

t.test('whoever asks again with the same challenge has the same link and code sent again, a minute later', async (t) => {
  const { mails, flush, post, signUpWithMail } = await buildWithMail(t, { throttle: {} })
  await signUpWithMail()
  const { challenge_id: challenge } = (await post('/auth/password/forgot', { email: 'ada@example.com' })).json()
  const first = await mails.next('reset')
  const again = await post('/auth/password/forgot', { email: 'ada@example.com', challenge_id: challenge })
  t.equal(again.json().challenge_id, challenge)
  await post('/auth/password/forgot', { email: 'ada@example.com', challenge_id: challenge })
  await flush()
  t.equal(mails.mails.filter(({ kind }) => kind === 'reset').length, 1, 'not yet')

  const time = clock()
  t.teardown(time.restore)
  time.advance('61s')
  await flush()
  const sent = mails.mails.filter(({ kind }) => kind === 'reset')
  t.equal(sent.length, 2, 'one for both')
  t.equal(mails.code(sent[1]!), mails.code(first))
  t.equal(mails.token(sent[1]!), mails.token(first))
})

t.test('whoever asks again once the code is over has another one sent, which is good', async (t) => {
  const { mails, post, signUpWithMail } = await buildWithMail(t)
  await signUpWithMail()
  const time = clock()
  t.teardown(time.restore)
  const { challenge_id: challenge } = (await post('/auth/password/forgot', { username: 'ada' })).json()
  const first = await mails.next('reset')
  time.advance('11m')
  await post('/auth/password/forgot', { username: 'ada', challenge_id: challenge })
  const code = mails.code(await mails.next('reset'))
  t.not(code, mails.code(first))
  const reset = (proof: object) => post('/auth/password/reset', { ...proof, new_password: otherPassword })
  t.equal((await reset({ token: mails.token(first) })).statusCode, 400, 'its link goes with it')
  t.equal((await reset({ challenge_id: challenge, code })).statusCode, 204)
})

t.test('a password that breaks a rule costs neither the link nor the code', async (t) => {
  const { mails, post, signUpWithMail } = await buildWithMail(t)
  await signUpWithMail()
  const { challenge_id: challenge } = (await post('/auth/password/forgot', { username: 'ada' })).json()
  const mail = await mails.next('reset')
  const shown = [{ token: mails.token(mail) }, ...Array(7).fill({ challenge_id: challenge, code: mails.code(mail) })]
  for (const proof of shown) {
    const answer = await post('/auth/password/reset', { ...proof, new_password: 'short' })
    t.match(answer.json(), { statusCode: 400, code: 'ACCOUNTS_PASSWORD_REJECTED' })
  }
  const answer = await post('/auth/password/reset', { ...shown[1], new_password: otherPassword })
  t.equal(answer.statusCode, 204)
})

t.test('five guesses at a code are judged, and no more, however many come at once', async (t) => {
  const { mails, post, signUpWithMail } = await buildWithMail(t)
  await signUpWithMail()
  const { challenge_id: challenge } = (await post('/auth/password/forgot', { username: 'ada' })).json()
  const code = mails.code(await mails.next('reset'))
  const wrong = code.replace(/\d$/, (digit) => `${(Number(digit) + 1) % 10}`)
  const guess = (guessed: string) =>
    post('/auth/password/reset', { challenge_id: challenge, code: guessed, new_password: otherPassword })
  const answers = await Promise.all(Array.from({ length: 12 }, () => guess(wrong)))
  t.ok(answers.every(({ statusCode }) => statusCode === 400))
  t.match((await guess(code)).json(), { code: 'ACCOUNTS_PROOF_INVALID' }, 'the right one comes too late')
})

t.test('a link is good for an hour and a code for ten minutes', async (t) => {
  const { mails, post, signUpWithMail } = await buildWithMail(t)
  await signUpWithMail()
  const time = clock()
  t.teardown(time.restore)
  const { challenge_id: challenge } = (await post('/auth/password/forgot', { username: 'ada' })).json()
  const mail = await mails.next('reset')
  const reset = (proof: object) => post('/auth/password/reset', { ...proof, new_password: otherPassword })
  time.advance('11m')
  t.equal((await reset({ challenge_id: challenge, code: mails.code(mail) })).statusCode, 400)
  time.advance('50m')
  t.equal((await reset({ token: mails.token(mail) })).statusCode, 400)
})

t.test('another password, a disabled account and another address make open mails void', async (t) => {
  const { app, mails, post, signUpWithMail } = await buildWithMail(t)
  const { user } = await signUpWithMail()
  const { users } = app.accounts
  const ends = {
    'another password': () => users.setPassword(user.id, `${otherPassword}!`),
    'a disabled account': () => users.disable(user.id).then(() => users.enable(user.id)),
    'another address': () => users.update(user.id, { email: 'lovelace@example.com' }),
  }
  const time = clock()
  t.teardown(time.restore)
  for (const [what, end] of Object.entries(ends)) {
    time.advance('20m')
    await post('/auth/password/forgot', { username: 'ada' })
    const token = mails.token(await mails.next('reset'))
    await end()
    const answer = await post('/auth/password/reset', { token, new_password: otherPassword })
    t.match(answer.json(), { code: 'ACCOUNTS_PROOF_INVALID' }, what)
  }
})

t.test('who proves to read the mailbox of an address that nobody had proved takes the account over', async (t) => {
  const told: unknown[] = []
  const { app, mails, post, get, signUpWithMail } = await buildWithMail(t, {
    hooks: { onReclaim: async (em, user) => { told.push([em.isInTransaction(), user.username]) } },
  })
  const { access_token: token, user } = await signUpWithMail()
  await post('/auth/password/forgot', { username: 'ada' })
  const [link] = [mails.token(await mails.next('reset'))]
  t.equal((await post('/auth/password/reset', { token: link, new_password: otherPassword })).statusCode, 204)
  t.equal((await get('/guarded', token)).statusCode, 401)
  t.strictSame(told, [[true, 'ada']])
  t.ok((await app.accounts.users.find(user.id))!.email)
})

t.test('a hook that fails leaves everything as it was', async (t) => {
  const { mails, post, get, signUpWithMail, login } = await buildWithMail(t, {
    hooks: { onReclaim: () => { throw Object.assign(new Error('Not now'), { statusCode: 409 }) } },
  })
  const { access_token: token } = await signUpWithMail()
  await post('/auth/password/forgot', { username: 'ada' })
  const link = mails.token(await mails.next('reset'))
  const reset = () => post('/auth/password/reset', { token: link, new_password: otherPassword })
  t.match((await reset()).json(), { statusCode: 409, message: 'Not now' })
  t.equal((await reset()).statusCode, 409, 'the link is still good')
  t.equal((await get('/guarded', token)).statusCode, 200)
  t.equal((await login('ada', password)).statusCode, 200)
})

t.test('bodies of another form are refused before anything is looked at', async (t) => {
  const { post } = await buildWithMail(t)
  const proof = { token: 'x', new_password: otherPassword }
  for (const body of [{}, { code: '1' }, { ...proof, challenge_id: 'x' }, { ...proof, code: '12345678' }, { token: 1 }]) {
    t.match((await post('/auth/password/reset', body)).json(), { statusCode: 400, code: 'ACCOUNTS_INPUT_INVALID' })
  }
  for (const body of [{}, { email: 'a@b.de', username: 'a' }, { email: 1 }, { email: 'a@b.de', challenge_id: '1' }]) {
    t.match((await post('/auth/password/forgot', body)).json(), { statusCode: 400, code: 'ACCOUNTS_INPUT_INVALID' })
  }
  const long = { token: `${'x'.repeat(22)}.${'y'.repeat(43)}`, new_password: otherPassword }
  t.match((await post('/auth/password/reset', long)).json(), { code: 'ACCOUNTS_PROOF_INVALID' })
})

t.test('more mails than an address may get are not sent, and nobody is told', async (t) => {
  const { mails, flush, post, signUpWithMail } = await buildWithMail(t, {
    throttle: { mail: { address: 2, network: 100 } },
  })
  await signUpWithMail()
  const time = clock()
  t.teardown(time.restore)
  for (let asked = 0; asked < 4; asked++) {
    t.equal((await post('/auth/password/forgot', { username: 'ada' })).statusCode, 202)
    await flush()
    time.advance('61s')
  }
  t.equal(mails.mails.filter(({ kind }) => kind === 'reset').length, 2)
})

t.test('a network may ask for so many mails, and is told to wait then', async (t) => {
  const { post } = await buildWithMail(t, { throttle: { mail: { address: 5, network: 3 } } })
  const asked = async () => (await post('/auth/password/forgot', { username: 'nobody' })).statusCode
  for (const status of [202, 202, 202, 202, 429]) t.equal(await asked(), status)
})

t.test('the host is told of the other password, and a disabled account gets none', async (t) => {
  const told: unknown[] = []
  const { app, mails, post, signUpWithMail, login } = await buildWithMail(t, {
    hooks: { onPasswordChanged: ({ username }) => { told.push(username) } },
  })
  const { user } = await signUpWithMail()
  await post('/auth/password/forgot', { username: 'ada' })
  const token = mails.token(await mails.next('reset'))
  t.equal((await post('/auth/password/reset', { token, new_password: otherPassword })).statusCode, 204)
  t.strictSame(told, ['ada'])

  await post('/auth/password/forgot', { username: 'ada' })
  const open = mails.token(await mails.next('reset'))
  await app.accounts.users.disable(user.id)
  t.match((await post('/auth/password/reset', { token: open, new_password: password })).json(),
    { code: 'ACCOUNTS_PROOF_INVALID' })
  await app.accounts.users.enable(user.id)
  t.equal((await login('ada', otherPassword)).statusCode, 200)
  t.strictSame(told, ['ada'])
})

t.test('code has a user choose another password: nothing opens the account until they have', async (t) => {
  const { app, mails, get, post, signUpWithMail, login } = await buildWithMail(t)
  const { users } = app.accounts
  const { access_token: token, user: { id } } = await signUpWithMail()
  const told: unknown[] = []
  const note = (event: unknown) => { told.push(event) }
  subscribe('fastify-jwt-accounts:reset-forced', note)
  t.teardown(() => unsubscribe('fastify-jwt-accounts:reset-forced', note))

  t.match(await users.requireReset(id), { id, resetDueAt: Date })
  t.equal((await get('/guarded', token)).statusCode, 401)
  t.match((await login('ada', password)).json(), { statusCode: 403, code: 'ACCOUNTS_PASSWORD_RESET_REQUIRED' })
  t.match((await login('ada', otherPassword)).json(), { code: 'ACCOUNTS_CREDENTIALS_INVALID' })
  t.match(told, [{ userId: id }])

  const link = mails.token(await mails.next('reset'))
  t.equal((await post('/auth/password/reset', { token: link, new_password: otherPassword })).statusCode, 204)
  t.equal((await login('ada', otherPassword)).statusCode, 200)
  t.match(await users.find(id), { resetDueAt: null })
})

t.test('code that asks again has another mail sent, and a password that code gives is enough', async (t) => {
  const { app, mails, flush, signUpWithMail, login } = await buildWithMail(t)
  const { users } = app.accounts
  const { user: { id } } = await signUpWithMail()
  await users.requireReset(id)
  await mails.next('reset')
  await users.requireReset(id)
  const time = clock()
  time.advance('2m')
  await flush().finally(time.restore)
  t.equal(mails.mails.filter(({ kind }) => kind === 'reset').length, 2)
  await users.setPassword(id, otherPassword)
  t.equal((await login('ada', otherPassword)).statusCode, 200)
})

t.test('nobody has to choose another password who could not', async (t) => {
  const { app, signUpWithMail, login } = await buildWithMail(t)
  const { users, orm } = app.accounts
  const { id } = await users.create({ username: 'eve' })
  await t.rejects(users.requireReset(id), { code: 'ACCOUNTS_EMAIL_MISSING' })
  t.match(await users.find(id), { resetDueAt: null })
  for (const none of ['01a20000-0000-7000-8000-000000000000', 'eve', '']) {
    await t.rejects(users.requireReset(none), { code: 'ACCOUNTS_NOT_FOUND' })
  }
  await t.rejects(users.requireReset(id, { m: 1 } as never), { message: /m is not an option of users\.requireReset/ })

  const { user } = await signUpWithMail()
  await t.rejects(orm.em.fork().transactional(async (em) => {
    await users.requireReset(user.id, { em })
    throw new Error('no')
  }), { message: 'no' })
  t.equal((await login('ada', password)).statusCode, 200)

  for (const options of [{}, { mail: true, routes: { resetPassword: false } } as const]) {
    const { app: other } = await build(t, options)
    await t.rejects(other.accounts.users.requireReset(user.id), {
      code: 'ACCOUNTS_OPTIONS_INVALID', message: /requireReset\(\) needs the option mail, and the route resetPassword/,
    })
  }
})

t.test('a mail goes to the address that is stored: one that only looks like it reaches nobody', async (t) => {
  const { mails, flush, post, signUpWithMail } = await buildWithMail(t, { throttle: false })
  await signUpWithMail('kim', 'kim@example.com')
  const others = [
    'kіm@example.com', 'kim@exаmple.com', 'kim@example.com, eve@example.com', 'kim@example.com\r\nBcc: eve@example.com',
    'Kim <kim@example.com>', '<kim@example.com>', '"kim"@example.com', 'kim@example.com\0', 'kim+x@example.com',
    'kim@example.com.evil.example', 'kim@xn--exmple-cua.com',
  ]
  for (const email of others) t.equal((await post('/auth/password/forgot', { email })).statusCode, 202)
  await flush()
  t.same(mails.mails, [])
  for (const email of ['KIM@EXAMPLE.COM', '\u212aim@example.com', 'ｋｉｍ@example.com']) {
    await post('/auth/password/forgot', { email })
  }
  await flush()
  t.same(mails.mails.map(({ to }) => to.address), Array(3).fill('kim@example.com'))
})
