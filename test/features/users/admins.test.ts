// On each database.
import { randomUUID } from 'node:crypto'
import t, { type Test } from 'tap'
import type { AccountsOptions } from '../../../lib/index.ts'
import { bearer, build, buildOnFile } from '../../support/build.ts'
import { freshDatabase, open, openDatabase } from '../../support/databases.ts'

const lastAdmin = {
  statusCode: 409,
  code: 'ACCOUNTS_LAST_ADMIN',
  message: 'There would be no admin left: make somebody else an admin first',
}
const options: AccountsOptions = { routes: { users: true } }

async function withAdmins (t: Test, names: string[], given: AccountsOptions = {}) {
  const built = await buildOnFile(t, { ...options, ...given }, { logger: { level: 'silent' } })
  const admins = []
  for (const name of names) {
    const tokens = await built.signUp(name)
    await built.app.accounts.users.setRoles(tokens.user.id, ['admin'])
    admins.push({ id: tokens.user.id, token: tokens.access_token })
  }
  const send = (app: typeof built.app, method: 'PATCH' | 'DELETE', url: string, token: string, payload?: object) =>
    app.inject({ method, url, headers: bearer(token), ...payload && { payload } })
  /** The names of those who are admins, as the column has it. */
  const counted = async () =>
    (await built.sql.all('select username from accounts_users where is_admin = true order by username')).map(
      ({ username }) => username
    )
  return { ...built, admins, send, counted }
}

t.test('the only admin cannot close the account, and can as soon as there is another', async (t) => {
  const { app, admins: [root], send, signUp, counted } = await withAdmins(t, ['root'])
  const { user, access_token: token } = await signUp()
  t.match((await send(app, 'DELETE', '/auth/me', root!.token)).json(), lastAdmin)
  t.match(await app.accounts.users.find('root'), { roles: ['admin'] })

  await app.accounts.users.setRoles(user.id, ['admin'])
  await app.accounts.users.disable(user.id)
  t.match((await send(app, 'DELETE', '/auth/me', root!.token)).json(), lastAdmin, 'who is disabled mends nothing')
  await app.accounts.users.enable(user.id)
  t.same(await counted(), ['ada', 'root'])
  t.equal((await send(app, 'DELETE', '/auth/me', root!.token)).statusCode, 204)
  t.same(await counted(), ['ada'])
  t.ok(token)
})

t.test('who is no admin may go, whether there is one or not', async (t) => {
  const { app, send, signUp } = await withAdmins(t, [])
  const { access_token: ada } = await signUp()
  t.equal((await send(app, 'DELETE', '/auth/me', ada)).statusCode, 204)
  const { access_token: bob, user } = await signUp('bob')
  await app.accounts.users.setRoles(user.id, ['clerk'])
  t.equal((await send(app, 'DELETE', '/auth/me', bob)).statusCode, 204)
})

t.test('at the routes of users it stays 403 to act on oneself, and code may do as it likes', async (t) => {
  const { app, admins: [root], send, counted } = await withAdmins(t, ['root'])
  for (const change of [{ roles: [] }, { disabled: true }]) {
    t.match((await send(app, 'PATCH', `/auth/users/${root!.id}`, root!.token, change)).json(), {
      code: 'ACCOUNTS_FORBIDDEN',
    })
  }
  t.match((await send(app, 'DELETE', `/auth/users/${root!.id}`, root!.token)).json(), { code: 'ACCOUNTS_FORBIDDEN' })
  t.match(await app.accounts.users.setRoles(root!.id, []), { roles: [] })
  t.same(await counted(), [])
  t.match(await app.accounts.users.setRoles(root!.id, ['admin']), { roles: ['admin'] })
  t.match(await app.accounts.users.disable(root!.id), { disabledAt: Date })
  t.same(await counted(), [])
  await app.accounts.users.delete(root!.id)
  await app.accounts.users.create({ username: 'next', roles: ['admin', 'clerk'] })
  t.same(await counted(), ['next'])
})

/** How two admins may take the right of each other, or of themselves, at the same moment. */
const races: Record<
  string,
  [method: 'PATCH' | 'DELETE', url: (own: string, other: string) => string, change?: object]
> = {
  'take the role from each other': ['PATCH', (_, other) => `/auth/users/${other}`, { roles: [] }],
  'disable each other': ['PATCH', (_, other) => `/auth/users/${other}`, { disabled: true }],
  'delete each other': ['DELETE', (_, other) => `/auth/users/${other}`],
  'close their accounts': ['DELETE', () => '/auth/me'],
}

for (const [what, [method, url, change]] of Object.entries(races)) {
  t.test(`two admins who ${what} at once, in two processes, leave one`, async (t) => {
    // Both have passed the guard, and have the role, before one of them acts.
    let waiting: (() => void)[] | undefined
    const both: AccountsOptions = {
      verifyClaims: () => !waiting || new Promise((resolve) => {
        waiting!.push(() => resolve(true))
        if (waiting!.length === 2) for (const go of waiting!) go()
      }),
    }
    const { app, db, admins: [root, ada], send, counted, signIn } = await withAdmins(t, ['root', 'ada'], both)
    const other = await build(t, { ...options, ...both, db }, { logger: { level: 'silent' } })
    waiting = []
    const answers = await Promise.all([
      send(app, method, url(root!.id, ada!.id), root!.token, change),
      send(other.app, method, url(ada!.id, root!.id), ada!.token, change),
    ])
    waiting = undefined
    const [done, refused] = answers.toSorted((one, another) => one.statusCode - another.statusCode)
    t.ok(done!.statusCode < 300, `${done!.statusCode}`)
    // Whoever has lost the role may do nothing by it, and whoever leaves may not be the last one.
    const isLeaving = url('own', 'other') === '/auth/me'
    t.match(refused!.json(), isLeaving ? lastAdmin : { statusCode: 403, code: 'ACCOUNTS_FORBIDDEN' })
    const [left, ...none] = await counted()
    t.same(none, [])
    t.match(await signIn(left), { user: { roles: ['admin'] } })
  })
}

t.test('those who were admins before are counted from the migration on', async (t) => {
  const db = await freshDatabase(t)
  const before = await openDatabase({ db, name: 'accounts' })
  await before.orm.migrator.down({ migrations: ['0006-admins'] })
  await before.close()
  const sql = open(db)
  t.teardown(sql.close)
  const now = new Date()
  const people: [name: string, roles: unknown, disabledAt: Date | null][] = [
    ['root', ['admin'], null],
    ['ada', ['clerk', 'admin'], null],
    ['eve', ['admin'], now],
    ['bob', ['clerk', 'administrator'], null],
    ['joe', [], null],
    ['odd', 'admin', null],
    ['own', { admin: 'admin' }, null],
  ]
  for (const [name, roles, disabledAt] of people) {
    await sql.run(
      `insert into accounts_users (id, username, username_key, password_hash, roles, profile, epoch, disabled_at, created_at, updated_at, password_changed_at)
      values (?, ?, ?, '', ?, '{}', 0, ?, ?, ?, ?)`,
      randomUUID(),
      name,
      name,
      JSON.stringify(roles),
      disabledAt,
      now,
      now,
      now
    )
  }
  await (await openDatabase({ db, name: 'accounts' })).close()
  t.same(await sql.all('select username from accounts_users where is_admin = true order by username'), [
    { username: 'ada' },
    { username: 'root' },
  ])
  t.same((await sql.all('select id from accounts_revision order by id')).map(({ id }) => id), [1, 2, 3, 4, 5])
})
