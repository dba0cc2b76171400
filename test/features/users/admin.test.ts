// On each database.
import { Type } from '@sinclair/typebox'
import t, { type Test } from 'tap'
import type { AccountsOptions } from '../../../lib/index.ts'
import { bearer, build, password, untold } from '../../support/build.ts'

const user = {
  fields: {
    displayName: Type.String({ default: 'Somebody' }),
    plan: Type.String({ readOnly: true, default: 'free' }),
    note: Type.Optional(Type.String({ readOnly: true })),
  },
  public: ['displayName', 'plan'],
} satisfies AccountsOptions['user']

const nowhere = ['01a20000-0000-7000-8000-000000000000', 'x', "' or 1=1", '%00', 'ada', 'x'.repeat(90)]

/** An app with an admin, and Ada, who is none. */
async function withAdmin (t: Test, options: AccountsOptions = {}) {
  const built = await build(t, { user, routes: { users: true }, ...options })
  built.app.get('/clerks', { preHandler: built.app.accounts.guard({ roles: ['clerk'] }) }, async ({ user }) => user)
  const admin = await built.signUp('root')
  await built.app.accounts.users.setRoles(admin.user.id, ['admin', 'clerk'])
  const ada = await built.signUp('ada')
  const send = (
    method: 'GET' | 'PATCH' | 'DELETE',
    path = '',
    payload?: object,
    token: string | undefined = admin.access_token
  ) => built.app.inject({ method, url: `/auth/users${path}`, headers: bearer(token), ...(payload && { payload }) })
  return { ...built, admin, ada, send }
}

t.test('without the option there are no such routes', async (t) => {
  const { send, ada } = await withAdmin(t, { routes: {} })
  for (const method of ['GET', 'PATCH', 'DELETE'] as const) { t.equal((await send(method, `/${ada.user.id}`)).statusCode, 404) }
  t.equal((await send('GET')).statusCode, 404)
})

t.test('only the role of an admin opens them, as it is now', async (t) => {
  const { app, send, admin, ada } = await withAdmin(t)
  const statuses = async (token?: string) => [
    (await send('GET', '', undefined, token)).statusCode,
    (await send('GET', `/${ada.user.id}`, undefined, token)).statusCode,
    (await send('PATCH', '/x', {}, token)).statusCode,
    (await send('DELETE', '/x', undefined, token)).statusCode,
  ]
  t.same(await statuses('x'), [401, 401, 401, 401])
  t.same(await statuses(ada.access_token), [403, 403, 403, 403])
  t.same(await statuses(), [200, 200, 404, 404])
  await app.accounts.users.setRoles(admin.user.id, ['clerk'])
  t.same(await statuses(), [403, 403, 403, 403])
})

t.test('an admin sees all users in parts, with what is public and when they came', async (t) => {
  const { app, send, ada, admin } = await withAdmin(t)
  await app.accounts.users.update(ada.user.id, untold({ note: 'pays late' }))
  const first = (await send('GET', '?limit=1')).json()
  const { created_at: created, last_login_at: login } = first.users[0]
  t.strictSame(first, {
    users: [
      {
        id: ada.user.id,
        username: 'ada',
        email: null,
        email_verified: false,
        roles: [],
        displayName: 'Somebody',
        plan: 'free',
        disabled_at: null,
        created_at: created,
        last_login_at: login,
      },
    ],
    next: ada.user.id,
  })
  t.ok(Math.abs(Date.parse(created) - Date.now()) < 5000 && Date.parse(login) >= Date.parse(created))
  t.match((await send('GET', `?limit=1&after=${first.next}`)).json(), { users: [{ id: admin.user.id }], next: null })
  t.equal((await send('GET')).json().users.length, 2)
  t.same((await send('GET', `?after=${admin.user.id}`)).json(), { users: [], next: null })
  const { id } = await app.accounts.users.create({ username: 'bob' })
  t.match((await send('GET', `/${id}`)).json(), { username: 'bob', last_login_at: null })
})

