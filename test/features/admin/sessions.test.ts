// On each database.
// With more rounds in trials.
import t, { type Test } from 'tap'
import type { AccountsOptions } from '../../../lib/index.ts'
import { clock, enrolTotp, signIn } from '../../../lib/testing.ts'
import { bearer, build, buildOnFile } from '../../support/build.ts'
import { rounds } from '../../support/rounds.ts'

const forbidden = { statusCode: 403, code: 'ACCOUNTS_FORBIDDEN' }
const notFound = { statusCode: 404, code: 'ACCOUNTS_NOT_FOUND' }
const nobody = '01980c1e-6f3b-7d18-8a02-c4f7e1b95d60'

/** An app with Root, who may do anything, Help, who may end sessions, and Ada and Bob, who may nothing. */
async function withHelp (t: Test, options: AccountsOptions = {}) {
  const built = await buildOnFile(t, {
    routes: { users: true },
    admin: { roles: { root: ['*'], help: ['sessions:end'] }, impersonation: true },
    events: { store: true },
    ...options,
  })
  const { app, get, sql } = built
  const enter = async (username: string, roles: string[] = []) => {
    const { user, tokens } = await signIn(app, { username, roles }, { transport: 'body' })
    return { id: user.id, token: tokens.access_token as string }
  }
  return {
    ...built,
    enter,
    root: await enter('root', ['root']),
    help: await enter('help', ['help']),
    ada: await enter('ada'),
    bob: await enter('bob'),
    async ask (method: 'GET' | 'DELETE', url: string, token: string) {
      const { statusCode, body } = await app.inject({ method, url: `/auth/users/${url}`, headers: bearer(token) })
      return { statusCode, ...body && JSON.parse(body) }
    },
    isIn: async ({ token }: { token: string }) => (await get('/guarded', token)).statusCode === 200,
    sessionsOf: async ({ id }: { id: string }) => (await app.accounts.sessions.list(id)).map((each) => each.id),
    logouts: (reason: string) =>
      sql.all('select * from accounts_events where type = ? and reason = ? order by id', 'logout', reason),
  }
}

t.test('an admin sees where a user is signed in', async (t) => {
  const { app, ask, help, ada, root } = await withHelp(t)
  await signIn(app, 'ada', { transport: 'body' })
  const { sessions } = await ask('GET', `${ada.id}/sessions`, help.token)
  t.same(sessions.map(({ id }: { id: string }) => id), (await app.accounts.sessions.list(ada.id)).map(({ id }) => id))
  t.match(sessions, [{ current: false, borrowed: false, created_at: String }, { current: false, expires_at: String }])
  t.match(await ask('GET', `${help.id}/sessions`, help.token), { sessions: [{ current: true }] })
  t.match(await ask('GET', `${root.id}/sessions`, help.token), { statusCode: 200 }, 'to see asks for no rank')
})

t.test('an admin ends one session of a user, and the others go on', async (t) => {
  const { app, ask, help, ada, bob, isIn, sessionsOf, logouts } = await withHelp(t)
  const [first] = await sessionsOf(ada)
  const { tokens } = await signIn(app, 'ada', { transport: 'body' })
  const second = { token: tokens.access_token! }
  t.match(await ask('DELETE', `${ada.id}/sessions/${first}`, help.token), { statusCode: 204 })
  t.notOk(await isIn(ada))
  for (const each of [second, bob, help]) t.ok(await isIn(each))
  t.match(await logouts('ended'), [{ user_id: ada.id, actor_id: help.id, session_id: first }])
  t.match(await ask('DELETE', `${ada.id}/sessions/${first}`, help.token), notFound, 'once')
  t.match(await logouts('ended'), { length: 1 })
})

t.test('an admin ends all sessions of a user, and nobody else is signed out', async (t) => {
  const { app, ask, help, ada, bob, isIn, sessionsOf, logouts } = await withHelp(t)
  await signIn(app, 'ada', { transport: 'body' })
  t.match(await ask('DELETE', `${ada.id}/sessions`, help.token), { statusCode: 204 })
  t.notOk(await isIn(ada))
  t.same(await sessionsOf(ada), [])
  for (const each of [bob, help]) t.ok(await isIn(each))
  t.match(await logouts('everywhere'), [{ user_id: ada.id, actor_id: help.id }])
  t.match(await ask('DELETE', `${ada.id}/sessions`, help.token), { statusCode: 204 }, 'also where there are none')
})

