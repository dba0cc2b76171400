// On each database.
import { setTimeout as pause } from 'node:timers/promises'
import { Type } from '@sinclair/typebox'
import t, { type Test } from 'tap'
import type { AccountsOptions } from '../../lib/index.ts'
import { bearer, build as buildApp, password, untold } from '../support/build.ts'
import { until } from '../support/waiting.ts'

type Hooks = NonNullable<AccountsOptions['hooks']>
type App = Awaited<ReturnType<typeof buildApp>>['app']

const user = {
  fields: { displayName: Type.String({ default: 'Somebody' }), plan: Type.String({ readOnly: true, default: 'free' }) },
}
const next = 'another horse another staple'

/** An app with hooks, which may use it. */
async function build (t: Test, hooksOf: (app: () => App) => Hooks, options: AccountsOptions = {}) {
  const later: { app?: App } = {}
  const log: object[] = []
  const stream = { write: (line: string) => { log.push(JSON.parse(line)) } }
  const built = await buildApp(
    t,
    { user, ...options, hooks: hooksOf(() => later.app!) },
    { logger: { level: 'error', stream } }
  )
  later.app = built.app
  return {
    ...built,
    log,
    register: (username: string, fields: object = {}) =>
      built.post('/auth/register', { username, password, ...fields }),
  }
}

t.test('what onRegister writes is stored with the user', async (t) => {
  const { app, get, register } = await build(t, (app) => ({
    onRegister: async (em, { id, username }) => {
      await app().accounts.users.setRoles(id, ['founder'], { em })
      await app().accounts.users.create(untold({ username: `team of ${username}`, displayName: 'Team' }), { em })
      t.match(await app().accounts.users.find(id, { em }), { roles: ['founder'] }, 'and it sees what is not stored yet')
      t.equal((await app().accounts.users.list({ em })).users.length, 2)
    },
  }))
  const { access_token: token } = (await register('ada')).json()
  t.same((await get('/auth/me', token)).json().roles, ['founder'])
  t.match(await app.accounts.users.find('team of ada'), { displayName: 'Team' })
})

t.test('when onRegister fails nothing is stored, and the answer says nothing', async (t) => {
  const { app, log, register } = await build(t, (app) => ({
    onRegister: async (em, { id }, body) => {
      await app().accounts.users.create({ username: 'team' }, { em })
      await app().accounts.users.disable(id, { em })
      if (body.displayName === 'bad') throw new Error('the database of teams is at 10.0.0.7')
      await app().accounts.users.enable(id, { em })
    },
  }))
  t.strictSame((await register('ada', { displayName: 'bad' })).json(), {
    statusCode: 500,
    error: 'Internal Server Error',
    message: 'Internal Server Error',
  })
  t.same((await app.accounts.users.list()).users, [])
  t.match(JSON.stringify(log), /10\.0\.0\.7/)
  const answer = await register('ada')
  t.equal(answer.statusCode, 201)
  t.equal((await app.accounts.users.list()).users.length, 2)
  t.equal(
    (await app.inject({ url: '/guarded', headers: bearer(answer.json().access_token) })).statusCode,
    401,
    'disabled, which ended the session, and enabled'
  )
})

t.test('onRegister that never ends is given up, and the app lives on', async (t) => {
  const { get, register } = await build(t, () => ({
    onRegister: (_, { username }) => username === 'eve' ? new Promise(() => {}) : undefined,
  }))
  const { access_token: token } = (await register('ada')).json()
  t.match((await register('eve')).json(), { statusCode: 503, code: 'ACCOUNTS_UNAVAILABLE' })
  t.equal((await get('/strict', token)).statusCode, 200)
  t.match((await get('/auth/me', token)).json(), { username: 'ada' })
})

t.test('onRegister may refuse, in its own words', async (t) => {
  const refusal = (statusCode: number) =>
    Object.assign(new Error('Invitations only'), { statusCode, code: 'NO_INVITATION' })
  let thrown: unknown
  const { app, register } = await build(t, () => ({ onRegister: () => { throw thrown } }))
  for (const status of [400, 403, 422, 499]) {
    thrown = refusal(status)
    t.match((await register('ada')).json(), { statusCode: status, code: 'NO_INVITATION', message: 'Invitations only' })
  }
  for (const other of [
    refusal(200),
    refusal(500),
    refusal(399),
    'Invitations only',
    null,
    undefined,
    { statusCode: 403 },
  ]) {
    thrown = other
    t.strictSame((await register('ada')).json(), {
      statusCode: 500,
      error: 'Internal Server Error',
      message: 'Internal Server Error',
    })
  }
  t.same((await app.accounts.users.list()).users, [])
})

t.test('onRegister comes after all checks, is given the user and the body, and can change neither', async (t) => {
  const calls: unknown[][] = []
  const { get, register } = await build(t, () => ({
    onRegister: (_em, user, body) => {
      calls.push(structuredClone([user, body]))
      user.roles.push('admin')
      body.displayName = 'changed'
    },
  }))
  const { access_token: token, user: { id } } = (await register('ada', { displayName: 'Ada' })).json()
  t.strictSame(calls, [
    [
      { id, username: 'ada', email: null, email_verified: false, roles: [], displayName: 'Ada', plan: 'free' },
      { username: 'ada', email: undefined, displayName: 'Ada' },
    ],
  ])
  t.match((await get('/auth/me', token)).json(), { roles: [], displayName: 'Ada' })
  t.equal((await register('ada')).statusCode, 409)
  t.equal((await register('a@b')).statusCode, 400)
  t.equal(calls.length, 1, 'and a name that is taken is found before')
})