t.test('a part that cannot be is refused', async (t) => {
  const { send } = await withAdmin(t)
  for (const query of [
    'limit=0',
    'limit=101',
    'limit=-1',
    'limit=1.5',
    'limit=',
    'limit=ten',
    'limit=Infinity',
    'limit=-Infinity',
    'limit=NaN',
    'limit=1&limit=2',
    'after=x',
    "after=' or 1=1",
    'before=x',
  ]) {
    t.match((await send('GET', `?${query}`)).json(), { statusCode: 400, code: 'ACCOUNTS_INPUT_INVALID' }, query)
  }
})

t.test('users who come while an admin turns pages do not shift them', async (t) => {
  const { send, signUp } = await withAdmin(t)
  for (let index = 0; index < 3; index++) await signUp(`user-${index}`)
  const names: string[] = []
  let query = '?limit=2'
  while (query) {
    const { users, next } = (await send('GET', query)).json()
    names.push(...users.map(({ username }: { username: string }) => username))
    await signUp(`later-${names.length}`)
    query = next && `?limit=2&after=${next}`
  }
  t.same(names, ['user-2', 'user-1', 'user-0', 'ada', 'root'])
})

t.test('an admin disables a user, who is out at once, and lets them in again', async (t) => {
  const { get, refresh, send, signIn, ada } = await withAdmin(t)
  await get('/guarded', ada.access_token)
  const disabled = await send('PATCH', `/${ada.user.id}`, { disabled: true })
  t.match(disabled, { statusCode: 200, headers: { 'cache-control': 'no-store' } })
  t.match(disabled.json(), { username: 'ada', disabled_at: /^\d{4}-.*Z$/ })
  t.match((await get('/guarded', ada.access_token)).json(), { code: 'ACCOUNTS_TOKEN_REVOKED' })
  t.match((await refresh(ada.refresh_token)).json(), { code: 'ACCOUNTS_TOKEN_REVOKED' })
  t.match(await signIn(), { code: 'ACCOUNTS_CREDENTIALS_INVALID' })

  t.equal(
    (await send('PATCH', `/${ada.user.id}`, { roles: ['clerk'] })).json().disabled_at,
    disabled.json().disabled_at
  )
  t.equal((await send('PATCH', `/${ada.user.id}`, { disabled: false })).json().disabled_at, null)
  t.same((await signIn()).user.roles, ['clerk'])
})

t.test('an admin gives roles and fields that users only read, and the next request has them', async (t) => {
  const { get, send, ada } = await withAdmin(t)
  t.equal((await get('/clerks', ada.access_token)).statusCode, 403)
  await send('PATCH', `/${ada.user.id}`, { roles: ['clerk'], plan: 'gold', note: 'pays', displayName: 'Ada' })
  t.match((await get('/clerks', ada.access_token)).json(), { roles: ['clerk'], plan: 'gold', displayName: 'Ada' })
  await send('PATCH', `/${ada.user.id}`, { note: null })
  t.match((await get('/clerks', ada.access_token)).json(), { roles: ['clerk'], plan: 'gold' })
})

t.test('roles are given by who has proved who they are not long ago, and all else by who is signed in', async (t) => {
  const { app, ada, admin, send } = await withAdmin(t)
  const authTime = new Date(Date.now() - 660_000)
  const { access_token: stale } = await app.accounts.issueTokens(admin.user.id, { authTime })
  const refused = await send('PATCH', `/${ada.user.id}`, { roles: ['clerk'] }, stale)
  t.match(refused.json(), { statusCode: 401, code: 'ACCOUNTS_TOKEN_STALE' })
  t.match(refused.headers['www-authenticate'], /max_age="600"/)
  t.equal((await send('PATCH', `/${ada.user.id}`, { displayName: 'Countess' }, stale)).statusCode, 200)
  t.equal((await send('PATCH', `/${ada.user.id}`, { roles: ['clerk'] })).statusCode, 200)
})

