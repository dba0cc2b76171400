// On each database.
import t, { type Test } from 'tap'
import { build, buildOnFile, password } from '../support/build.ts'
import { freshDatabase, notEverywhere, ormOf } from '../support/databases.ts'

/** A MikroORM of the app's own, which knows nothing of ours. */
async function ownOrm (t: Test) {
  const orm = await ormOf(await freshDatabase(t), {
    entities: [],
    discovery: { warnWhenNoEntities: false },
    schemaGenerator: { skipTables: [/^accounts_/] },
  })
  t.teardown(() => orm.close(true))
  return orm
}

const taken = (field: string) => ({
  code: 'ACCOUNTS_USER_EXISTS',
  statusCode: 409,
  field,
  message: `The ${field} is taken`,
})

t.test('code is told which of name, address and id is taken, and may spell its own anew', async (t) => {
  const { app } = await build(t)
  const { users } = app.accounts
  const ada = await users.create({ username: 'ada', email: 'ada@example.com' })
  const bob = await users.create({ username: 'bob', email: 'bob@example.com' })
  await t.rejects(users.create({ username: 'ADA', email: 'bob@example.com' }), taken('username'))
  await t.rejects(users.create({ username: 'eve', email: 'Bob@Example.com' }), taken('email'))
  await t.rejects(users.create({ username: 'eve', id: ada.id }), taken('id'))
  await t.rejects(users.update(bob.id, { username: 'Ada' }), taken('username'))
  await t.rejects(users.update(bob.id, { username: 'eve', email: 'ADA@example.com' }), taken('email'))
  t.match(await users.find('bob'), { email: 'bob@example.com' }, 'and nothing is changed')
  t.match(await users.update(bob.id, { username: 'Bob', email: 'BOB@example.com' }), { username: 'Bob' })
})

t.test('of ten who take one name at once, one gets it, and the others are told that it is the name', async (t) => {
  const { app } = await build(t)
  const { users } = app.accounts
  const people = await Promise.all(
    Array.from({ length: 10 }, (_, index) =>
      users.create({ username: `user${index}`, email: `user${index}@example.com` })
    )
  )
  const ends = await Promise.allSettled(people.map(({ id }) => users.update(id, { username: 'ada' })))
  t.equal(ends.filter(({ status }) => status === 'fulfilled').length, 1)
  for (const end of ends) if (end.status === 'rejected') t.match(end.reason, taken('username'))

  const made = await Promise.allSettled(
    people.map((_, index) => users.create({ username: `new${index}`, email: 'eve@example.com' }))
  )
  t.equal(made.filter(({ status }) => status === 'fulfilled').length, 1)
  for (const end of made) if (end.status === 'rejected') t.match(end.reason, taken('email'))
})

t.test(
  "in a transaction of the app's what is taken is told before it is written, so that the transaction goes on",
  async (t) => {
    const orm = await ownOrm(t)
    const { app } = await build(t, { orm })
    const { users } = app.accounts
    await users.create({ username: 'ada', email: 'ada@example.com' })
    const bob = await users.create({ username: 'bob' })
    await orm.em.fork().transactional(async (em) => {
      await t.rejects(users.create({ username: 'Ada' }, { em }), taken('username'))
      await t.rejects(users.update(bob.id, { email: 'ada@example.com' }, { em }), taken('email'))
      await users.create({ username: 'eve' }, { em })
    })
    t.match(await users.find('eve'), { username: 'eve' })
  }
)

t.test(
  ...notEverywhere("a transaction of the app's that began before a name was taken is told of it too"),
  async (t) => {
    const orm = await ownOrm(t)
    const { app } = await build(t, { orm })
    const { users } = app.accounts
    const failing = orm.em.fork().transactional(async (em) => {
      t.equal(await users.find('ada', { em }), null)
      await users.create({ username: 'ada' })
      await users.create({ username: 'Ada' }, { em })
    })
    await t.rejects(failing, taken('username'))
  }
)

t.test("a key of the app's own on our users is a rule, and nothing of ours that is taken", async (t) => {
  const orm = await ownOrm(t)
  const { app, post } = await build(t, { orm })
  const { users } = app.accounts
  await orm.em.getConnection().execute('create unique index one_of_each on accounts_users (password_hash)')
  await users.create({ username: 'ada' })
  const refused = { code: 'ACCOUNTS_CONSTRAINT_VIOLATED', statusCode: 409 }
  await t.rejects(users.create({ username: 'bob' }), refused)
  await t.rejects(orm.em.fork().transactional((em) => users.create({ username: 'bob' }, { em })), refused)
  t.equal((await post('/auth/register', { username: 'bob', password })).statusCode, 201, 'with a hash of its own')
})

t.test('a user comes from elsewhere with id, dates and all, and signs in unless disabled', async (t) => {
  const { app, sql, signIn, post } = await buildOnFile(t)
  const { users } = app.accounts
  const id = 'B3C1F0A2-5D4E-4F60-8A7B-9C0D1E2F3A4B'
  const [createdAt, emailVerifiedAt, disabledAt] = [
    '2019-04-01T08:00:00.123Z',
    '2019-04-02T00:00:00.000Z',
    '2020-02-29T12:00:00.000Z',
  ].map((text) => new Date(text)) as [Date, Date, Date]
  const ada = await users.create({
    username: 'ada',
    email: 'ada@example.com',
    password,
    id,
    createdAt,
    emailVerifiedAt,
  })
  t.match(ada, { id: id.toLowerCase(), createdAt, disabledAt: null })
  t.equal((await sql.get('select email_verified_at as since from accounts_users'))!.since, emailVerifiedAt.getTime())
  t.equal((await signIn()).user.id, id.toLowerCase())

  await users.create({ username: 'bob', password, disabledAt })
  t.match(await users.find('bob'), { disabledAt })
  t.equal((await post('/auth/login', { username: 'bob', password })).statusCode, 401)

  const [eve, fay] = [
    await users.create({ username: 'eve', createdAt: disabledAt }),
    await users.create({ username: 'fay', createdAt }),
  ]
  t.ok(
    fay.id < eve.id && eve.id < (await users.find('bob'))!.id,
    'an id that is not given tells when they came, and so does the order of lists'
  )
})

t.test('an id that is none, and dates that are not or are yet to come, are refused', async (t) => {
  const { app } = await build(t)
  const refused: [given: object, message: RegExp][] = [
    [{ id: '1' }, /body\/id must be a UUID/],
    [{ id: 1 }, /body\/id must be string/],
    [{ createdAt: new Date(NaN) }, /body\/createdAt must be string/],
    [{ createdAt: 'yesterday' }, /body\/createdAt must match format "date-time"/],
    [{ createdAt: new Date(Date.now() + 60_000) }, /body\/createdAt must be a time since 1970, and past/],
    [{ disabledAt: new Date(-1) }, /body\/disabledAt must be a time since 1970/],
    [{ createdAt: '2016-12-31T23:59:60Z' }, /body\/createdAt must be a time/],
    [{ emailVerifiedAt: new Date(0) }, /body\/emailVerifiedAt needs an email/],
  ]
  for (const [given, message] of refused) {
    await t.rejects(
      app.accounts.users.create({ username: 'ada', ...given }),
      { code: 'ACCOUNTS_INPUT_INVALID', message },
      JSON.stringify(given)
    )
  }
})
