// On each database.
import { Type } from '@sinclair/typebox'
import t from 'tap'
import { build, password } from '../../support/build.ts'
import { buildWithMail } from '../../support/mail.ts'

const on = { mail: { links: { login: '/welcome' } }, routes: { emailLogin: true } }

t.test('somebody signs in by the code of a mail, with what the asking page was given', async (t) => {
  const { app, mails, post, get, signUpWithMail } = await buildWithMail(t, on)
  const { user } = await signUpWithMail()
  await app.accounts.orm.em.getConnection().execute('update accounts_users set email_verified_at = created_at')
  const asked = await post('/auth/login/email', { email: 'ADA@example.com' })
  t.equal(asked.statusCode, 202)
  const { challenge_id: challenge } = asked.json()
  const mail = await mails.next('login')
  const code = mails.code(mail)

  const wrong = { challenge_id: 'x'.repeat(22), code }
  t.match((await post('/auth/login/email/complete', wrong)).json(), { code: 'ACCOUNTS_PROOF_INVALID' })
  const answer = await post('/auth/login/email/complete', { challenge_id: challenge, code })
  t.equal(answer.statusCode, 200)
  t.match(answer.json(), { access_token: /./, user: { id: user.id } })
  t.equal((await get('/guarded', answer.json().access_token)).statusCode, 200)
  t.match((await post('/auth/login/email/complete', { challenge_id: challenge, code })).json(),
    { code: 'ACCOUNTS_PROOF_INVALID' }, 'once')
  t.equal((await mails.next('login-by-mail')).to.address, 'ada@example.com')
  t.equal((await post('/auth/login', { username: 'ada', password })).statusCode, 200, 'the password stays')
})

t.test('a link signs in where it was asked for, and nowhere else', async (t) => {
  const { mails, post, signUpWithMail } = await buildWithMail(t, on)
  await signUpWithMail()
  const { challenge_id: challenge } = (await post('/auth/login/email', { email: 'ada@example.com' })).json()
  const token = mails.token(await mails.next('login'))
  for (const elsewhere of [{ token }, { token, challenge_id: 'x'.repeat(22) }]) {
    t.match((await post('/auth/login/email/complete', elsewhere)).json(), { code: 'ACCOUNTS_PROOF_INVALID' })
  }
  t.match((await post('/auth/login/email/complete', { token, challenge_id: challenge, code: '1' })).json(),
    { code: 'ACCOUNTS_INPUT_INVALID' })
  t.equal((await post('/auth/login/email/complete', { token, challenge_id: challenge })).statusCode, 200)
})

t.test('the browser that asked is known by a cookie, where tokens travel in cookies', async (t) => {
  const { app, mails, signUpWithMail } = await buildWithMail(t, { ...on, transport: 'cookie' })
  await signUpWithMail()
  const headers = { 'sec-fetch-site': 'same-origin' }
  const asked = await app.inject({
    method: 'POST', url: '/auth/login/email', headers, payload: { email: 'ada@example.com' },
  })
  const cookie = asked.cookies.find(({ name }) => name === '__Host-challenge')!
  t.match(cookie, { httpOnly: true, secure: true, sameSite: 'Lax', path: '/', maxAge: 600 })
  const token = mails.token(await mails.next('login'))
  const complete = (headers: Record<string, string>) =>
    app.inject({ method: 'POST', url: '/auth/login/email/complete', headers, payload: { token } })
  t.equal((await complete(headers)).statusCode, 400)
  const others = { cookie: `${cookie.name}=${cookie.value}`, 'sec-fetch-site': 'cross-site' }
  t.equal((await complete(others)).statusCode, 403, 'not from another site')
  const answer = await complete({ ...headers, cookie: `${cookie.name}=${cookie.value}` })
  t.equal(answer.statusCode, 200)
  t.ok(answer.cookies.some(({ name }) => name === '__Host-access'))
})

