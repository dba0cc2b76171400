import diagnostics from 'node:diagnostics_channel'
import { mock } from 'node:test'
import t, { type Test } from 'tap'
import { buildOnFile, decode } from './build.ts'

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
  t.same(heard, ['rotated', 'repeated', 'skipped'].map((outcome) => ({ instance: 'accounts', sessionId, userId: user.id, outcome })))
  t.match(app.accounts.counters, { refreshesRotated: 1, refreshesRepeated: 1, refreshesSkipped: 1, refreshesAdopted: 0, refreshesReused: 1 })
  t.match(await sql.get('select revoke_reason from accounts_sessions'), { revoke_reason: 'reuse' })
})

t.test('a refresh that the database had lost is counted', async (t) => {
  const { app, signUp, refresh, sql } = await buildOnFile(t)
  const { refresh_token: first } = await signUp()
  const { refresh_token: second } = (await refresh(first)).json()
  await sql.exec('update accounts_sessions set gen = 0, prev_gen = null')
  t.equal((await refresh(second)).statusCode, 200)
  t.match(app.accounts.counters, { refreshesAdopted: 1, refreshesOvertaken: 0, refreshesRepeated: 1 })
})

t.test('of refreshes at once one rotates, and the others repeat it', async (t) => {
  const { app, signUp, refresh } = await buildOnFile(t)
  const { refresh_token: token } = await signUp()
  await Promise.all(Array.from({ length: 20 }, () => refresh(token)))
  t.match(app.accounts.counters, { refreshesRotated: 1, refreshesRepeated: 19 })
})

t.test('the end of a stolen session is told, and no event holds a secret', async (t) => {
  const { signUp, refresh } = await buildOnFile(t, { refresh: { window: 0 } }, { logger: { level: 'silent' } })
  const heard = [hear(t, 'reuse'), hear(t, 'refresh')]
  const { refresh_token: token } = await signUp()
  await refresh(token)
  await refresh(token)
  const { sid, sub } = decode(token).payload
  t.same(heard[0], [{ instance: 'accounts', userId: sub, sessionId: sid, reason: null, ip: '127.0.0.1', userAgent: 'lightMyRequest' }])
  t.notMatch(JSON.stringify(heard), token)
})
