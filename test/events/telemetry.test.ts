// On each database.
import diagnostics from 'node:diagnostics_channel'
import { mock } from 'node:test'
import t, { type Test } from 'tap'
import { buildOnFile, decode, password } from '../support/build.ts'
import { freshDatabase } from '../support/databases.ts'

const silent = { logger: { level: 'silent' } }

/** What is published on a channel until the test ends. */
function hear (t: Test, event: string): object[] {
  const heard: object[] = []
  const listen = (message: unknown) => { heard.push(message as object) }
  diagnostics.subscribe(`fastify-jwt-accounts:${event}`, listen)
  t.teardown(() => diagnostics.unsubscribe(`fastify-jwt-accounts:${event}`, listen))
  return heard
}

t.test('each refresh is counted and told by what came of it', async (t) => {
  const { app, signUp, refresh, sql } = await buildOnFile(t)
  const heard = hear(t, 'refresh')
  mock.timers.enable({ apis: ['Date'], now: Date.now() })
  t.teardown(() => mock.timers.reset())
  const { refresh_token: first, user } = await signUp()

  const second = (await refresh(first)).json().refresh_token
  await refresh(first)
  mock.timers.tick(31_000)
  await refresh(first)
  const fourth = (await refresh(second)).json()
  t.match(fourth, { code: 'ACCOUNTS_REFRESH_REUSED' })

  const sessionId = decode(first).payload.sid
  const same = {
    instance: 'accounts',
    sessionId,
    userId: user.id,
    adopted: false,
    userAgentChanged: false,
    networkChanged: false,
  }
  t.same(heard, ['rotated', 'repeated', 'skipped', 'reused'].map((outcome) => ({ ...same, outcome })))
  t.match(app.accounts.counters, {
    refreshesRotated: 1,
    refreshesRepeated: 1,
    refreshesSkipped: 1,
    refreshesAdopted: 0,
    refreshesReused: 1,
  })
  t.match(await sql.get('select revoke_reason from accounts_sessions'), { revoke_reason: 'reuse' })
})

t.test('a refresh that the database had lost is counted', async (t) => {
  const { app, signUp, refresh, sql } = await buildOnFile(t)
  const heard = hear(t, 'refresh')
  const { refresh_token: first } = await signUp()
  const { refresh_token: second } = (await refresh(first)).json()
  await sql.exec('update accounts_sessions set gen = 0, prev_gen = null')
  t.equal((await refresh(second)).statusCode, 200)
  t.match(app.accounts.counters, { refreshesAdopted: 1, refreshesOvertaken: 0, refreshesRepeated: 1 })
  t.match(heard, [{ outcome: 'rotated', adopted: false }, { outcome: 'repeated', adopted: true }])
})

t.test('of refreshes at once one rotates, and the others repeat it', async (t) => {
  const { app, signUp, refresh } = await buildOnFile(t)
  const { refresh_token: token } = await signUp()
  await Promise.all(Array.from({ length: 20 }, () => refresh(token)))
  t.match(app.accounts.counters, { refreshesRotated: 1, refreshesRepeated: 19 })
})

t.test('the end of a stolen session is told, and no event holds a secret', async (t) => {
  const { signUp, refresh } = await buildOnFile(t, { refresh: { window: 0 } }, silent)
  const heard = [hear(t, 'reuse'), hear(t, 'refresh')]
  const { refresh_token: token } = await signUp()
  await refresh(token)
  await refresh(token)
  const { sid, sub } = decode(token).payload
  t.match(heard[0], [
    { instance: 'accounts', userId: sub, sessionId: sid, reason: null, ip: '127.0.0.1', userAgent: 'lightMyRequest' },
  ])
  t.equal(heard[0]!.length, 1)
  t.match(heard[1], [{ outcome: 'rotated' }, { outcome: 'reused' }])
  t.notMatch(JSON.stringify(heard), token)
})

t.test('each refresh that is refused is told by its reason, and counted', async (t) => {
  const { app, signUp, signIn, refresh, sql, post } = await buildOnFile(t, {}, silent)
  const heard = hear(t, 'refresh')
  const { refresh_token: gone } = await signUp()
  const { refresh_token: over } = await signIn()
  const { refresh_token: forged } = await signIn()
  const { refresh_token: old, access_token: proved } = await signIn()
  const sidOf = (token: string) => decode(token).payload.sid
  await sql.exec(`delete from accounts_sessions where id = '${sidOf(gone)}'`)
  await app.accounts.revoke(over)
  await sql.exec(`update accounts_sessions set salt = 'another' where id = '${sidOf(forged)}'`)
  t.equal((await post('/auth/reauthenticate', { password }, proved)).statusCode, 200)

  for (const token of [gone, over, forged, old]) t.equal((await refresh(token)).statusCode, 401)
  t.equal((await refresh('no.token.atall')).statusCode, 401)
  t.match(heard, [
    { sessionId: sidOf(gone), outcome: 'ended', userAgentChanged: null, networkChanged: null },
    { sessionId: sidOf(over), outcome: 'ended', userAgentChanged: false, networkChanged: false },
    { sessionId: sidOf(forged), outcome: 'forged' },
    { sessionId: sidOf(old), outcome: 'superseded' },
  ])
  t.equal(heard.length, 4, 'of what is no token of ours no session is known')
  t.match(app.accounts.counters, {
    refreshesEnded: 2,
    refreshesForged: 1,
    refreshesSuperseded: 1,
    refreshesReused: 0,
    refreshesFailed: 0,
  })
})

