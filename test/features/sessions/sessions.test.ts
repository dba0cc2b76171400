// On each database.
import { mock } from 'node:test'
import t from 'tap'
import { bearer, build, buildOnFile, decode, password } from '../../support/build.ts'
import { browser } from '../../support/browser.ts'

const sidOf = (token: string): string => decode(token).payload.sid

t.test('a user sees where they are signed in, the session used last first, and no token', async (t) => {
  const { app, get, signUp, signIn } = await build(t)
  const first = await signUp()
  const phone = (
    await app.inject({
      method: 'POST',
      url: '/auth/login',
      headers: { 'user-agent': 'Phone/1' },
      payload: { username: 'ada', password: 'correct horse battery staple' },
    })
  ).json()
  await signUp('bob')
  const { sessions } = (await get('/auth/sessions', first.access_token)).json()
  t.match(sessions, [
    { id: sidOf(phone.access_token), current: false, user_agent: 'Phone/1', ip: '127.0.0.1' },
    { id: sidOf(first.access_token), current: true },
  ])
  const members = ['id', 'current', 'created_at', 'last_used_at', 'expires_at', 'user_agent', 'ip', 'borrowed']
  t.same(Object.keys(sessions[0]), members)
  t.equal(sessions.length, 2)
  t.equal((await get('/auth/sessions')).statusCode, 401)
  await signIn()
  t.equal((await get('/auth/sessions', first.access_token)).json().sessions.length, 3)
})

t.test('a session shows where it was refreshed last', async (t) => {
  const { app, get, signUp } = await build(t, { refresh: { window: 0 } })
  const { refresh_token: token } = await signUp()
  const headers = { 'user-agent': 'Thief/666' }
  const thief = (
    await app.inject({
      method: 'POST',
      url: '/auth/refresh',
      payload: { refresh_token: token },
      headers,
      remoteAddress: '203.0.113.66',
    })
  ).json()
  t.match((await get('/auth/sessions', thief.access_token)).json(), {
    sessions: [{ user_agent: 'Thief/666', ip: '203.0.113.66' }],
  })
})

t.test('a session can be ended by its user, and by nobody else', async (t) => {
  const { app, get, refresh, signUp, signIn } = await build(t)
  const here = await signUp()
  const there = await signIn()
  const mallory = await signUp('mallory')
  const end = (id: string, token?: string) =>
    app.inject({
      method: 'DELETE',
      url: `/auth/sessions/${id}`,
      headers: token ? { authorization: `Bearer ${token}` } : {},
    })
  const sid = sidOf(there.access_token)

  for (const id of [sid, '01a20000-0000-7000-8000-000000000000', 'x', "' or 1=1", '%00', 'x'.repeat(90)]) {
    t.match((await end(id, mallory.access_token)).json(), { statusCode: 404, code: 'ACCOUNTS_NOT_FOUND' }, id)
  }
  t.equal((await end(sid)).statusCode, 401)
  t.equal((await get('/guarded', there.access_token)).statusCode, 200)

  t.match(await end(sid, here.access_token), { statusCode: 204, body: '' })
  t.match((await get('/guarded', there.access_token)).json(), { code: 'ACCOUNTS_TOKEN_REVOKED' })
  t.equal((await refresh(there.refresh_token)).statusCode, 401)
  t.equal((await end(sid, here.access_token)).statusCode, 404, 'what is over is not found')
  t.equal((await get('/guarded', here.access_token)).statusCode, 200)
})

t.test('all sessions end at once, or all but the one at hand', async (t) => {
  const { app, get, refresh, signUp, signIn, sql } = await buildOnFile(t)
  const all = [await signUp(), await signIn(), await signIn()]
  const bob = await signUp('bob')
  const end = (query: string, token: string) =>
    app.inject({ method: 'DELETE', url: `/auth/sessions${query}`, headers: { authorization: `Bearer ${token}` } })
  const states = async () =>
    Promise.all([...all, bob].map(async ({ access_token: token }) => (await get('/guarded', token)).statusCode))

  for (const query of ['?keep=all', '?keep=', '?keep=current&keep=current', '?other=1']) { t.match((await end(query, all[0]!.access_token)).json(), { statusCode: 400 }, query) }
  t.equal((await end('?keep=current', all[0]!.access_token)).statusCode, 204)
  t.same(await states(), [200, 401, 401, 200])

  all[1] = await signIn()
  t.equal((await end('', all[1].access_token)).statusCode, 204)
  t.same(await states(), [401, 401, 401, 200])
  for (const { refresh_token: token } of all) t.match((await refresh(token)).json(), { code: 'ACCOUNTS_TOKEN_REVOKED' })
  t.match(await sql.all("select epoch, kind from accounts_revoked_tokens where kind = 'user'"), [
    { epoch: 1, kind: 'user' },
  ])
  t.equal((await get('/guarded', (await signIn()).access_token)).statusCode, 200)
})

