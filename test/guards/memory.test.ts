// On each database.
import t, { type Test } from 'tap'
import { build, decode } from '../support/build.ts'

/** An app whose statements are counted as its driver logs them. */
async function counting (t: Test) {
  const built = await build(t)
  const statements: string[] = []
  const logger = built.app.accounts.orm.config.getLogger()
  logger.setDebugMode(['query'])
  logger.logQuery = ({ query }) => { statements.push(query!) }
  const count = async (act: () => Promise<unknown>) => {
    statements.length = 0
    await act()
    // What the poll asks once a second is nobody's request.
    return statements.filter((statement) => !/order by .*revision.* desc/.test(statement)).length
  }
  return { ...built, count }
}

t.test('a guarded request asks no database, once its token and its user are known', async (t) => {
  const { get, signUp, count } = await counting(t)
  const { access_token: token } = await signUp()
  t.equal(await count(() => get('/guarded', token)), 1, 'the user is read')
  for (const path of ['/guarded', '/auth/me']) { t.equal(await count(() => Promise.all(Array.from({ length: 50 }, () => get(path, token)))), 0, path) }
  t.ok(await count(() => get('/strict', token)) > 0, 'and what is counted is there to count')
})

t.test('a session that was revoked one statement ago is refused from memory, in whatever way it was', async (t) => {
  const { app, get, post, signUp, signIn, count } = await counting(t)
  const { user: { id } } = await signUp()
  const ways: ((token: string, refreshToken: string) => Promise<unknown>)[] = [
    (_, refreshToken) => post('/auth/logout', { refresh_token: refreshToken }),
    (token) => post('/auth/logout', {}, token),
    (token) => app.accounts.revoke(token),
    (_, refreshToken) => app.accounts.revoke(refreshToken),
    (token) => app.accounts.sessions.revoke(decode(token).payload.sid),
  ]
  for (const revoke of ways) {
    const { access_token: token, refresh_token: refreshToken } = await signIn()
    t.equal((await get('/guarded', token)).statusCode, 200)
    await revoke(token, refreshToken)
    t.equal(
      await count(async () => t.match((await get('/guarded', token)).json(), { code: 'ACCOUNTS_TOKEN_REVOKED' })),
      0
    )
  }

  const wholesale = [
    () => app.accounts.sessions.revokeAll(id),
    () => app.accounts.users.setPassword(id, 'another horse battery staple'),
    () => app.accounts.users.disable(id),
  ]
  for (const revoke of wholesale) {
    const { access_token: token } = await app.accounts.issueTokens(id)
    t.equal((await get('/guarded', token)).statusCode, 200)
    await revoke()
    t.equal((await get('/guarded', token)).statusCode, 401)
    t.equal(await count(() => get('/guarded', token)), 0, 'the user is known again')
  }
})

t.test('of a user who changes, the next request knows', async (t) => {
  const { app, get, signUp } = await build(t)
  const { access_token: token, user: { id } } = await signUp()
  await get('/guarded', token)
  await app.accounts.users.setRoles(id, ['admin'])
  t.match((await get('/guarded', token)).json(), { user: { roles: ['admin'] } })
  await app.accounts.users.update(id, { username: 'Ada L.' })
  t.match((await get('/guarded', token)).json(), { user: { username: 'Ada L.' } })
})
