// On each database.
import { mock } from 'node:test'
import t from 'tap'
import { build, buildOnFile, decode, password } from '../../support/build.ts'
import { addTrigger } from '../../support/databases.ts'

t.test('who gives the password again is as fresh as after a login, in the same session', async (t) => {
  mock.timers.enable({ apis: ['Date'], now: 1_800_000_000_000 })
  t.teardown(() => mock.timers.reset())
  const { app, get, post, signUp, refresh } = await build(t)
  app.get('/fresh', { preHandler: app.accounts.guard({ fresh: '5m' }) }, async () => 'fresh')
  const { access_token: old, refresh_token: token } = await signUp()

  mock.timers.setTime(1_800_000_301_000)
  const stale = await get('/fresh', old)
  t.match(stale.json(), { statusCode: 401, code: 'ACCOUNTS_TOKEN_STALE' })
  t.match(stale.headers['www-authenticate'], /error="insufficient_user_authentication".*, max_age="300"$/)

  const answer = await post('/auth/reauthenticate', { password }, old)
  t.match(answer, { statusCode: 200, headers: { 'cache-control': 'no-store' } })
  const { access_token: fresh, refresh_token: next } = answer.json()
  t.equal((await get('/fresh', fresh)).body, 'fresh')
  for (const url of ['/fresh', '/guarded']) t.equal((await get(url, old)).statusCode, 401, 'the older token is void')
  t.equal(decode(fresh).payload.sid, decode(old).payload.sid)
  t.match((await refresh(token)).json(), { code: 'ACCOUNTS_TOKEN_SUPERSEDED' })

  const { access_token: later } = (await refresh(next)).json()
  t.equal(decode(later).payload.auth_time, 1_800_000_301)
})

t.test('no other session becomes as fresh', async (t) => {
  mock.timers.enable({ apis: ['Date'], now: 1_800_000_000_000 })
  t.teardown(() => mock.timers.reset())
  const { post, signUp, signIn, refresh } = await build(t)
  const { access_token: token } = await signUp()
  const other = await signIn()
  mock.timers.setTime(1_800_000_301_000)
  t.equal((await post('/auth/reauthenticate', { password }, token)).statusCode, 200)
  t.equal(decode((await refresh(other.refresh_token)).json().access_token).payload.auth_time, 1_800_000_000)
})

t.test('a wrong password, or none, changes nothing', async (t) => {
  const { post, signUp, sql } = await buildOnFile(t)
  const { access_token: token } = await signUp()
  const before = await sql.get('select * from accounts_sessions')
  t.match((await post('/auth/reauthenticate', { password: `${password} ` }, token)).json(), {
    statusCode: 401,
    code: 'ACCOUNTS_CREDENTIALS_INVALID',
  })
  for (const body of [{}, { password: 5 }, { password: null }, { password, username: 'ada' }]) { t.equal((await post('/auth/reauthenticate', body, token)).statusCode, 400) }
  t.equal((await post('/auth/reauthenticate', { password })).statusCode, 401)
  t.same(await sql.get('select * from accounts_sessions'), before)
})

t.test('a session that ends while the password is checked stays over', async (t) => {
  const { post, signUp, sql } = await buildOnFile(t)
  const { access_token: token } = await signUp()
  await addTrigger(sql, 'before update of auth_time', 'accounts_sessions', {
    sqlite: 'update accounts_sessions set revoked_at = 1 where id = new.id',
    postgresql: 'new.revoked_at = new.created_at',
    mariadb: 'set new.revoked_at = new.created_at',
  })
  t.match((await post('/auth/reauthenticate', { password }, token)).json(), {
    statusCode: 401,
    code: 'ACCOUNTS_TOKEN_REVOKED',
  })
})

t.test('a session that is over in the database alone is not begun again by a password', async (t) => {
  const { get, post, signUp, signIn, sql } = await buildOnFile(t)
  const [{ access_token: ended }, { access_token: gone }] = [await signUp(), await signIn()]
  const idOf = (token: string) => decode(token).payload.sid
  await sql.run('update accounts_sessions set revoked_at = created_at where id = ?', idOf(ended))
  await sql.run('delete from accounts_sessions where id = ?', idOf(gone))
  for (const token of [ended, gone]) {
    t.equal((await get('/guarded', token)).statusCode, 200, 'the log has not told of it')
    t.match((await post('/auth/reauthenticate', { password }, token)).json(), {
      statusCode: 401,
      code: 'ACCOUNTS_TOKEN_REVOKED',
    })
  }
})

t.test('a reauthentication that fails for want of claims makes nothing fresher', async (t) => {
  mock.timers.enable({ apis: ['Date'], now: 1_800_000_000_000 })
  t.teardown(() => mock.timers.reset())
  let isAway = false
  const claims = () => { if (isAway) throw new Error('away'); return {} }
  const { post, signUp, refresh } = await build(t, { claims }, { logger: { level: 'silent' } })
  const { access_token: access, refresh_token: token } = await signUp()
  mock.timers.setTime(1_800_000_300_000)
  isAway = true
  t.equal((await post('/auth/reauthenticate', { password }, access)).statusCode, 500)
  isAway = false
  t.equal(decode((await refresh(token)).json().access_token).payload.auth_time, 1_800_000_000)
})
