import t from 'tap'
import { build, buildOnFile, decode } from './support/build.ts'

t.test('an account lives from its registration to its logout, and over a restart', async (t) => {
  const { get, post, signUp, refresh, db } = await buildOnFile(t)
  await signUp()

  const login = await post('/auth/login', { username: 'ada', password: 'correct horse battery staple' })
  t.equal(login.statusCode, 200)
  const first = login.json()
  t.equal((await get('/auth/me', first.access_token)).json().username, 'ada')
  t.equal((await get('/guarded', first.access_token)).statusCode, 200)

  const second = (await refresh(first.refresh_token)).json()
  t.equal((await get('/guarded', first.access_token)).statusCode, 200, 'an access token lives to its own end')
  t.equal((await get('/guarded', second.access_token)).statusCode, 200)

  t.equal((await post('/auth/logout', { refresh_token: second.refresh_token })).statusCode, 204)
  const restarted = await build(t, { db })

  for (const process of [{ get, refresh }, restarted]) {
    for (const tokens of [first, second]) {
      t.match((await process.get('/guarded', tokens.access_token)).json(), {
        statusCode: 401,
        code: 'ACCOUNTS_TOKEN_REVOKED',
      })
      t.match((await process.refresh(tokens.refresh_token)).json(), { statusCode: 401, code: 'ACCOUNTS_TOKEN_REVOKED' })
    }
  }
  t.equal(decode(first.access_token).payload.sid, decode(second.access_token).payload.sid)
})
