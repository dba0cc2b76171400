// On each database.
import t from 'tap'
import { clock, failMail } from '../../../lib/testing.ts'
import { bearer, build, buildOnFile, password } from '../../support/build.ts'
import { buildWithMail } from '../../support/mail.ts'

const grace = { closing: { grace: '30d' } } as const

t.test('an account is closed at once, without a grace', async (t) => {
  const { app, signUp, get, post } = await build(t)
  const { access_token: token } = await signUp()
  const closed = await app.inject({ method: 'DELETE', url: '/auth/me', headers: bearer(token) })
  t.equal(closed.statusCode, 204)
  t.equal(await app.accounts.users.find('ada'), null)
  t.equal((await get('/guarded', token)).statusCode, 401)
  t.equal((await post('/auth/me/restore', { username: 'ada', password })).statusCode, 404)
})

t.test('with a grace the sessions are over, the name stays taken, and a right password says until when', async (t) => {
  const { app, signUp, signIn, get, post } = await build(t, grace)
  const { access_token: token, user } = await signUp()
  const closed = await app.inject({ method: 'DELETE', url: '/auth/me', headers: bearer(token) })
  t.equal(closed.statusCode, 202)
  const { closes_at: closesAt } = closed.json()
  t.equal(Math.round((Date.parse(closesAt) - Date.now()) / 86_400_000), 30)
  t.equal((await get('/guarded', token)).statusCode, 401)
  t.match(await signIn(), { statusCode: 403, code: 'ACCOUNTS_CLOSING', closes_at: closesAt })
  t.match((await post('/auth/login', { username: 'ada', password: 'another one than that' })).json(),
    { code: 'ACCOUNTS_CREDENTIALS_INVALID' })
  t.match(await signUp(), { code: 'ACCOUNTS_USER_EXISTS' })
  await t.rejects(app.accounts.issueTokens(user.id), { code: 'ACCOUNTS_CLOSING' })
  t.same(await app.accounts.prune(), { ...await app.accounts.prune(), closed: 0 })
})

t.test('who gives name and password keeps the account, and signs in', async (t) => {
  const { app, signUp, signIn, post } = await build(t, grace)
  const { access_token: token } = await signUp()
  await app.inject({ method: 'DELETE', url: '/auth/me', headers: bearer(token) })
  const wrong = await post('/auth/me/restore', { username: 'ada', password: 'another one than that' })
  t.match(wrong.json(), { statusCode: 401, code: 'ACCOUNTS_CREDENTIALS_INVALID' })
  for (const body of [{}, { username: 'ada' }, { token: 'x' }, { username: 'ada', password: 1 }]) {
    t.match((await post('/auth/me/restore', body)).json(), { statusCode: 400, code: 'ACCOUNTS_INPUT_INVALID' })
  }
  t.equal((await post('/auth/me/restore', { username: 'ada', password })).statusCode, 204)
  t.match(await signIn(), { access_token: /./ })
  t.equal((await post('/auth/me/restore', { username: 'ada', password })).statusCode, 204, 'nothing is to be restored')
})

