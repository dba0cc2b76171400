import t from 'tap'
import { softPasskey } from '../../lib/testing.ts'
import { secret } from '../support/build.ts'
import { buildWithPasskeys, origin, passkeys } from '../features/passkeys/with-passkeys.ts'
import { cli, json } from './cli.ts'

t.test('passkeys are listed and taken away from the command line, but for the last way in', async (t) => {
  const { db, signUp, add, get, ask, send } = await buildWithPasskeys(t)
  const given = { cwd: t.testdir({}), env: { ACCOUNTS_DATABASE_URL: db } }
  const { access_token: token } = await signUp()
  const { passkey, access_token: now } = (await add(softPasskey({ origin }), token, { name: 'Laptop' })).json()
  t.match(await json(['user', 'passkeys', 'ada'], given), { passkeys: [{ id: passkey.id, name: 'Laptop', lastUsedAt: null }] })
  t.match((await cli(['user', 'passkeys', 'ada'], given)).stdout, /Laptop .* no +example\.com/)

  t.match(await json(['user', 'passkeys', 'ada', '--delete', passkey.id], given), { deleted: passkey.id })
  t.equal((await get('/strict', now)).statusCode, 401)
  t.match(await json(['user', 'passkeys', 'ada', '--delete', passkey.id], given), { error: { code: 'ACCOUNTS_NOT_FOUND' } })

  const { options, enrolment } = await ask({ for: 'register', username: 'eve' })
  await send('POST', '/register', undefined, { username: 'eve', enrolment, credential: softPasskey({ origin }).create(options) })
  const { passkeys: [only] } = await json(['user', 'passkeys', 'eve'], given)
  t.match(await json(['user', 'passkeys', 'eve', '--delete', only.id], given), { error: { code: 'ACCOUNTS_LAST_CREDENTIAL' } })
})

t.test('a passkey that has signed in and is kept on several devices is listed as such, by the options of the app too', async (t) => {
  const { db, signUp, add, login } = await buildWithPasskeys(t)
  const { access_token: token } = await signUp()
  const key = softPasskey({ origin, synced: true })
  const { passkey } = (await add(key, token, { name: 'Phone' })).json()
  t.equal((await login(key)).statusCode, 200)
  const cwd = t.testdir({ 'app.mjs': `export default ${JSON.stringify({ secret, passkeys })}` })
  const given = { cwd, env: { ACCOUNTS_DATABASE_URL: db } }
  const { stdout } = await cli(['user', 'passkeys', 'ada', '--config', 'app.mjs'], given)
  t.match(stdout, /Phone +\d{4}-\d\d-\d\d .+ \d{4}-\d\d-\d\d .+ yes +example\.com/)
  t.match(await json(['user', 'passkeys', 'ada'], given), { passkeys: [{ id: passkey.id, lastUsedAt: String, synced: true }] })
})
