// On each database.
import { mock } from 'node:test'
import t from 'tap'
import { browser } from '../../support/browser.ts'
import { buildOnFile, cheap, decode, password } from '../../support/build.ts'
import { addTrigger, dropTrigger } from '../../support/databases.ts'
import { buildWithMail } from '../../support/mail.ts'

const next = 'another horse another staple'

t.test('a changed password ends every session but the one at hand, which goes on with new tokens', async (t) => {
  const { app, get, post, refresh, signUp, signIn } = await buildOnFile(t)
  const here = await signUp()
  const there = await signIn()
  const change = (payload: object, token?: string) =>
    app.inject({
      method: 'PUT',
      url: '/auth/password',
      payload,
      headers: token ? { authorization: `Bearer ${token}` } : {},
    })
  const answer = await change({ current_password: password, new_password: next }, here.access_token)
  t.match(answer, { statusCode: 200, headers: { 'cache-control': 'no-store' } })

  const { access_token: access, refresh_token: token } = answer.json()
  t.equal((await get('/guarded', access)).statusCode, 200)
  t.match(decode(access).payload, { sid: decode(here.access_token).payload.sid, ver: 1 })
  for (const url of ['/guarded', '/strict']) {
    t.match(
      (await get(url, here.access_token)).json(),
      { code: 'ACCOUNTS_TOKEN_SUPERSEDED' },
      'its older tokens are void'
    )
  }
  t.match((await get('/guarded', there.access_token)).json(), { code: 'ACCOUNTS_TOKEN_REVOKED' })
  t.match((await refresh(there.refresh_token)).json(), { code: 'ACCOUNTS_TOKEN_REVOKED' })
  t.match((await refresh(here.refresh_token)).json(), { code: 'ACCOUNTS_TOKEN_SUPERSEDED' }, 'whoever has copied them')
  t.equal((await refresh(token)).statusCode, 200)

  t.equal((await post('/auth/login', { username: 'ada', password })).statusCode, 401)
  t.equal((await post('/auth/login', { username: 'ada', password: next })).statusCode, 200)
})

t.test('a wrong current password, or a new one that breaks a rule, changes nothing', async (t) => {
  const { app, get, signUp, sql } = await buildOnFile(t)
  const { access_token: token } = await signUp()
  const before = await sql.get('select * from accounts_users')
  const change = (payload: object) =>
    app.inject({ method: 'PUT', url: '/auth/password', payload, headers: { authorization: `Bearer ${token}` } })
  t.match((await change({ current_password: next, new_password: next })).json(), {
    statusCode: 401,
    code: 'ACCOUNTS_CREDENTIALS_INVALID',
  })
  t.match((await change({ current_password: password, new_password: 'short' })).json(), {
    statusCode: 400,
    code: 'ACCOUNTS_PASSWORD_REJECTED',
  })
  for (const payload of [
    {},
    { current_password: password },
    { current_password: password, new_password: 5 },
    { current_password: password, new_password: next, username: 'x' },
  ]) {
    t.match((await change(payload)).json(), { statusCode: 400, code: 'ACCOUNTS_INPUT_INVALID' })
  }
  t.equal((await app.inject({ method: 'PUT', url: '/auth/password', payload: {} })).statusCode, 401)
  t.same(await sql.get('select * from accounts_users'), before)
  t.equal((await get('/guarded', token)).statusCode, 200)
})

t.test('of two changes at once one counts, and the other is told so', async (t) => {
  const { app, post, signUp, signIn } = await buildOnFile(t)
  const tokens = [(await signUp()).access_token, (await signIn()).access_token]
  const answers = await Promise.all(
    tokens.map((token, index) =>
      app.inject({
        method: 'PUT',
        url: '/auth/password',
        payload: { current_password: password, new_password: `${next} ${index}` },
        headers: { authorization: `Bearer ${token}` },
      })
    )
  )
  const won = answers.findIndex(({ statusCode }) => statusCode === 200)
  t.same(answers.map(({ statusCode }) => statusCode).sort(), [200, 401])
  t.equal((await post('/auth/login', { username: 'ada', password: `${next} ${won}` })).statusCode, 200)
})

