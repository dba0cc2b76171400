import t from 'tap'
import { softPasskey } from '../../lib/testing.ts'
import { buildWithPasskeys, origin } from '../features/passkeys/with-passkeys.ts'
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