t.test('a change of the wrong form changes nothing', async (t) => {
  const { send, ada } = await withAdmin(t)
  const before = (await send('GET', `/${ada.user.id}`)).json()
  const bodies = [
    { disabled: 'yes' },
    { disabled: null },
    { roles: 'admin' },
    { roles: [''] },
    { roles: ['x'.repeat(65)] },
    { roles: ['a', 'a'] },
    { roles: [5] },
    { roles: ['a\0'] },
    { roles: Array.from({ length: 65 }, (_, index) => `${index}`) },
    { plan: 5 },
    { plan: null },
    { username: 'x' },
    { email: 'x@y.zz' },
    { password },
    { id: 'x' },
    { epoch: 9 },
    { disabled_at: null },
  ]
  for (const body of bodies) {
    t.match(
      (await send('PATCH', `/${ada.user.id}`, { displayName: 'x', ...body })).json(),
      { statusCode: 400, code: 'ACCOUNTS_INPUT_INVALID' },
      JSON.stringify(body)
    )
  }
  t.strictSame((await send('GET', `/${ada.user.id}`)).json(), before)
})

t.test('an admin deletes a user, who is out at once', async (t) => {
  const { get, send, signIn, ada } = await withAdmin(t)
  await get('/guarded', ada.access_token)
  t.match(await send('DELETE', `/${ada.user.id}`), { statusCode: 204, body: '' })
  t.match((await get('/guarded', ada.access_token)).json(), { code: 'ACCOUNTS_TOKEN_REVOKED' })
  t.match(await signIn(), { code: 'ACCOUNTS_CREDENTIALS_INVALID' })
  t.equal((await send('DELETE', `/${ada.user.id}`)).statusCode, 404)
})

t.test('an id that is nobody and an id that is none are not found alike', async (t) => {
  const { send } = await withAdmin(t)
  const expected = {
    statusCode: 404,
    code: 'ACCOUNTS_NOT_FOUND',
    error: 'Not Found',
    message: 'There is no such user or session',
  }
  for (const id of nowhere) {
    for (const answer of [
      await send('GET', `/${id}`),
      await send('PATCH', `/${id}`, { roles: [] }),
      await send('DELETE', `/${id}`),
    ]) { t.strictSame(answer.json(), expected, id) }
  }
})

t.test('admins cannot lock themselves out here, and may change the rest of themselves', async (t) => {
  const { send, admin } = await withAdmin(t)
  const self = `/${admin.user.id}`
  for (const body of [
    { disabled: true },
    { roles: [] },
    { roles: ['clerk'] },
    { roles: ['Admin'], displayName: 'x' },
  ]) {
    t.match(
      (await send('PATCH', self, body)).json(),
      { statusCode: 403, code: 'ACCOUNTS_FORBIDDEN' },
      JSON.stringify(body)
    )
  }
  t.match((await send('DELETE', self)).json(), { statusCode: 403, code: 'ACCOUNTS_FORBIDDEN' })
  t.match((await send('GET', self)).json(), { roles: ['admin', 'clerk'], displayName: 'Somebody', disabled_at: null })
  t.match((await send('PATCH', self, { disabled: false, roles: ['admin'], plan: 'gold' })).json(), {
    roles: ['admin'],
    plan: 'gold',
  })
})

t.test('changes of different things at once are all kept', async (t) => {
  const { send, ada } = await withAdmin(t)
  await Promise.all(
    [{ roles: ['clerk'] }, { plan: 'gold' }, { displayName: 'Ada' }, { note: 'x' }].map((body) =>
      send('PATCH', `/${ada.user.id}`, body)
    )
  )
  t.match((await send('GET', `/${ada.user.id}`)).json(), { roles: ['clerk'], plan: 'gold', displayName: 'Ada' })
})
