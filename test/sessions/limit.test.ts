// On each database.
import { mock } from 'node:test'
import t, { type Test } from 'tap'
import { build, buildOnFile, decode, password } from '../support/build.ts'

const sidOf = ({ access_token: token }: { access_token: string }): string => decode(token).payload.sid

/** Each step of a test happens a second after the one before. */
function tick (t: Test) {
  mock.timers.enable({ apis: ['Date'], now: Date.now() })
  t.teardown(() => mock.timers.reset())
  return () => mock.timers.tick(1000)
}

t.test('one session too many ends the one used longest ago, with every token of it', async (t) => {
  const later = tick(t)
  const { get, refresh, signUp, signIn, sql } = await buildOnFile(t, { sessions: { max: 2 } })
  const first = await signUp()
  later()
  const second = await signIn()
  later()
  await refresh(first.refresh_token)
  later()
  const third = await signIn()

  t.same(
    (await get('/auth/sessions', third.access_token)).json().sessions.map(({ id }: { id: string }) => id),
    [sidOf(third), sidOf(first)]
  )
  t.match((await get('/guarded', second.access_token)).json(), { statusCode: 401, code: 'ACCOUNTS_TOKEN_REVOKED' })
  t.match((await refresh(second.refresh_token)).json(), { code: 'ACCOUNTS_TOKEN_REVOKED' })
  t.match(await sql.all('select revoke_reason from accounts_sessions where revoked_at is not null'), [
    { revoke_reason: 'limit' },
  ])
  t.equal((await get('/guarded', first.access_token)).statusCode, 200)
})

t.test('where the limit refuses, a login says what to do, and only to who knows the password', async (t) => {
  const { app, post, signUp, signIn } = await build(t, { sessions: { max: 1, whenFull: 'refuse' } })
  const { refresh_token: token, user } = await signUp()
  const answer = await post('/auth/login', { username: 'ada', password })
  t.match(answer.json(), { statusCode: 403, code: 'ACCOUNTS_SESSIONS_FULL', message: /log out of one of them/ })
  t.match((await post('/auth/login', { username: 'ada', password: `${password}!` })).json(), {
    statusCode: 401,
    code: 'ACCOUNTS_CREDENTIALS_INVALID',
  })
  await t.rejects(app.accounts.issueTokens(user), { code: 'ACCOUNTS_SESSIONS_FULL' })

  await post('/auth/logout', { refresh_token: token })
  t.equal((await signIn()).user.username, 'ada')
})

t.test('sessions that are over leave room', async (t) => {
  tick(t)
  const { post, signUp, signIn } = await build(t, {
    sessions: { max: 1, whenFull: 'refuse' },
    refresh: { expiresIn: '1h' },
  })
  await signUp()
  mock.timers.tick(3_600_000)
  const { access_token: token } = await signIn()
  t.equal((await post('/auth/login', { username: 'ada', password })).statusCode, 403)
  await post('/auth/logout', undefined, token)
  t.equal((await post('/auth/login', { username: 'ada', password })).statusCode, 200)
})

t.test('a session that began with what was logged out everywhere meanwhile leaves room', async (t) => {
  const { signUp, signIn, sql } = await buildOnFile(t, { sessions: { max: 1, whenFull: 'refuse' } })
  await signUp()
  await sql.exec('update accounts_users set epoch = epoch + 1')
  t.equal((await signIn()).user.username, 'ada')
})

t.test('each user has sessions of their own', async (t) => {
  const { get, signUp, signIn } = await build(t, { sessions: { max: 1 } })
  const ada = await signUp()
  await signUp('bob')
  await signIn('bob')
  t.equal((await get('/guarded', ada.access_token)).statusCode, 200)
})

for (const whenFull of ['end-oldest', 'refuse'] as const) {
  t.test(`sixty logins at once never leave more sessions than the limit: ${whenFull}`, async (t) => {
    const { get, post, signUp } = await build(t, { sessions: { max: 7, whenFull } })
    const { access_token: token } = await signUp()
    const answers = await Promise.all(
      Array.from({ length: 60 }, () => post('/auth/login', { username: 'ada', password }))
    )
    const tokens = [
      token,
      ...answers.filter(({ statusCode }) => statusCode === 200).map((answer): string => answer.json().access_token),
    ]
    t.equal(tokens.length, whenFull === 'refuse' ? 7 : 61)

    const states = await Promise.all(tokens.map(async (each) => (await get('/guarded', each)).statusCode))
    t.equal(states.filter((status) => status === 200).length, 7)
    const living = tokens[states.indexOf(200)]!
    t.equal((await get('/auth/sessions', living)).json().sessions.length, 7)
  })
}

t.test('a limit that was lowered holds from the next login on', async (t) => {
  const { db, signUp, signIn } = await buildOnFile(t)
  await signUp()
  for (let count = 0; count < 5; count++) await signIn()
  const lower = await build(t, { db, sessions: { max: 2 } })
  const { access_token: token } = await lower.signIn()
  t.equal((await lower.get('/auth/sessions', token)).json().sessions.length, 2)
})
