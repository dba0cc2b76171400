import t from 'tap'
import { buildOnFile, password, secret } from '../support/build.ts'
import { factorsOf, codeOf } from '../features/factors/enrolled.ts'
import { cli, json } from './cli.ts'

const other = 'mN4bV7cX1zL9kJ3hG6fD8sA2pO5iU0yT'

/** Ada, who has an authenticator app, and where the command line finds her. */
async function prepare (t: Parameters<typeof buildOnFile>[0]) {
  const built = await buildOnFile(t, { factors: true })
  const used = factorsOf(built)
  const { access_token: token } = await built.signUp()
  const { secret: seed } = await used.enrol(token)
  return { ...built, ...used, seed, given: { cwd: t.testdir({}), env: { ACCOUNTS_DATABASE_URL: built.db } } }
}

t.test('second factors are shown, and taken away from who has lost them', async (t) => {
  const { given, login } = await prepare(t)
  t.match(await json(['user', 'factors', 'ada'], given), {
    code: 0, second_factor: true, required: false, totp: { last_used_at: null }, recovery_codes: { left: 10 },
  })
  const { stdout } = await cli(['user', 'factors', 'ada'], given)
  t.match(stdout, /second_factor +true/)
  t.match(stdout, /totp +created_at .+Z, last_used_at –/)

  t.match(await cli(['user', 'reset-factors', 'ada', '--recovery-codes', '--devices'], given), {
    code: 0, stdout: /^ada \(.+\) has these no more\.$/,
  })
  t.match(await cli(['user', 'factors', 'ada'], given), { stdout: /recovery_codes +–/ })
  t.equal((await login()).statusCode, 403)
  t.match(await cli(['user', 'reset-factors', 'ada'], given), { code: 0, stdout: /has no second factors\.$/ })
  t.equal((await login()).statusCode, 200)
  t.match(await json(['user', 'factors', 'nobody'], given), { code: 1, error: { code: 'ACCOUNTS_NOT_FOUND' } })
})

t.test('what an older key has encrypted is encrypted anew, and what no key opens is told', async (t) => {
  const { given, seed, sql, db } = await prepare(t)
  t.match(await cli(['keys', 'reseal'], given), { code: 1, stderr: /There is no key/ })
  t.match(await cli(['keys', 'reseal'], { ...given, env: { ...given.env, JWT_SECRET_KEY: secret } }), {
    code: 0, stdout: 'Encrypted anew: 0.',
  })
  const before = await sql.get('select sealed, key_id from accounts_totp')
  t.match(await json(['keys', 'reseal'], { ...given, env: { ...given.env, ACCOUNTS_ENCRYPTION_KEY: other } }), {
    code: 1, resealed: 0, unreadable: 1,
  })
  t.same(await sql.get('select sealed, key_id from accounts_totp'), before)

  const config = { 'app.mjs': `export default ${JSON.stringify({ secret, encryptionKey: [other, secret], factors: true })}` }
  const rotated = { cwd: t.testdir(config), env: given.env }
  t.match(await json(['keys', 'reseal', '--config', 'app.mjs'], rotated), { code: 0, resealed: 1, unreadable: 0 })
  t.match(await json(['keys', 'reseal', '--config', 'app.mjs'], rotated), { code: 0, resealed: 0, unreadable: 0 })

  const { app, post } = await buildOnFile(t, { db, factors: true, encryptionKey: other })
  t.ok(app)
  const { ticket } = (await post('/auth/login', { username: 'ada', password })).json()
  const code = codeOf(seed, Date.now() + 30_000)
  t.equal((await post('/auth/factors/verify', { ticket, code })).statusCode, 200)
})

t.test('the doctor tells of seeds without a key, and of users without the factor that they need', async (t) => {
  const { given, app, sql } = await prepare(t)
  let examined = 0
  const examine = async (options: object) => {
    // A module is loaded once from each place.
    const file = `app-${examined++}.mjs`
    const cwd = t.testdir({ [file]: `export default ${JSON.stringify({ secret, ...options })}` })
    return JSON.stringify((await json(['doctor', '--config', file], { cwd, env: given.env })).findings)
  }
  const [unreadable, unprotected] = [/encrypted with a key that is not there: 1\./, /need a second factor and have none: 1\./]
  const healthy = await examine({ factors: { requireFor: ['admin'] } })
  t.notMatch(healthy, unreadable)
  t.notMatch(healthy, unprotected)
  t.match(await examine({ factors: true, encryptionKey: other }), unreadable)
  t.notMatch(await examine({ encryptionKey: other }), unreadable)

  await app.accounts.users.create({ username: 'root', password, roles: ['admin'] })
  t.match(await examine({ factors: { requireFor: ['admin'] } }), unprotected)
  await sql.run("update accounts_users set disabled_at = created_at where username = 'root'")
  t.notMatch(await examine({ factors: { requireFor: ['admin'] } }), unprotected)
})
