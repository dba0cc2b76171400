import { randomBytes, scryptSync } from 'node:crypto'
import t from 'tap'
import { bearer, build, decode, password } from '../../support/build.ts'
import { run } from '../../support/snippets.ts'
import { answers, revoked } from './answers.ts'
import { all, newName, startApps } from './apps.ts'
import { sharedExamples } from './shared.ts'
import { fromOthers, testTable, type Others } from './tables.ts'

const apps = await startApps(t)
const { usual, cookies, custom, inGerman } = apps
const { movesRoutes, hasMinLength, showsFields } = sharedExamples(apps)

/** Somebody with two sessions, and what is left of them. */
async function twoSessions () {
  const username = newName()
  const [first, second] = [await usual.signUp(username), await usual.signIn(username)]
  const end = (url: string, token = second.access_token) =>
    usual.app.inject({ method: 'DELETE', url, headers: bearer(token) })
  const left = async () =>
    (await usual.app.accounts.sessions.list(first.user.id)).map(({ id }) =>
      [first, second].findIndex(({ access_token: token }) => decode(token).payload.sid === id)
    )
  return { username, first, second, end, left }
}

const betterAuth: Others = {
  secret: 'JWT_SECRET_KEY',
  async database (t) {
    const {
      tokens: { user },
    } = await inGerman()
    t.match(await custom.sql.get('select username from accounts_users where id = ?', user.id), {
      username: user.username,
    })
  },
  basePath: movesRoutes,
  trustedOrigins: 'JWT_COOKIE_CSRF_PROTECT',
  'advanced.cookies': 'JWT_ACCESS_COOKIE_NAME',
  async emailAndPassword (t) {
    const { post } = await build(t, { identifiers: ['email'] })
    await answers(t, post('/auth/register', { email: 'ada@example.com', password }), 201, { user: { username: null } })
    await answers(t, post('/auth/login', { email: 'ada@example.com', password }), 200)
    await answers(t, post('/auth/login', { username: 'ada', password }), 400)
  },
  'emailAndPassword.minPasswordLength': hasMinLength,
  'user.additionalFields': showsFields,
  'session.expiresIn': 'JWT_REFRESH_TOKEN_EXPIRES',
  'session.freshAge': 'fresh',
  async rateLimit (t) {
    const { post } = await build(t, { throttle: { accountNetwork: 1 } })
    const statuses = []
    for (let tries = 0; tries < 3; tries++) { statuses.push((await post('/auth/login', { username: 'ada', password })).statusCode) }
    t.same(statuses, [401, 401, 429])
  },
  async databaseHooks (t) {
    const seen: string[] = []
    const { signUp, app } = await build(t, {
      hooks: {
        onRegister: (_, { username }) => {
          seen.push(username!)
          throw new Error('no')
        },
      },
    })
    await signUp()
    t.same(seen, ['ada'])
    t.equal(await app.accounts.users.find('ada'), null)
  },
  disabledPaths: async (t) =>
    t.notOk((await build(t, { routes: { register: false } })).app.hasRoute({ method: 'POST', url: '/auth/register' })),
  'auth.api.getSession': 'current_user',
  async 'signUp.email' (t) {
    await answers(t, usual.post('/auth/register', { username: newName(), email: 'lin@example.com', password }), 201, {
      access_token: String,
    })
  },
  async 'signIn.email' (t) {
    const { app } = cookies
    await app.inject({
      method: 'POST',
      url: '/auth/register',
      payload: { username: 'eve', email: 'eve@example.com', password },
    })
    const login = (remember: boolean) =>
      app.inject({ method: 'POST', url: '/auth/login', payload: { username: 'eve@example.com', password, remember } })
    t.same(
      [await login(true), await login(false)].map((answer) => all({ answer }, 'maxAge')[0]),
      [900, undefined]
    )
  },
  async signOut (t) {
    const { access_token: token } = await usual.signUp(newName())
    t.equal((await usual.post('/auth/logout', undefined, token)).statusCode, 204)
    await answers(t, usual.get('/guarded', token), 401, revoked)
  },
  async listSessions (t) {
    const {
      second: { access_token: token, refresh_token: refresh },
    } = await twoSessions()
    const { body } = await usual.get('/auth/sessions', token)
    t.equal(JSON.parse(body).sessions.length, 2)
    t.notOk(body.includes(token) || body.includes(refresh))
  },
  async revokeSession (t) {
    const { first, end, left } = await twoSessions()
    await end(`/auth/sessions/${decode(first.access_token).payload.sid}`)
    t.same(await left(), [1])
  },
  async revokeSessions (t) {
    const { end, left } = await twoSessions()
    await end('/auth/sessions')
    t.same(await left(), [])
  },
  async revokeOtherSessions (t) {
    const { end, left } = await twoSessions()
    await end('/auth/sessions?keep=current')
    t.same(await left(), [1])
  },
  async changePassword (t) {
    const { second, left } = await twoSessions()
    const payload = { current_password: password, new_password: `another ${password}` }
    await answers(
      t,
      usual.app.inject({ method: 'PUT', url: '/auth/password', headers: bearer(second.access_token), payload }),
      200
    )
    t.same(await left(), [1])
  },
  async deleteUser (t) {
    const {
      first: { user },
      end,
    } = await twoSessions()
    const { access_token: stale } = await usual.app.accounts.issueTokens(user)
    await answers(t, end('/auth/me', stale), 401, { code: 'ACCOUNTS_TOKEN_STALE' })
    t.equal((await end('/auth/me')).statusCode, 204)
    t.equal(await usual.app.accounts.users.find(user.id), null)
  },
  bearer: 'jwt_required',
  jwt: 'JWT_PUBLIC_KEY',
  username: 'current_user',
  async admin (t) {
    const { app, get, signUp } = await build(t, { routes: { users: true } })
    const { access_token: token, user } = await signUp()
    await answers(t, get('/auth/users', token), 403, { code: 'ACCOUNTS_FORBIDDEN' })
    await app.accounts.users.setRoles(user.id, ['admin'])
    await answers(t, get('/auth/users', token), 200, { users: [{ username: 'ada' }] })
  },
}

testTable(t, fromOthers, 'better-auth', betterAuth)

t.test('users of better-auth come along with their passwords', async (t) => {
  const { module, post } = await run(t, fromOthers, { under: 'better-auth', names: ['bringAlong'] })
  const salt = randomBytes(16).toString('hex')
  const key = scryptSync(password.normalize('NFKC'), salt, 64, { N: 16384, r: 16, p: 1, maxmem: 64 * 1024 * 1024 })
  const newIds = await module.bringAlong([
    { id: 'kQ3vXb8L', email: 'ada@example.com', password: `${salt}:${key.toString('hex')}` },
  ])
  await answers(t, post('/auth/login', { username: 'ada@example.com', password }), 200, {
    user: { id: newIds.get('kQ3vXb8L') },
  })
  await answers(t, post('/auth/login', { username: 'ada@example.com', password: `${password}!` }), 401)
})