t.test('a user sees when each session was used last: by a refresh, or by its next tokens', async (t) => {
  mock.timers.enable({ apis: ['Date'], now: 1_800_000_000_000 })
  t.teardown(() => mock.timers.reset())
  const { get, refresh, signUp, signIn } = await build(t)
  const asking = await signIn().then(() => signUp())
  const lastUsed = async () =>
    (await get('/auth/sessions', asking.access_token))
      .json()
      .sessions.map((session: { last_used_at: string }) => session.last_used_at)

  mock.timers.setTime(1_800_000_100_000)
  const other = await signIn()
  t.same(await lastUsed(), ['2027-01-15T08:01:40.000Z', '2027-01-15T08:00:00.000Z'])
  mock.timers.setTime(1_800_000_200_000)
  const next = (await refresh(other.refresh_token)).json()
  t.same(await lastUsed(), ['2027-01-15T08:03:20.000Z', '2027-01-15T08:00:00.000Z'])
  mock.timers.setTime(1_800_000_300_000)
  await get('/guarded', next.access_token)
  await refresh(next.refresh_token)
  t.same(await lastUsed(), ['2027-01-15T08:05:00.000Z', '2027-01-15T08:00:00.000Z'])
})

t.test('what a client says of itself is cut, and cannot break the list', async (t) => {
  const { app, get } = await build(t, {}, { trustProxy: true })
  const headers = {
    'user-agent': `${'😀'.repeat(255)}a😀${'x'.repeat(100_000)}\0`,
    'x-forwarded-for': `${'9'.repeat(5000)}`,
  }
  const answer = await app.inject({
    method: 'POST',
    url: '/auth/register',
    headers,
    payload: { username: 'ada', password },
  })
  t.equal(answer.statusCode, 201)
  const [session] = (await get('/auth/sessions', answer.json().access_token)).json().sessions
  t.equal(session.user_agent, `${'😀'.repeat(255)}a`)
  t.equal(session.ip, '9'.repeat(64))
})

t.test('who was deleted behind our back has no sessions to end', async (t) => {
  const { app, get, signUp, sql } = await buildOnFile(t)
  const { access_token: token } = await signUp()
  await get('/guarded', token)
  await sql.run('delete from accounts_users')
  for (const query of ['', '?keep=current']) {
    t.match((await app.inject({ method: 'DELETE', url: `/auth/sessions${query}`, headers: bearer(token) })).json(), {
      statusCode: 401,
      code: 'ACCOUNTS_TOKEN_REVOKED',
    })
  }
})

t.test('a session that ends itself takes its cookies along', async (t) => {
  const { app } = await build(t, { transport: 'cookie' })
  const ada = { username: 'ada', password: 'correct horse battery staple' }
  const page = browser(app)
  await page.post('/auth/register', ada)
  const { sessions } = (await page.get('/auth/sessions')).json()
  t.equal((await page.send('DELETE', `/auth/sessions/${sessions[0].id}`)).statusCode, 403)
  const other = browser(app)
  await other.post('/auth/login', ada)
  t.equal(
    (await page.send('DELETE', `/auth/sessions/${sessions[0].id}`, undefined, { 'sec-fetch-site': 'same-origin' }))
      .statusCode,
    204
  )
  t.same(page.names(), [])
  t.equal(
    (await other.send('DELETE', '/auth/sessions', undefined, { 'sec-fetch-site': 'same-origin' })).statusCode,
    204
  )
  t.same(other.names(), [])
})

t.test('a page of another origin that ends its own session takes no cookies out of the browser', async (t) => {
  const { app } = await build(t, { transport: 'both' })
  const ada = { username: 'ada', password: 'correct horse battery staple' }
  const foreign = { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' }
  const { access_token: token } = (await app.inject({ method: 'POST', url: '/auth/register', payload: ada })).json()
  for (const url of [`/auth/sessions/${sidOf(token)}`, '/auth/sessions']) {
    const { access_token: own } = (await app.inject({ method: 'POST', url: '/auth/login', payload: ada })).json()
    const bearer = url === '/auth/sessions' ? own : token
    const answer = await app.inject({
      method: 'DELETE',
      url,
      headers: { ...foreign, authorization: `Bearer ${bearer}` },
    })
    t.equal(answer.statusCode, 204, url)
    t.notOk(answer.headers['set-cookie'], url)
  }
})
