// On each database.
import { mock } from 'node:test'
import t from 'tap'
import { bearer, build, buildOnFile, type client, mint, decode, refreshKey } from '../../support/build.ts'

t.test('a logout ends the whole session with whichever token is shown', async (t) => {
  const { signUp, signIn, post, get, refresh } = await build(t)
  await signUp()
  const ways: ((tokens: { access_token: string, refresh_token: string }) => Parameters<typeof post>)[] = [
    (tokens) => ['/auth/logout', { refresh_token: tokens.refresh_token }],
    (tokens) => ['/auth/logout', undefined, tokens.refresh_token],
    (tokens) => ['/auth/logout', {}, tokens.access_token],
    (tokens) => ['/auth/logout', { refresh_token: tokens.refresh_token }, tokens.access_token],
    (tokens) => ['/auth/logout', { refresh_token: tokens.refresh_token }, 'garbage'],
  ]

  for (const way of ways) {
    const tokens = await signIn()
    const answer = await post(...way(tokens))
    t.match(answer, { statusCode: 204, body: '' })
    t.equal((await get('/guarded', tokens.access_token)).json().code, 'ACCOUNTS_TOKEN_REVOKED')
    t.equal((await refresh(tokens.refresh_token)).json().code, 'ACCOUNTS_TOKEN_REVOKED')
    t.equal((await post(...way(tokens))).statusCode, 204, 'and again')
  }
})

t.test('a logout ends no other session', async (t) => {
  const { signUp, signIn, post, get } = await build(t)
  const ada = await signUp()
  const other = await signIn()
  const bob = await signUp('bob')
  await post('/auth/logout', { refresh_token: ada.refresh_token }, bob.access_token)
  for (const { access_token: token } of [other, bob]) t.equal((await get('/guarded', token)).statusCode, 200)
})

t.test('a logout takes a refresh token of any generation, and never calls it a replay', async (t) => {
  const { signUp, post, refresh, get } = await build(t, { refresh: { window: 0 } })
  const first = await signUp()
  const second = (await refresh(first.refresh_token)).json()
  t.equal((await post('/auth/logout', { refresh_token: first.refresh_token })).statusCode, 204)
  t.equal((await get('/guarded', second.access_token)).json().code, 'ACCOUNTS_TOKEN_REVOKED')
})

t.test(
  'a logout takes an expired refresh token, and an expired access token beside a good refresh token',
  async (t) => {
    mock.timers.enable({ apis: ['Date'], now: new Date('2026-01-01') })
    t.teardown(() => mock.timers.reset())
    const { signUp, signIn, post } = await build(t)
    const tokens = await signUp()
    mock.timers.tick(901_000)
    t.match((await post('/auth/logout', {}, tokens.access_token)).json(), {
      statusCode: 401,
      code: 'ACCOUNTS_TOKEN_EXPIRED',
    })
    t.equal((await post('/auth/logout', { refresh_token: tokens.refresh_token }, tokens.access_token)).statusCode, 204)

    const idle = await signIn()
    mock.timers.tick(31 * 86400_000)
    t.equal((await post('/auth/logout', { refresh_token: idle.refresh_token })).statusCode, 204)
  }
)

t.test('a logout without a token, or with one that is none of ours, is a 401 and ends nothing', async (t) => {
  const { signUp, post, get } = await build(t)
  const { access_token: access, refresh_token: token } = await signUp()
  const { header, payload } = decode(token)

  t.match((await post('/auth/logout')).json(), { statusCode: 401, code: 'ACCOUNTS_TOKEN_MISSING' })
  t.match((await post('/auth/logout', { refresh_token: access })).json(), {
    statusCode: 401,
    code: 'ACCOUNTS_TOKEN_WRONG_TYPE',
  })
  const forgeries = [
    mint(header, payload),
    ...[{ iss: 'x' }, { gen: 1 }, { jti: 'x'.repeat(43) }].map((change) =>
      mint(header, { ...payload, ...change }, refreshKey)
    ),
  ]
  for (const forged of ['garbage', ...forgeries]) {
    t.match((await post('/auth/logout', { refresh_token: forged })).json(), {
      statusCode: 401,
      code: 'ACCOUNTS_TOKEN_INVALID',
    })
  }
  t.equal((await get('/guarded', access)).statusCode, 200)
})

t.test('a logout from a session whose row is gone makes its tokens void all the same, and says so once', async (t) => {
  const ways: ((tokens: {
    access_token: string
    refresh_token: string
  }) => Parameters<ReturnType<typeof client>['post']>)[] = [
    (tokens) => ['/auth/logout', { refresh_token: tokens.refresh_token }],
    (tokens) => ['/auth/logout', {}, tokens.access_token],
    (tokens) => ['/auth/revoke', { token: tokens.refresh_token }],
  ]
  for (const way of ways) {
    const { signUp, post, get, sql, db } = await buildOnFile(t, { routes: { revoke: true } })
    const tokens = await signUp()
    await sql.exec('delete from accounts_sessions')
    t.equal((await get('/guarded', tokens.access_token)).statusCode, 200)
    for (const time of ['once', 'and again']) t.ok((await post(...way(tokens))).statusCode < 300, time)
    const { get: elsewhere } = await build(t, { db })
    for (const asked of [get, elsewhere]) { t.match((await asked('/guarded', tokens.access_token)).json(), { code: 'ACCOUNTS_TOKEN_REVOKED' }) }
    t.match(await sql.all('select kind, subject from accounts_revoked_tokens'), [
      { kind: 'session', subject: decode(tokens.access_token).payload.sid },
    ])
  }
})

t.test('a logout that names JSON and sends nothing, as fetch() does, is a logout', async (t) => {
  const { app, signUp } = await build(t)
  const headers = { ...bearer((await signUp()).refresh_token), 'content-type': 'application/json' }
  t.equal((await app.inject({ method: 'POST', url: '/auth/logout', headers })).statusCode, 204)
})

t.test('an access token that was revoked by itself ends no session', async (t) => {
  const { app, post, refresh, signUp } = await build(t)
  const { access_token: access, refresh_token: token } = await signUp()
  await app.accounts.revoke(access)
  t.match((await post('/auth/logout', undefined, access)).json(), { statusCode: 401, code: 'ACCOUNTS_TOKEN_REVOKED' })
  t.equal((await refresh(token)).statusCode, 200)
})