t.test('a mail tells of it, with a link that keeps the account once', async (t) => {
  const { app, mails, flush, post, login, signUpWithMail } = await buildWithMail(t, grace)
  const { access_token: token, user } = await signUpWithMail()
  await app.accounts.orm.em.getConnection().execute('update accounts_users set email_verified_at = created_at')
  await app.inject({ method: 'DELETE', url: '/auth/me', headers: bearer(token) })
  const mail = await mails.next('closing')
  const link = mails.token(mail)
  t.match(mail, { to: { address: 'ada@example.com' }, text: /\/auth\/pages\/restore#/ })
  t.match((await post('/auth/me/restore', { token: link, password })).json(), { code: 'ACCOUNTS_INPUT_INVALID' })
  t.match((await post('/auth/me/restore', { token: `${link.slice(0, -4)}AAAA` })).json(),
    { code: 'ACCOUNTS_PROOF_INVALID' })
  t.equal((await post('/auth/me/restore', { token: link })).statusCode, 204)
  t.equal((await login('ada', password)).statusCode, 200)
  t.match((await post('/auth/me/restore', { token: link })).json(), { code: 'ACCOUNTS_PROOF_INVALID' })
  await flush()
  t.ok(await app.accounts.users.find(user.id))
})

t.test('whose time is over is deleted by the pruner, unless the app refuses', async (t) => {
  const asked: unknown[] = []
  let isReady = false
  const { app, sql, signUp, post } = await buildOnFile(t, {
    ...grace,
    hooks: {
      onClose (em, user) {
        asked.push([em.isInTransaction(), user.username])
        if (!isReady) throw new Error('Not yet')
      },
    },
  })
  for (const name of ['ada', 'bob', 'eve']) {
    const { access_token: token } = await signUp(name)
    if (name !== 'eve') await app.inject({ method: 'DELETE', url: '/auth/me', headers: bearer(token) })
  }
  await post('/auth/me/restore', { username: 'bob', password })
  await sql.run('update accounts_users set closes_at = created_at where closes_at is not null')
  t.match(await app.accounts.prune(), { closed: 0 })
  isReady = true
  t.match(await app.accounts.prune(), { closed: 1 })
  t.same(asked, [[true, 'ada'], [true, 'ada']])
  t.same((await sql.all('select username from accounts_users order by username')).map(({ username }) => username),
    ['bob', 'eve'])
})

t.test('a hook that refuses keeps an account that was to be closed at once', async (t) => {
  const { app, signUp, get } = await build(t, {
    hooks: { onClose: () => { throw Object.assign(new Error('You owe us a book'), { statusCode: 409 }) } },
  })
  const { access_token: token } = await signUp()
  const closed = await app.inject({ method: 'DELETE', url: '/auth/me', headers: bearer(token) })
  t.match(closed.json(), { statusCode: 409, message: 'You owe us a book' })
  t.equal((await get('/guarded', token)).statusCode, 200)
})

t.test('the only admin stays, and one that is closing counts no longer', async (t) => {
  const { app, signUp } = await build(t, grace)
  const close = (token: string) => app.inject({ method: 'DELETE', url: '/auth/me', headers: bearer(token) })
  const tokens: string[] = []
  for (const name of ['ada', 'bob']) {
    const { access_token: token, user } = await signUp(name)
    await app.accounts.users.setRoles(user.id, ['admin'])
    tokens.push(token)
  }
  t.equal((await close(tokens[0]!)).statusCode, 202)
  t.match((await close(tokens[1]!)).json(), { statusCode: 409, code: 'ACCOUNTS_LAST_ADMIN' })
})

t.test('who was deleted since the guard looked is signed in no longer', async (t) => {
  for (const options of [{}, grace]) {
    let isDeleting = false
    const { app, signUp } = await build(t, {
      ...options,
      async verifyClaims ({ sub }) {
        if (isDeleting) await app.accounts.users.delete(sub)
        return true
      },
    })
    const { access_token: token } = await signUp()
    isDeleting = true
    const closed = await app.inject({ method: 'DELETE', url: '/auth/me', headers: bearer(token) })
    t.match(closed.json(), { statusCode: 401, code: 'ACCOUNTS_TOKEN_REVOKED' })
  }
})

t.test('the last mail goes to the address that the account had', async (t) => {
  const { app, mails, signUpWithMail } = await buildWithMail(t)
  const { access_token: token } = await signUpWithMail()
  await app.inject({ method: 'DELETE', url: '/auth/me', headers: bearer(token) })
  t.equal((await mails.next('closed')).to.address, 'ada@example.com')
})

t.test('who keeps the account by name and password gets no mail about it any more, and no link is good', async (t) => {
  const { app, mails, flush, post, signUpWithMail } = await buildWithMail(t, { ...grace, mail: { worker: false } })
  const { access_token: token } = await signUpWithMail()
  await app.accounts.orm.em.getConnection().execute('update accounts_users set email_verified_at = created_at')
  await app.inject({ method: 'DELETE', url: '/auth/me', headers: bearer(token) })
  failMail(app, new Error('Not now'))
  await flush()
  t.equal((await post('/auth/me/restore', { username: 'ada', password })).statusCode, 204)
  const time = clock()
  t.teardown(time.restore)
  time.advance('1m')
  await flush()
  t.same(mails.mails, [])
  t.same((await app.accounts.mail.list({ state: 'due' })).mails, [])
})

t.test('code closes an account as its user does, also that of the only admin, and keeps it', async (t) => {
  const { app, signUp, signIn, get } = await build(t, grace)
  const { users, sessions } = app.accounts
  const { access_token: token, user: { id } } = await signUp()
  await users.setRoles(id, ['admin'])
  const closesAt = await users.close(id)
  t.equal(Math.round((closesAt!.getTime() - Date.now()) / 86_400_000), 30)
  t.equal((await get('/guarded', token)).statusCode, 401)
  t.match(await users.find(id), { closesAt })
  t.match(await signIn(), { code: 'ACCOUNTS_CLOSING' })
  t.same(await sessions.list(id), [])
  t.same(await users.close(id), closesAt, 'no later when it is said again')

  t.match(await users.restore(id), { id, closesAt: null })
  t.match(await users.restore(id), { id, closesAt: null })
  t.match(await signIn(), { access_token: /./ })
})

t.test('code closes an account at once where there is no grace, and the app is asked', async (t) => {
  const asked: unknown[] = []
  const { app } = await build(t, { hooks: { onClose: (_, { username }) => { asked.push(username) } } })
  const { users } = app.accounts
  const { id } = await users.create({ username: 'ada' })
  t.equal(await users.close(id), null)
  t.equal(await users.find(id), null)
  t.strictSame(asked, ['ada'])
  for (const none of [id, 'ada', '']) {
    await t.rejects(users.close(none), { code: 'ACCOUNTS_NOT_FOUND' })
    await t.rejects(users.restore(none), { code: 'ACCOUNTS_NOT_FOUND' })
  }
  await t.rejects(users.close(id, { m: 1 } as never), { message: /m is not an option of users\.close/ })
  await t.rejects(users.restore(id, { m: 1 } as never), { message: /m is not an option of users\.restore/ })
})

t.test('an account that code closes in a transaction of its own is as before when that is rolled back', async (t) => {
  for (const options of [grace, {}]) {
    const { app, signUp, signIn } = await build(t, options)
    const { user: { id } } = await signUp()
    const { users, orm } = app.accounts
    await t.rejects(orm.em.fork().transactional(async (em) => {
      await users.close(id, { em })
      throw new Error('no')
    }), { message: 'no' })
    t.match(await users.find(id), { closesAt: null })
    t.match(await signIn(), { access_token: /./ })
  }
})