t.test('a unique key that onRegister breaks is its own fault, and no name that is taken', async (t) => {
  const { app, register } = await build(t, (app) => ({
    onRegister: async (em) => {
      const other = app().accounts.users.create({ username: 'bob' }, { em })
      await other.catch((error) => {
        throw Object.assign(new Error('hidden'), { name: 'UniqueConstraintViolationException', cause: error })
      })
    },
  }))
  await app.accounts.users.create({ username: 'bob' })
  t.strictSame((await register('ada')).json(), {
    statusCode: 500,
    error: 'Internal Server Error',
    message: 'Internal Server Error',
  })
})

/** Hooks that note what they were told. */
function noting () {
  const told: unknown[][] = []
  const note = (name: string) => (...what: unknown[]) => { told.push([name, ...what]) }
  const names = ['onLogin', 'onLoginFailed', 'onRefresh', 'onLogout', 'onReuse', 'onPasswordChanged'] as const
  return { told, hooks: Object.fromEntries(names.map((name) => [name, note(name)])) as Hooks }
}

t.test('hooks are told of logins, refreshes, logouts and new passwords, and never of a password', async (t) => {
  const { told, hooks } = noting()
  const { app, post, refresh, register, signIn } = await build(t, () => hooks)
  const { access_token: token, user } = (await register('ada')).json()
  t.same(told, [], 'a registration is no login')

  const headers = { 'user-agent': 'Phone/1' }
  await app.inject({
    method: 'POST',
    url: '/auth/login',
    headers,
    payload: { username: 'ada', password: `${password}!` },
  })
  await app.inject({ method: 'POST', url: '/auth/login', headers, payload: { username: 'nobody', password } })
  await app.inject({ method: 'POST', url: '/auth/login', headers, payload: { username: 'ada', password } })
  const source = { requestId: /^req-/, ip: '127.0.0.1', userAgent: 'Phone/1' }
  t.match(told.splice(0), [
    ['onLoginFailed', 'ada', source],
    ['onLoginFailed', 'nobody', source],
    ['onLogin', user, source],
  ])

  const { refresh_token: spent } = await signIn()
  await refresh(spent)
  await post('/auth/logout', { refresh_token: spent })
  await post('/auth/logout', { refresh_token: spent })
  await app.inject({
    method: 'PUT',
    url: '/auth/password',
    headers: bearer(token),
    payload: { current_password: password, new_password: next },
  })
  t.match(told, [
    ['onLogin', user],
    ['onRefresh', user, { ip: '127.0.0.1' }],
    ['onLogout', user, { ip: '127.0.0.1' }],
    ['onPasswordChanged', user, { ip: '127.0.0.1' }],
  ])
  t.equal(told.length, 4)
  t.notMatch(JSON.stringify(told), /horse/)
})

t.test(
  'a hook is told of each who has become a user, once that is stored, and its failure changes no answer',
  async (t) => {
    const told: unknown[] = []
    const { app, log, register } = await build(t, () => ({
      onRegistered: async (...what) => {
        told.push(what)
        throw new Error('the mail server is away')
      },
    }))
    const { user } = (await register('ada')).json()
    t.match(told.splice(0), [[user, { requestId: /^req-/, ip: '127.0.0.1', userAgent: 'lightMyRequest' }]])
    t.equal((await register('ada')).statusCode, 409)
    await t.rejects(app.accounts.users.create({ username: 'ada' }))
    t.same(told, [])

    const { id } = await app.accounts.users.create({ username: 'bob' })
    t.match(told.splice(0), [[{ id, username: 'bob', roles: [] }, null]])

    await app.accounts.orm.em.fork().transactional(async (em) => {
      await app.accounts.users.create({ username: 'eve' }, { em })
      t.same(told, [], 'a transaction may still be rolled back')
    })
    t.match(told, [[{ username: 'eve' }, null]])
    await pause(10)
    t.match(
      log,
      [1, 2, 3].map(() => ({ msg: 'The hook onRegistered failed' }))
    )
  }
)

t.test('the hook for stolen tokens is told once of each session, however its theft was found', async (t) => {
  const { told, hooks } = noting()
  const { refresh, post, register, signIn } = await build(t, () => hooks, { refresh: { window: 0 } })
  const { user: { id }, refresh_token: first } = (await register('ada')).json()
  await refresh(first)
  for (let count = 0; count < 3; count++) t.equal((await refresh(first)).statusCode, 401)
  const { refresh_token: second } = await signIn()
  await refresh(second)
  t.equal((await post('/with-refresh', { refresh_token: second })).statusCode, 401)
  const reuses = told.filter(([name]) => name === 'onReuse')
  t.match(reuses, [['onReuse', { userId: id, sessionId: String }], ['onReuse', { userId: id, sessionId: String }]])
  t.equal(reuses.length, 2)
})

t.test('a hook that fails, waits or writes into what it is given changes no answer', async (t) => {
  const { log, signIn, refresh, register } = await build(t, () => ({
    onLogin: (user) => {
      user.roles.push('admin')
      throw new Error('onLogin broke')
    },
    onRefresh: async () => { await pause(10); throw new Error('onRefresh broke') },
  }))
  await register('ada')
  const { user, refresh_token: token } = await signIn()
  t.same(user.roles, [])
  t.equal((await refresh(token)).statusCode, 200)
  await until(() => log.length >= 2)
  t.match(log, [
    { level: 50, msg: 'The hook onLogin failed', err: { message: 'onLogin broke' } },
    { level: 50, msg: 'The hook onRefresh failed' },
  ])
})