t.test('a session that ends while the password is hashed changes none', async (t) => {
  const { app, post, signUp, sql } = await buildOnFile(t)
  const { access_token: token } = await signUp()
  const end = 'update accounts_sessions set revoked_at = created_at'
  await addTrigger(sql, 'after update of password_hash', 'accounts_users', {
    sqlite: end,
    postgresql: end,
    mariadb: end,
  })
  const answer = await app.inject({
    method: 'PUT',
    url: '/auth/password',
    payload: { current_password: password, new_password: next },
    headers: { authorization: `Bearer ${token}` },
  })
  t.match(answer.json(), { statusCode: 401, code: 'ACCOUNTS_TOKEN_REVOKED' })
  await dropTrigger(sql, 'accounts_users')
  t.equal(
    (await post('/auth/login', { username: 'ada', password })).statusCode,
    200,
    'the old one is still the password'
  )
})

t.test('the session is fresh after it, also where the hash was made anew on the way', async (t) => {
  mock.timers.enable({ apis: ['Date'], now: 1_800_000_000_000 })
  t.teardown(() => mock.timers.reset())
  const { db, signUp } = await buildOnFile(t, { password: { argon2: { ...cheap.argon2, timeCost: 1 } } })
  const { access_token: token } = await signUp()
  mock.timers.setTime(1_800_000_700_000)
  const dearer = await buildOnFile(t, { db })
  dearer.app.get('/fresh', { preHandler: dearer.app.accounts.guard({ fresh: true }) }, async () => 1)
  t.equal((await dearer.get('/fresh', token)).statusCode, 401)
  const answer = await dearer.app.inject({
    method: 'PUT',
    url: '/auth/password',
    payload: { current_password: password, new_password: next },
    headers: { authorization: `Bearer ${token}` },
  })
  t.equal(answer.statusCode, 200)
  t.equal((await dearer.get('/fresh', answer.json().access_token)).statusCode, 200)
})

t.test('in cookies the new tokens come in cookies, to pages of the own origin alone', async (t) => {
  const { app, post } = await buildOnFile(t, { transport: 'cookie' })
  const page = browser(app)
  const { user } = (await page.post('/auth/register', { username: 'ada', password })).json()
  const body = { current_password: password, new_password: next }
  const own = { 'sec-fetch-site': 'same-origin' }
  t.match((await page.send('PUT', '/auth/password', body, { 'sec-fetch-site': 'cross-site' })).json(), {
    statusCode: 403,
    code: 'ACCOUNTS_CSRF_FAILED',
  })

  const before = page.valueOf('access')!
  const foreign = await app.inject({
    method: 'PUT',
    url: '/auth/password',
    payload: body,
    headers: { authorization: `Bearer ${before}`, 'sec-fetch-site': 'cross-site' },
  })
  t.match(foreign.json(), { statusCode: 403, code: 'ACCOUNTS_CSRF_FAILED' })
  t.equal((await post('/auth/login', { username: 'ada', password })).statusCode, 200, 'and nothing has changed')

  const answer = await page.send('PUT', '/auth/password', body, own)
  t.match(answer.json(), { user, csrf_token: page.valueOf('csrf')! })
  t.not(page.valueOf('access'), before)
  t.equal((await page.get('/auth/me')).statusCode, 200)
})

t.test('where mails are sent, the user is told of it by one', async (t) => {
  const { app, mails } = await buildWithMail(t)
  const { users } = app.accounts
  await users.create({ username: 'ada', email: 'ada@example.com', password, emailVerifiedAt: new Date() })
  const { json } = await app.inject({ method: 'POST', url: '/auth/login', payload: { username: 'ada', password } })
  const answer = await app.inject({
    method: 'PUT',
    url: '/auth/password',
    payload: { current_password: password, new_password: next },
    headers: { authorization: `Bearer ${json().access_token}` },
  })
  t.equal(answer.statusCode, 200)
  t.equal((await mails.next('password-changed')).to.address, 'ada@example.com')
})
