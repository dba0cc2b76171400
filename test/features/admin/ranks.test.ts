// On each database.
// With more rounds in trials.
import t, { type Test } from 'tap'
import type { AccountsOptions, RolePermissions } from '../../../lib/index.ts'
import { bearer, password } from '../../support/build.ts'
import { buildWithMail } from '../../support/mail.ts'
import { rounds } from '../../support/rounds.ts'

const forbidden = { statusCode: 403, code: 'ACCOUNTS_FORBIDDEN' }
const roles: RolePermissions = {
  root: ['*'],
  chief: ['users:read', 'users:write', 'users:roles', 'users:delete', 'factors:reset', 'users:invite'],
  clerk: ['users:read', 'users:write'],
}

/** An app with one user of each role, and one without. */
async function withStaff (t: Test, options: AccountsOptions = {}) {
  const built = await buildWithMail(t, {
    routes: { users: true, invitations: true },
    mail: { links: { invite: '/join' } },
    factors: true,
    admin: { roles },
    ...options,
  })
  const { app, post } = built
  async function hired (name: string, given: string[]) {
    const { user, access_token: token } = (await post('/auth/register', { username: name, password })).json()
    await app.accounts.users.setRoles(user.id, given)
    return {
      id: user.id as string,
      async ask (method: 'GET' | 'PATCH' | 'DELETE' | 'POST', url: string, payload?: object) {
        const response = await app.inject({
          method, url: `/auth${url}`, headers: bearer(token), ...payload && { payload },
        })
        return response.body === '' ? { statusCode: response.statusCode } : { ...response.json(), status: response.statusCode }
      },
    }
  }
  return {
    ...built,
    hired,
    root: await hired('root', ['root']),
    chief: await hired('chief', ['chief']),
    clerk: await hired('clerk', ['clerk']),
    ada: await hired('ada', []),
    rolesOf: async ({ id }: { id: string }) => (await app.accounts.users.find(id))?.roles,
  }
}

t.test('nobody acts on somebody who may do more, by any route', async (t) => {
  const { root, chief, clerk } = await withStaff(t)
  for (const [by, over] of [[chief, root], [clerk, chief], [clerk, root]] as const) {
    t.match(await by.ask('PATCH', `/users/${over.id}`, { disabled: true }), forbidden)
    t.match(await by.ask('PATCH', `/users/${over.id}`, {}), forbidden)
  }
  t.match(await chief.ask('PATCH', `/users/${root.id}`, { roles: [] }), forbidden)
  t.match(await chief.ask('DELETE', `/users/${root.id}`), forbidden)
  t.match(await chief.ask('DELETE', `/users/${root.id}/factors`, {}), forbidden)
  t.match(await root.ask('GET', `/users/${root.id}`), { disabled_at: null, roles: ['root'] })
})

t.test('who may do as much or less can be acted on', async (t) => {
  const { root, chief, clerk, ada, hired, rolesOf } = await withStaff(t)
  const other = await hired('other', ['chief'])
  t.match(await chief.ask('PATCH', `/users/${other.id}`, { roles: ['clerk', 'painter'] }), { roles: ['clerk', 'painter'] })
  t.match(await clerk.ask('PATCH', `/users/${other.id}`, { disabled: true }), { disabled_at: String })
  t.match(await chief.ask('DELETE', `/users/${clerk.id}`), { statusCode: 204 })
  t.match(await chief.ask('DELETE', `/users/${ada.id}/factors`, {}), { statusCode: 204 })
  t.match(await root.ask('PATCH', `/users/${chief.id}`, { roles: [] }), { roles: [] })
  t.match(await chief.ask('PATCH', `/users/${ada.id}`, {}), forbidden, 'and who has lost it does nothing more')
  t.same(await rolesOf(chief), [])
})

t.test('nobody gives what they have not, to themselves or to others, at once or by an invitation', async (t) => {
  const { chief, clerk, ada, root, rolesOf } = await withStaff(t)
  for (const to of [ada, chief, clerk]) {
    t.match(await chief.ask('PATCH', `/users/${to.id}`, { roles: ['chief', 'root'] }), forbidden)
  }
  t.match(await clerk.ask('PATCH', `/users/${ada.id}`, { roles: ['clerk'] }), forbidden, 'without users:roles')
  t.match(await clerk.ask('PATCH', `/users/${clerk.id}`, { roles: ['root'] }), forbidden)
  t.same(await Promise.all([ada, chief, clerk].map(rolesOf)), [[], ['chief'], ['clerk']])

  t.match(await chief.ask('POST', '/invitations', { email: 'eve@example.com', roles: ['root'] }), forbidden)
  t.match(await chief.ask('POST', '/invitations', { email: 'eve@example.com', roles: ['clerk'] }), { status: 201 })
  t.match(await root.ask('POST', '/invitations', { email: 'bob@example.com', roles: ['root'] }), { status: 201 })
})

t.test('an invitation gives no more than its inviter may still give', async (t) => {
  const { app, mails, post, root, chief } = await withStaff(t)
  await root.ask('POST', '/invitations', { email: 'eve@example.com', roles: ['root'] })
  const token = mails.token(await mails.next('invite'))
  await app.accounts.users.setRoles(root.id, ['chief'])
  const accepted = await post('/auth/invitations/accept', { token, username: 'eve', password })
  t.match(accepted.json(), { statusCode: 400, code: 'ACCOUNTS_PROOF_INVALID' })
  t.ok(chief)
})

t.test('a user whose roles are no list is one without permissions', async (t) => {
  const { app, chief, ada } = await withStaff(t)
  await app.accounts.orm.em.fork().getConnection().execute(
    `update accounts_users set roles = '{"root":true}' where id = '${ada.id}'`)
  t.match(await chief.ask('PATCH', `/users/${ada.id}`, { roles: [] }), { roles: [] })
})

t.test('of two admins who demote, disable or delete each other at once one stays', async (t) => {
  for (let round = 0; round < rounds(3, 30); round++) {
    const { app, root, hired } = await withStaff(t)
    const rival = await hired('rival', ['root'])
    const acts = [
      (by: typeof root, over: typeof root) => by.ask('PATCH', `/users/${over.id}`, { roles: [] }),
      (by: typeof root, over: typeof root) => by.ask('PATCH', `/users/${over.id}`, { disabled: true }),
      (by: typeof root, over: typeof root) => by.ask('DELETE', `/users/${over.id}`),
    ]
    const act = acts[round % 3]!
    await Promise.all([act(root, rival), act(rival, root)])
    const left = await Promise.all([root, rival].map(({ id }) => app.accounts.users.find(id)))
    t.equal(left.filter((user) => user?.roles.includes('root') && user.disabledAt === null).length, 1)
  }
})

t.test('who is demoted while they act has either acted before, or does nothing', async (t) => {
  for (let round = 0; round < rounds(1, 20); round++) {
    const { root, chief, ada, rolesOf } = await withStaff(t)
    const [, given] = await Promise.all([
      root.ask('PATCH', `/users/${chief.id}`, { roles: [] }),
      chief.ask('PATCH', `/users/${ada.id}`, { roles: ['chief'] }),
    ])
    t.same(await rolesOf(chief), [])
    t.same(await rolesOf(ada), given.status === 200 ? ['chief'] : [])
    t.ok([200, 401, 403].includes(given.status ?? given.statusCode), `${given.status}`)
  }
})
