// On each database.
import t, { type Test } from 'tap'
import type { AccountsOptions } from '../../../lib/index.ts'
import { digestOf } from '../../../lib/features/users/admin-roles.ts'
import { bearer, build, buildOnFile, password } from '../../support/build.ts'

const bossRules: AccountsOptions = { admin: { roles: { boss: ['*'], clerk: ['users:read'] } } }
const lastAdmin = { statusCode: 409, code: 'ACCOUNTS_LAST_ADMIN' }

/** A database on which an app has had the default roles, and further starts of it. */
async function withStarts (t: Test, people: Record<string, string[]>) {
  const { app, db, sql } = await buildOnFile(t, { routes: { users: true } })
  const ids = new Map<string, string>()
  for (const [username, roles] of Object.entries(people)) {
    ids.set(username, (await app.accounts.users.create({ username, password, roles })).id)
  }
  await app.ready()

  /** Starts the app as another process does. */
  async function start (options: AccountsOptions = {}) {
    const { app: next, signIn } = await build(t, { db, routes: { users: true }, ...options })
    await next.ready()
    const tokenOf = async (name: string) => bearer((await signIn(name)).access_token)
    return {
      app: next,
      leave: async (name: string) =>
        next.inject({ method: 'DELETE', url: '/auth/me', headers: await tokenOf(name) }),
      demote: async (name: string, by: string) => next.inject({
        method: 'PATCH',
        url: `/auth/users/${ids.get(name)}`,
        headers: await tokenOf(by),
        payload: { roles: [] },
      }),
    }
  }
  return {
    app,
    db,
    sql,
    ids,
    start,
    counted: async () =>
      (await sql.all('select username from accounts_users where is_admin = true order by username')).map(
        ({ username }) => username
      ),
    held: async () =>
      Number((await sql.all('select revision from accounts_revision where id = 2'))[0]!.revision),
  }
}

t.test('who becomes an admin by the option is counted from the next start on, and the last one stays', async (t) => {
  const people = { ada: ['boss'], bob: ['clerk', 'boss'], eve: ['boss'], joe: ['clerk'], root: ['admin'] }
  const { app, start, counted } = await withStarts(t, people)
  await app.accounts.users.disable((await app.accounts.users.find('eve'))!.id)
  t.same(await counted(), ['root'])

  const { leave, demote } = await start(bossRules)
  t.same(await counted(), ['ada', 'bob'], 'not who is disabled, and not whose role gives nothing any more')
  t.match((await demote('ada', 'ada')).json(), { statusCode: 403, code: 'ACCOUNTS_FORBIDDEN' })
  t.equal((await demote('bob', 'ada')).statusCode, 200)
  t.match((await leave('ada')).json(), lastAdmin)
  t.equal((await leave('joe')).statusCode, 204)
  t.equal((await leave('root')).statusCode, 204)
})

t.test('of two one may go', async (t) => {
  const { start, counted } = await withStarts(t, { ada: ['boss'], bob: ['boss'] })
  const { leave } = await start(bossRules)
  t.equal((await leave('ada')).statusCode, 204)
  t.match((await leave('bob')).json(), lastAdmin)
  t.same(await counted(), ['bob'])
})

t.test('back to the roles of before it is likewise', async (t) => {
  const { start, counted } = await withStarts(t, { ada: ['boss'], root: ['admin'] })
  await start(bossRules)
  t.same(await counted(), ['ada'])
  const { leave } = await start()
  t.same(await counted(), ['root'])
  t.match((await leave('root')).json(), lastAdmin)
  t.equal((await leave('ada')).statusCode, 204)
})

t.test('a start with the same roles holds nobody up', async (t) => {
  const { app, start, held, ids } = await withStarts(t, { ada: ['boss'] })
  t.equal(await held(), 0, 'nor does the first one')
  await start()
  t.equal(await held(), 0)
  await start(bossRules)
  t.equal(await held(), 1)
  await start({ admin: { roles: { clerk: ['users:read', 'users:write'], boss: ['users:roles'] } } })
  t.equal(await held(), 1, 'whatever else they give')
  t.match(await app.accounts.users.find(ids.get('ada')!), { roles: ['boss'] })
})

t.test('where there are no users yet, it is noted all the same', async (t) => {
  const { start, held, counted } = await withStarts(t, {})
  const { app } = await start(bossRules)
  await start(bossRules)
  t.equal(await held(), 1)
  await app.accounts.users.create({ username: 'ada', roles: ['boss'] })
  t.same(await counted(), ['ada'])
})

t.test('of several processes that start at once one counts, more users than a page has', async (t) => {
  const { app, sql, start, counted } = await withStarts(t, { ada: ['boss'] })
  const { id } = (await app.accounts.users.find('ada'))!
  // Copies of one row, the last of whom is an admin as well.
  const columns = 'password_hash, profile, epoch, created_at, updated_at, password_changed_at'
  for (let index = 0; index < 500; index++) {
    await sql.run(
      `insert into accounts_users (id, username, username_key, roles, ${columns})
      select ?, ?, ?, ?, ${columns} from accounts_users where id = ?`,
      `ffffffff-ffff-7fff-8fff-${String(index).padStart(12, '0')}`,
      `user${index}`,
      `user${index}`,
      JSON.stringify(index === 499 ? ['boss'] : []),
      id
    )
  }
  await Promise.all([start(bossRules), start(bossRules), start(bossRules)])
  t.same(await counted(), ['ada', 'user499'])
})

t.test('an app that is not ready, as that of a command, counts nobody anew', async (t) => {
  const { db, start, counted } = await withStarts(t, { ada: ['boss'] })
  await start(bossRules)
  const { app: command } = await build(t, { db })
  await command.accounts.users.create({ username: 'bob' })
  t.same(await counted(), ['ada'])
})

t.test('the digest is of the names, in any order, and that of the default is 0', async (t) => {
  t.equal(digestOf(['admin']), 0)
  t.equal(digestOf(['boss', 'chief']), digestOf(['chief', 'boss']))
  const some = [[], ['boss'], ['boss', 'chief'], ['boss,chief'], ['Admin']].map(digestOf)
  t.equal(new Set(some).size, some.length)
  for (const digest of some) t.ok(digest > 0 && digest < 2 ** 31)
})