t.test('a session of somebody else, and what is no id, is not found and ends nothing', async (t) => {
  const { ask, help, ada, bob, isIn, sessionsOf, logouts } = await withHelp(t)
  const [of] = await sessionsOf(bob)
  for (const sid of [of, nobody, 'x', '%00', of!.toUpperCase(), "'", 'ü'.repeat(20)]) {
    t.match(await ask('DELETE', `${ada.id}/sessions/${sid === of ? sid : encodeURI(sid!)}`, help.token), notFound, sid!)
  }
  for (const id of [nobody, 'x', '%00', "'"]) {
    t.match(await ask('GET', `${id}/sessions`, help.token), notFound, id)
    t.match(await ask('DELETE', `${id}/sessions`, help.token), notFound, id)
    t.match(await ask('DELETE', `${id}/sessions/${of}`, help.token), notFound, id)
  }
  t.ok(await isIn(ada) && await isIn(bob))
  t.same(await logouts('ended'), [])
})

t.test('nobody ends sessions of who may do more, or their own by this route', async (t) => {
  const { ask, root, help, isIn, sessionsOf } = await withHelp(t)
  for (const user of [root, help]) {
    const [sid] = await sessionsOf(user)
    t.match(await ask('DELETE', `${user.id}/sessions/${sid}`, help.token), forbidden)
    t.match(await ask('DELETE', `${user.id}/sessions`, help.token), forbidden)
    t.ok(await isIn(user))
  }
  t.match(await ask('DELETE', `${help.id}/sessions`, root.token), { statusCode: 204 })
  t.match(await ask('GET', `${root.id}/sessions`, help.token), { statusCode: 401, code: 'ACCOUNTS_TOKEN_REVOKED' })
})

t.test('an API key and a borrowed session are refused, also of who may do anything', async (t) => {
  const { app, ask, root, ada, isIn, sessionsOf } = await withHelp(t, { keys: true })
  const [sid] = await sessionsOf(ada)
  const { key } = await app.accounts.keys.create(root.id, { name: 'CI' })
  const boss = await signIn(app, { username: 'boss' }, { transport: 'body' })
  const { access_token: borrowed } = (await app.inject({
    method: 'POST',
    url: `/auth/users/${boss.user.id}/impersonate`,
    headers: bearer(root.token),
    payload: { reason: 'Ticket 1' },
  })).json()
  for (const [method, url] of [
    ['GET', `${ada.id}/sessions`], ['DELETE', `${ada.id}/sessions`], ['DELETE', `${ada.id}/sessions/${sid}`],
  ] as const) {
    t.match(await ask(method, url, key), { statusCode: 403, code: 'ACCOUNTS_KEY_REFUSED' })
    t.match(await ask(method, url, borrowed), { statusCode: 403, code: 'ACCOUNTS_IMPERSONATED' })
  }
  t.ok(await isIn(ada))
})

t.test('whoever has a second factor proves both within 10 minutes to end sessions', async (t) => {
  const { app, ask, help, ada } = await withHelp(t, { factors: true })
  await enrolTotp(app, help.id)
  const time = clock()
  t.teardown(time.restore)
  const { tokens } = await signIn(app, 'help', { transport: 'body', acr: 'aal2' })
  t.match(await ask('DELETE', `${ada.id}/sessions/${nobody}`, tokens.access_token!), notFound)
  time.advance('11m')
  t.match(await ask('DELETE', `${ada.id}/sessions`, tokens.access_token!), {
    statusCode: 401, code: 'ACCOUNTS_TOKEN_STALE',
  })
  t.equal((await app.accounts.sessions.list(ada.id)).length, 1)
})

t.test('of two admins who end the sessions of each other at once, both or one succeed, and nothing hangs', async (t) => {
  for (let round = 0; round < rounds(1, 10); round++) {
    const { ask, help, enter, sessionsOf } = await withHelp(t)
    const other = await enter('other', ['help'])
    const answers = await Promise.all([
      ask('DELETE', `${other.id}/sessions`, help.token), ask('DELETE', `${help.id}/sessions`, other.token),
    ])
    const codes = answers.map(({ statusCode }) => statusCode).toSorted()
    t.ok(codes[0] === 204 && [204, 401].includes(codes[1]!), codes.join())
    const left = [...await sessionsOf(help), ...await sessionsOf(other)]
    t.equal(left.length, codes[1] === 204 ? 0 : 1)
  }
})

t.test('without the switch there are no such routes', async (t) => {
  const { app } = await build(t)
  t.equal((await app.inject(`/auth/users/${nobody}/sessions`)).statusCode, 404)
  const moved = await build(t, { routes: { users: '/people' } })
  t.equal((await moved.app.inject(`/auth/people/${nobody}/sessions`)).statusCode, 401)
})
