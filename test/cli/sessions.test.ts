import t, { type Test } from 'tap'
import { buildOnFile, decode, type client } from '../support/build.ts'
import { until } from '../support/waiting.ts'
import { cli, json, spawned } from './cli.ts'

/** An app that runs, and a command line on its database. */
async function beside (t: Test) {
  const built = await buildOnFile(t)
  return { ...built, given: { cwd: t.testdir({}), env: { ACCOUNTS_DATABASE_URL: built.db } } }
}

/** What it says once the app has read what others have written. */
async function answered (get: ReturnType<typeof client>['get'], token: string): Promise<string> {
  await until(async () => (await get('/guarded', token)).statusCode !== 200)
  return (await get('/guarded', token)).json().code
}

t.test('an app that runs notices that a session is revoked', async (t) => {
  const { get, signUp, signIn, given } = await beside(t)
  const first = await signUp()
  const second = await signIn()

  const { sessions } = await json(['sessions', 'list', 'ada'], given)
  t.equal(sessions.length, 2)
  const { sid } = decode(first.access_token).payload
  t.match(await spawned(['sessions', 'revoke', sid], given), { code: 0, stdout: `The session ${sid} is over.` })
  t.equal(await answered(get, first.access_token), 'ACCOUNTS_TOKEN_REVOKED')
  t.equal((await get('/guarded', second.access_token)).statusCode, 200)
  t.match(await json(['sessions', 'revoke', sid], given), {
    code: 1,
    error: { code: 'ACCOUNTS_NOT_FOUND', message: 'There is no such active session' },
  })
  t.match(await json(['sessions', 'list', 'nobody'], given), {
    code: 1,
    error: {
      code: 'ACCOUNTS_NOT_FOUND',
      message: 'There is no such user: fastify-jwt-accounts user list shows who there is',
    },
  })

  t.match(await cli(['sessions', 'revoke-all', 'ada'], given), {
    code: 0,
    stdout: /^All sessions of ada \(.+\) are over\.$/,
  })
  t.equal(await answered(get, second.access_token), 'ACCOUNTS_TOKEN_REVOKED')
})

t.test('an app that runs notices that a user is disabled', async (t) => {
  const { get, signUp, given } = await beside(t)
  const { access_token: token } = await signUp()
  t.equal((await spawned(['user', 'disable', 'ada'], given)).code, 0)
  t.equal(await answered(get, token), 'ACCOUNTS_TOKEN_REVOKED')
})

t.test('what a client has called itself does not steer the terminal', async (t) => {
  const { app, given } = await beside(t)
  const headers = { 'user-agent': 'Browser\u009b2J \u001b[2J' }
  await app.inject({
    method: 'POST',
    url: '/auth/register',
    headers,
    payload: { username: 'ada', password: 'correct horse battery staple' },
  })
  const { stdout } = await cli(['sessions', 'list', 'ada'], given)
  t.match(stdout, /Browser/)
  t.notOk(stdout.includes('\u001b') || stdout.includes('\u009b'))
})

t.test('of a session that code has begun, nobody knows from where', async (t) => {
  const { app, given } = await beside(t)
  const { id } = await app.accounts.users.create({ email: 'ada@example.com' })
  await app.accounts.issueTokens(id)
  t.match(await cli(['sessions', 'list', id], given), { stdout: /UTC {2}– +–$/ })
  t.match(await cli(['sessions', 'revoke-all', 'ada@example.com'], given), {
    stdout: `All sessions of ada@example.com (${id}) are over.`,
  })
})

t.test('what is old is pruned, and counted', async (t) => {
  const { sql, signUp, given } = await beside(t)
  await signUp()
  await sql.run('update accounts_sessions set refresh_expires_at = ?, expires_day = 0', new Date(0))
  t.match(await cli(['prune'], given), {
    code: 0,
    stdout: 'Deleted 1 sessions, 0 revocations, 0 counts of failures and 0 events.',
  })
  t.match(await json(['prune'], given), { sessions: 0, revocations: 0 })
})