t.test('an account whose address nobody had proved keeps nothing of before', async (t) => {
  const { mails, post, get, signUpWithMail } = await buildWithMail(t, on)
  const { access_token: before } = await signUpWithMail()
  const { challenge_id: challenge } = (await post('/auth/login/email', { email: 'ada@example.com' })).json()
  const code = mails.code(await mails.next('login'))
  const { access_token: token } = (await post('/auth/login/email/complete', { challenge_id: challenge, code })).json()
  t.equal((await get('/guarded', before)).statusCode, 401)
  t.equal((await get('/guarded', token)).statusCode, 200)
  t.equal((await post('/auth/login', { username: 'ada', password })).statusCode, 401, 'no password opens it')
})

t.test('whoever is disabled, signed out everywhere or deleted meanwhile does not come in', async (t) => {
  const { app, mails, post, signUpWithMail } = await buildWithMail(t, on)
  const ends = {
    disabled: (id: string) => app.accounts.users.disable(id),
    'signed out': (id: string) => app.accounts.sessions.revokeAll(id),
    deleted: (id: string) => app.accounts.users.delete(id),
  }
  for (const [index, [what, end]] of Object.entries(ends).entries()) {
    const { user } = await signUpWithMail(`ada${index}`)
    const { challenge_id: challenge } = (await post('/auth/login/email', { email: user.email })).json()
    const code = mails.code(await mails.next('login'))
    await end(user.id)
    t.match((await post('/auth/login/email/complete', { challenge_id: challenge, code })).json(),
      { code: 'ACCOUNTS_PROOF_INVALID' }, what)
  }
})

t.test('nobody is told who has an account', async (t) => {
  const { mails, flush, post, signUpWithMail } = await buildWithMail(t, on)
  await signUpWithMail()
  const bodies: string[] = []
  for (const email of ['ada@example.com', 'nobody@example.com']) {
    bodies.push((await post('/auth/login/email', { email })).body.replace(/"[\w-]{22}"/, '"…"'))
  }
  t.equal(bodies[0], bodies[1])
  await flush()
  t.same(mails.mails.filter(({ kind }) => kind === 'login').map(({ to }) => to.address), ['ada@example.com'])
})

t.test('it is off unless it is asked for, and needs mail', async (t) => {
  const { post } = await buildWithMail(t)
  t.equal((await post('/auth/login/email', { email: 'ada@example.com' })).statusCode, 404)
  for (const mail of [false, true]) {
    await t.rejects(build(t, { ...on, mail }), { message: /routes\.emailLogin needs mail/ })
  }
})

t.test('the host is told, and the asker says how the tokens travel', async (t) => {
  const told: unknown[] = []
  const { app, mails, post, signUpWithMail } = await buildWithMail(t, {
    ...on, transport: 'both', hooks: { onLogin: ({ username }) => { told.push(username) } },
  })
  await signUpWithMail()
  const { challenge_id: challenge } = (await post('/auth/login/email', { email: 'ada@example.com' })).json()
  const code = mails.code(await mails.next('login'))
  const answer = await app.inject({
    method: 'POST',
    url: '/auth/login/email/complete',
    headers: { 'sec-fetch-site': 'same-origin' },
    payload: { challenge_id: challenge, code, transport: 'cookie', remember: false },
  })
  t.equal(answer.statusCode, 200)
  const access = answer.cookies.find(({ name }) => name === '__Host-access')!
  t.notOk('maxAge' in access, 'it ends with the browser window')
  t.strictSame(told, ['ada'])
})

t.test('whoever is disabled while the hooks are asked does not come in, and a refusal of theirs is the answer', async (t) => {
  let isRefused = true
  const { app, mails, post } = await buildWithMail(t, {
    ...on,
    sessions: { data: Type.Object({}) },
    hooks: {
      onReclaim: () => { if (isRefused) throw Object.assign(new Error('Not now'), { statusCode: 409 }) },
      async onSession ({ id }) {
        if (!isRefused) await app.accounts.users.disable(id)
        return null
      },
    },
  })
  await app.accounts.users.create({ username: 'ada', email: 'ada@example.com' })
  const { challenge_id: challenge } = (await post('/auth/login/email', { email: 'ada@example.com' })).json()
  const proof = { challenge_id: challenge, code: mails.code(await mails.next('login')) }
  t.match((await post('/auth/login/email/complete', proof)).json(), { statusCode: 409, message: 'Not now' })
  isRefused = false
  t.match((await post('/auth/login/email/complete', proof)).json(), { code: 'ACCOUNTS_PROOF_INVALID' })
})
