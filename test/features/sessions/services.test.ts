// On each database.
import t from 'tap'
import { build, buildOnFile, decode } from '../../support/build.ts'

const sidOf = ({ access_token: token }: { access_token: string }): string => decode(token).payload.sid
const unknown = ['01a20000-0000-7000-8000-000000000000', 'x', '', "' or 1=1", 'a\0b']

t.test('code sees where a user is signed in, as the user does', async (t) => {
  const { app, get, signUp, signIn } = await build(t)
  const first = await signUp()
  await signIn()
  await signUp('bob')
  const listed = await app.accounts.sessions.list(first.user.id)
  const shown = listed.map(({ id, createdAt, lastUsedAt, expiresAt, userAgent, ip, actorId }) => ({
    id,
    current: id === sidOf(first),
    created_at: createdAt.toISOString(),
    last_used_at: lastUsedAt.toISOString(),
    expires_at: expiresAt.toISOString(),
    user_agent: userAgent,
    ip,
    borrowed: actorId !== null,
  }))
  t.strictSame((await get('/auth/sessions', first.access_token)).json().sessions, shown)
  t.equal(listed.length, 2)
  for (const id of unknown) t.same(await app.accounts.sessions.list(id), [], id)
})

t.test('of who was disabled or logged out everywhere by a hand in the database no session goes on', async (t) => {
  for (const change of ['disabled_at = created_at', 'epoch = epoch + 1']) {
    const { app, signUp, sql } = await buildOnFile(t)
    const { user } = await signUp()
    t.equal((await app.accounts.sessions.list(user.id)).length, 1)
    await sql.exec(`update accounts_users set ${change}`)
    t.same(await app.accounts.sessions.list(user.id), [], change)
  }
})

t.test('code ends one session, and is told whether there was one', async (t) => {
  const { app, get, refresh, signUp, signIn } = await build(t)
  const here = await signUp()
  const there = await signIn()
  t.equal(await app.accounts.sessions.revoke(sidOf(there)), true)
  t.match((await get('/guarded', there.access_token)).json(), { code: 'ACCOUNTS_TOKEN_REVOKED' })
  t.equal((await refresh(there.refresh_token)).statusCode, 401)
  for (const id of [sidOf(there), ...unknown]) t.equal(await app.accounts.sessions.revoke(id), false, id)
  t.equal((await get('/guarded', here.access_token)).statusCode, 200)
})

t.test('code ends all sessions of a user, or all but one, which does not feel it', async (t) => {
  const { app, get, signUp, signIn } = await build(t)
  const all = [await signUp(), await signIn(), await signIn()]
  const bob = await signUp('bob')
  const states = async () =>
    Promise.all([...all, bob].map(async ({ access_token: token }) => (await get('/guarded', token)).statusCode))

  await app.accounts.sessions.revokeAll(all[0]!.user.id, { except: sidOf(all[1]!) })
  t.same(await states(), [401, 200, 401, 200])
  await app.accounts.sessions.revokeAll(all[0]!.user.id, { except: sidOf(all[1]!) })
  t.same(await states(), [401, 200, 401, 200], 'with nothing left to end')
  await app.accounts.sessions.revokeAll(all[0]!.user.id, { except: sidOf(bob) })
  t.same(await states(), [401, 401, 401, 200], "another's session is not kept, nor ended")
  for (const except of unknown) await t.resolves(app.accounts.sessions.revokeAll(all[0]!.user.id, { except }), except)
  all[0] = await signIn()
  await app.accounts.sessions.revokeAll(all[0].user.id)
  t.same(await states(), [401, 401, 401, 200])
  for (const id of unknown) {
    await t.rejects(app.accounts.sessions.revokeAll(id), { code: 'ACCOUNTS_NOT_FOUND' }, id)
    await t.rejects(app.accounts.sessions.revokeAll(id, { except: 'x' }), { code: 'ACCOUNTS_NOT_FOUND' }, id)
  }
})

t.test('a row says how its session was ended by code', async (t) => {
  const { app, signUp, signIn, sql } = await buildOnFile(t)
  const { sessions } = app.accounts
  const all = [await signUp(), await signIn(), await signIn()]
  await sessions.revoke(sidOf(all[0]!))
  await sessions.revokeAll(all[0]!.user.id, { except: sidOf(all[1]!) })
  await sessions.revokeAll(all[0]!.user.id)
  const reasons = (await sql.all('select revoke_reason from accounts_sessions order by id')).map(
    (row) => row.revoke_reason
  )
  t.same(reasons, ['ended', 'everywhere', 'ended'])
  const kinds = (await sql.all('select kind from accounts_revoked_tokens order by revision')).map((row) => row.kind)
  t.same(kinds, ['session', 'session', 'session', 'user'])
})

t.test('a token that code revokes is refused by a strict guard, and no other is', async (t) => {
  const { app, get, signUp, signIn } = await build(t)
  const [gone, stays] = [await signUp(), await signIn()]
  await app.accounts.revoke(gone.access_token)
  t.equal((await get('/strict', gone.access_token)).statusCode, 401)
  t.equal((await get('/strict', stays.access_token)).statusCode, 200)
})

t.test('a token that another process revokes is refused by a strict guard before the log is read', async (t) => {
  const options = { revocation: { pollInterval: '60s', maxStaleness: '300s' } } as const
  const here = await buildOnFile(t, options)
  const there = await build(t, { ...options, db: here.db })
  const { access_token: token } = await here.signUp()
  t.equal((await there.get('/strict', token)).statusCode, 200)
  await here.app.accounts.revoke(token)
  t.match((await there.get('/strict', token)).json(), { statusCode: 401, code: 'ACCOUNTS_TOKEN_REVOKED' })
})

t.test('two sessions that end all others at once do not both go on', async (t) => {
  const { app, get, signUp, signIn } = await build(t)
  const all = [await signUp(), await signIn(), await signIn(), await signIn()]
  await Promise.all(all.map((session) => app.accounts.sessions.revokeAll(session.user.id, { except: sidOf(session) })))
  const states = await Promise.all(
    all.map(async ({ access_token: token }) => (await get('/guarded', token)).statusCode)
  )
  t.same(states.filter((status) => status === 200).length, 0, 'each was ended by another')
})
