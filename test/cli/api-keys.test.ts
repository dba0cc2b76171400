import t from 'tap'
import { secret } from '../support/build.ts'
import { freshDatabase } from '../support/databases.ts'
import { buildWithKeys, scopes } from '../features/api-keys/with-keys.ts'
import { cli, json } from './cli.ts'

t.test('keys are made, listed and ended from the command line', async (t) => {
  const db = await freshDatabase(t)
  const { get } = await buildWithKeys(t, { db })
  const cwd = t.testdir({ 'app.mjs': `export default ${JSON.stringify({ secret, keys: { scopes, maxAge: false } })}` })
  const given = { cwd, env: { ACCOUNTS_DATABASE_URL: db } }
  const config = ['--config', 'app.mjs']

  const made = await cli(['key', 'create', 'ada', '--label', 'CI', '--scope', 'orders:read', ...config], given)
  const key = made.stdout.trim()
  t.equal((await get('/orders', key)).statusCode, 200)
  const forever = await json(['key', 'create', 'ada', '--expires-in', 'never', ...config], given)
  t.match(forever, { key: /^fja_/, name: 'Command line', expiresAt: null })
  t.match(await json(['key', 'create', 'ada', '--expires-in', '7d', ...config], given), { expiresAt: String })
  t.match((await cli(['key', 'list', 'ada'], given)).stdout, new RegExp(`CI +…${key.slice(-4)} +orders:read .+\n.+ never `))

  const { keys: [{ id }] } = await json(['key', 'list', 'ada', ...config], given)
  t.match((await cli(['key', 'revoke', 'ada', id], given)).stdout, 'opens nothing any more')
  t.match(await json(['key', 'revoke', 'ada', id], given), { error: { code: 'ACCOUNTS_NOT_FOUND' } })
  t.equal((await json(['key', 'list', 'ada'], given)).keys.length, 2)
})

t.test('a key is made by the options of the app alone, and its life is a duration', async (t) => {
  const db = await freshDatabase(t)
  await buildWithKeys(t, { db })
  const given = { cwd: t.testdir({}), env: { ACCOUNTS_DATABASE_URL: db } }
  t.match((await cli(['key', 'create', 'ada'], given)).stderr, '--config')
  t.match(await cli(['key', 'create', 'ada', '--expires-in', 'soon'], given), { code: 2, stderr: /--expires-in is a/ })
})
