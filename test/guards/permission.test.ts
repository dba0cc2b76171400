// On each database.
import t, { type Test } from 'tap'
import type { AccountsOptions, GuardOptions, Permission } from '../../lib/index.ts'
import { build, emptyDatabase } from '../support/build.ts'

const forbidden = { statusCode: 403, code: 'ACCOUNTS_FORBIDDEN' }

/** An app with a route at /it behind this permission, and a user who is given roles. */
async function behind (t: Test, permission: Permission, options: AccountsOptions = {}) {
  const built = await build(t, options)
  const { app, get, signUp } = built
  app.get('/it', { preHandler: app.accounts.guard({ permission }) }, async ({ user }) => user)
  const { user, access_token: token } = await signUp()
  return {
    ...built,
    token,
    async as (...roles: string[]) {
      await app.accounts.users.setRoles(user.id, roles)
      return (await get('/it', token)).json()
    },
  }
}

t.test('the role admin has every permission where no role is named', async (t) => {
  const { as } = await behind(t, 'mails:retry')
  t.match(await as(), forbidden)
  t.match(await as('clerk', 'Admin', 'admin '), forbidden)
  t.match(await as('clerk', 'admin'), { username: 'ada' })
})

t.test('a role has the permissions that are given to it, and those of several add up', async (t) => {
  const { as } = await behind(t, 'users:reset', {
    admin: { roles: { root: ['*'], support: ['users:read', 'users:reset'], reader: ['users:read'], none: [] } },
  })
  t.match(await as('root'), { username: 'ada' })
  t.match(await as('support'), { username: 'ada' })
  t.match(await as('none', 'reader', 'support'), { username: 'ada' })
  t.match(await as('reader', 'none'), forbidden)
  t.match(await as('admin'), forbidden, 'what is given takes the place of the default')
  t.match(await as('constructor', '__proto__', 'toString'), forbidden)
})

t.test('a role that is taken away counts at the next request', async (t) => {
  const { as } = await behind(t, 'audit:read')
  t.match(await as('admin'), { username: 'ada' })
  t.match(await as(), forbidden)
})

t.test('a permission that is none is refused where the guard is written', async (t) => {
  const { app } = await build(t)
  const refused: [object, RegExp][] = [
    [{ permission: 'users' }, /permission/],
    [{ permission: '*' }, /permission/],
    [{ permission: ['users:read'] }, /permission/],
    [{ permission: null }, /permission/],
    [{ permission: 'users:read', optional: true }, /optional lets anybody in/],
    [{ permission: 'users:read', consistency: 'stateless' }, /stateless/],
  ]
  for (const [options, message] of refused) {
    t.throws(() => app.accounts.guard(options as GuardOptions), { code: 'ACCOUNTS_OPTIONS_INVALID', message })
  }
})

t.test('roles that give what is no permission keep the app from starting', async (t) => {
  const refused: unknown[] = [
    { support: ['users:reed'] }, { support: 'users:read' }, { support: ['users:read', 1] }, { support: null }, [], 'admin',
  ]
  for (const roles of refused) {
    const starting = build(t, { db: await emptyDatabase(t), admin: { roles } } as AccountsOptions)
    await t.rejects(starting, { code: 'ACCOUNTS_OPTIONS_INVALID', message: /admin\.?roles/ }, JSON.stringify(roles))
  }
})