t.test('a refresh that something else keeps from its answer is told as failed', async (t) => {
  const isRevoked = () => true
  const { app, signUp, refresh } = await buildOnFile(t, { isRevoked }, silent)
  const heard = hear(t, 'refresh')
  t.equal((await refresh((await signUp()).refresh_token)).statusCode, 401)
  t.match(heard, [{ outcome: 'failed', adopted: false, userAgentChanged: false }])
  t.match(app.accounts.counters, { refreshesFailed: 1, refreshesEnded: 0, refreshesRotated: 0 })
})

t.test('a refresh tells whether it comes from another program or network than the one before', async (t) => {
  const { app, signUp } = await buildOnFile(t)
  const heard = hear(t, 'refresh')
  let { refresh_token: token } = await signUp()
  const refresh = async (remoteAddress: string, userAgent: string) => {
    const headers = { 'user-agent': userAgent }
    const answer = await app.inject({
      method: 'POST',
      url: '/auth/refresh',
      payload: { refresh_token: token },
      remoteAddress,
      headers,
    })
    t.equal(answer.statusCode, 200)
    token = answer.json().refresh_token
  }
  mock.timers.enable({ apis: ['Date'], now: Date.now() })
  t.teardown(() => mock.timers.reset())
  const sources = [
    ['2001:db8:1:2::3', 'one'],
    ['2001:db8:1:2:ffff::9', 'one'],
    ['2001:db8:1:3::3', 'two'],
    ['192.0.2.1', 'two'],
    ['::ffff:192.0.2.1', 'two'],
  ]
  for (const [address, agent] of sources) {
    mock.timers.tick(62_000)
    await refresh(address!, agent!)
  }
  t.same(
    heard.map((event) => {
      const { userAgentChanged, networkChanged } = event as Record<string, unknown>
      return [userAgentChanged, networkChanged]
    }),
    [
      [true, true],
      [false, false],
      [true, true],
      [false, true],
      [false, false],
    ]
  )
})

t.test('of a session that code began nothing is known to compare with', async (t) => {
  const { app, signUp, refresh } = await buildOnFile(t)
  const heard = hear(t, 'refresh')
  const { user } = await signUp()
  const { refresh_token: token } = await app.accounts.issueTokens(user.id)
  await refresh(token)
  t.match(heard, [{ outcome: 'rotated', userAgentChanged: null, networkChanged: null }])
})

t.test('a refresh token that has expired is told and counted as one whose session is over', async (t) => {
  const { app, signUp, refresh } = await buildOnFile(t)
  const heard = hear(t, 'refresh')
  const { refresh_token: token } = await signUp()
  mock.timers.enable({ apis: ['Date'], now: Date.now() + 31 * 86_400_000 })
  t.teardown(() => mock.timers.reset())
  t.match((await refresh(token)).json(), { code: 'ACCOUNTS_TOKEN_EXPIRED' })
  t.match(heard, [{ outcome: 'ended', sessionId: decode(token).payload.sid, userAgentChanged: null }])
  t.match(app.accounts.counters, { refreshesEnded: 1 })
})

t.test('a row with an address and a time that cannot be read keeps no thief in', async (t) => {
  for (const change of ["last_used_at = 'x'", "ip = x'00'", "user_agent = x'00'"]) {
    const { app, signUp, refresh, sql } = await buildOnFile(
      t,
      { refresh: { window: 0 }, db: await freshDatabase(t, 'sqlite'), events: { store: true } },
      silent
    )
    const { refresh_token: token } = await signUp()
    t.equal((await refresh(token)).statusCode, 200)
    await sql.exec(`update accounts_sessions set ${change}`)
    t.match((await refresh(token)).json(), { code: 'ACCOUNTS_REFRESH_REUSED' }, change)
    t.match(await sql.get('select revoke_reason from accounts_sessions'), { revoke_reason: 'reuse' })
    t.equal(app.accounts.counters.refreshesReused, 1)
  }
})
