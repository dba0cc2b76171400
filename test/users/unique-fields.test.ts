// On each database.
import { Type } from '@sinclair/typebox'
import t, { type Test } from 'tap'
import type { AccountsOptions } from '../../lib/index.ts'
import { bearer, build, buildOnFile, password, untold } from '../support/build.ts'
import { addTrigger, freshDatabase } from '../support/databases.ts'

const phone = Type.Optional(Type.String({ unique: true }))
const user = {
  fields: {
    phone,
    badge: Type.Optional(Type.Integer({ unique: true, readOnly: true })),
    note: Type.Optional(Type.String()),
  },
} satisfies AccountsOptions['user']
const taken = (field: string) => ({
  statusCode: 409,
  code: 'ACCOUNTS_USER_EXISTS',
  message: `The ${field} is taken`,
  field,
})

/** An app with unique fields, on a database that can be looked at, and how people there change themselves. */
async function open (t: Test, options: AccountsOptions = {}) {
  const built = await buildOnFile(t, { user, routes: { users: true }, ...options })
  return {
    ...built,
    users: built.app.accounts.users,
    register: (username: string, fields: object = {}) =>
      built.post('/auth/register', { username, password, ...fields }),
    change: (token: string, payload: object) =>
      built.app.inject({ method: 'PATCH', url: '/auth/me', headers: bearer(token), payload }),
    rows: async () =>
      (await built.sql.all('select field, user_id from accounts_unique_fields where user_id is not null')).length,
  }
}

t.test('what is unique has one user, whoever gives it, and 409 names the field', async (t) => {
  const { app, register, change, users, rows } = await open(t)
  const ada = (await register('ada', { phone: '+49 1' })).json()
  t.match(ada.user, { phone: '+49 1' })
  t.strictSame((await register('bob', { phone: '+49 1' })).json(), { ...taken('phone'), error: 'Conflict' })
  t.match((await register('ada', { phone: '+49 1' })).json(), taken('username'), 'and of both the name')
  const { access_token: token, user: { id } } = (await register('bob')).json()
  t.match((await change(token, { phone: '+49 1', note: 'x' })).json(), taken('phone'))
  t.equal((await change(token, { phone: '+49 2' })).statusCode, 200)
  t.equal((await change(token, { phone: '+49 2', note: 'his own' })).statusCode, 200)
  await t.rejects(users.create(untold({ username: 'eve', phone: '+49 2' })), taken('phone'))

  await users.update(id, untold({ badge: 7 }))
  t.match(await users.setRoles(id, ['clerk']), { roles: ['clerk'], badge: 7 }, 'and what is not given stays')
  await t.rejects(users.update(ada.user.id, untold({ badge: 7 })), taken('badge'))
  const admin = await users.create({ username: 'root', roles: ['admin'] })
  const headers = bearer((await app.accounts.issueTokens(admin.id)).access_token)
  t.match(
    (await app.inject({ method: 'PATCH', url: `/auth/users/${admin.id}`, headers, payload: { badge: 7 } })).json(),
    taken('badge')
  )
  t.equal(await rows(), 3)
})

t.test('what a user gives up, or leaves behind, is free again', async (t) => {
  const { register, change, users, rows } = await open(t)
  const { access_token: token, user: { id } } = (await register('ada', { phone: '+49 1' })).json()
  await change(token, { phone: '+49 2' })
  t.equal((await register('bob', { phone: '+49 1' })).statusCode, 201)
  await change(token, { phone: null })
  t.equal((await register('eve', { phone: '+49 2' })).statusCode, 201)
  await change(token, { phone: '+49 3' })
  await users.delete(id)
  t.equal(await rows(), 2)
  t.equal((await register('ada', { phone: '+49 3' })).statusCode, 201)
  t.equal((await register('fay')).statusCode, 201, 'and nobody needs one')
  t.equal((await register('gus')).statusCode, 201)
})

t.test('of ten who take one value at once, one gets it, by registering, by a change or made by code', async (t) => {
  const { register, change, users, rows } = await open(t)
  const ten = Array.from({ length: 10 }, (_, index) => index)
  const answers = await Promise.all(ten.map((index) => register(`user${index}`, { phone: '+49 1' })))
  t.strictSame(answers.map(({ statusCode }) => statusCode).toSorted(), [201, ...Array(9).fill(409)])
  t.strictSame(answers.flatMap((answer) => answer.json().field ?? []), Array(9).fill('phone'))

  const people = await Promise.all(ten.map(async (index) => (await register(`other${index}`)).json()))
  const changes = await Promise.all(people.map(({ access_token: token }) => change(token, { phone: '+49 2' })))
  t.strictSame(changes.map(({ statusCode }) => statusCode).toSorted(), [200, ...Array(9).fill(409)])

  const made = await Promise.allSettled(
    ten.map((index) => users.create(untold({ username: `made${index}`, phone: '+49 3' })))
  )
  t.equal(made.filter(({ status }) => status === 'fulfilled').length, 1)
  for (const each of made) if (each.status === 'rejected') t.match(each.reason, taken('phone'))
  t.equal(await rows(), 3)
})

t.test(
  'a field that becomes unique counts for those who were users before, however many processes start with it',
  async (t) => {
    const db = await freshDatabase(t)
    const before = {
      fields: { phone: Type.Optional(Type.String()), badge: Type.Optional(Type.Integer({ readOnly: true })) },
    }
    const first = await build(t, { db, user: before })
    for (const [index, each] of [{ phone: '+49 1' }, { phone: '+49 2' }, {}].entries()) { await first.app.accounts.users.create(untold({ username: `user${index}`, ...each })) }

    const [one, ...others] = await Promise.all(Array.from({ length: 4 }, () => build(t, { db, user })))
    for (const { post } of [one!, ...others]) {
      t.match((await post('/auth/register', { username: 'eve', password, phone: '+49 2' })).json(), taken('phone'))
    }
    t.equal((await one!.post('/auth/register', { username: 'eve', password, phone: '+49 3' })).statusCode, 201)
    t.match(
      (
        await (await build(t, { db, user })).post('/auth/register', { username: 'fay', password, phone: '+49 3' })
      ).json(),
      taken('phone'),
      'and at the next start'
    )
  }
)

t.test(
  'two users with one value keep an app from starting that wants it to be unique, until they differ',
  async (t) => {
    const { db, sql, app } = await buildOnFile(t, { user: { fields: { phone: Type.Optional(Type.String()) } } })
    for (let index = 0; index < 501; index++) { await app.accounts.users.create(untold({ username: `user${index}`, phone: `${index % 500}` })) }
    const message =
      'fastify-jwt-accounts cannot start: user.fields.phone is unique, and there are users who have the same value in it'
    await t.rejects(build(t, { db, user }), { code: 'ACCOUNTS_OPTIONS_INVALID', message })
    t.strictSame(await sql.all('select * from accounts_unique_fields'), [], 'and nothing is noted')
    const last = await app.accounts.users.find('user500')
    await app.accounts.users.update(last!.id, untold({ phone: 'another' }))
    const { post } = await build(t, { db, user })
    t.match((await post('/auth/register', { username: 'ada', password, phone: 'another' })).json(), taken('phone'))
  }
)

t.test('a database that fails while a field is filled keeps the app from starting, and blames no user', async (t) => {
  const { db, sql } = await buildOnFile(t)
  await addTrigger(sql, 'before insert', 'accounts_unique_fields', 'fail')
  await t.rejects(build(t, { db, user }), { code: 'ACCOUNTS_CONSTRAINT_VIOLATED' })
})

t.test('what is no single value cannot be unique, nor can a part of a field', async (t) => {
  const only = /user\.fields\.field is unique, so it must be a text, a number or a boolean/
  const refused = [
    [Type.Object({ a: Type.String() }, { unique: true }), only],
    [Type.Array(Type.String(), { unique: true }), only],
    [Type.Any({ unique: true }), only],
    [Type.Union([Type.String(), Type.Array(Type.String())], { unique: true }), only],
    [Type.String({ unique: 'yes' }), /user\.fields\.field has a unique that is neither true nor false/],
    [Type.Object({ a: Type.String({ unique: true }) }), /user\.fields\.field has unique within it/],
    [Type.Array(Type.String({ unique: true })), /user\.fields\.field has unique within it/],
  ] as const
  for (const [field, message] of refused) { await t.rejects(build(t, { user: { fields: { field } } }), { code: 'ACCOUNTS_OPTIONS_INVALID', message }) }

  const fields = {
    field: Type.Union([Type.Literal('a'), Type.Integer(), Type.Null()], { unique: true }),
    plain: Type.Optional(Type.String({ unique: false })),
  }
  const { post } = await build(t, { user: { fields } })
  for (const [username, field] of [['ada', 'a'], ['bob', 1], ['eve', null], ['fay', null]]) {
    t.equal((await post('/auth/register', { username, password, field, plain: 'x' })).statusCode, 201)
  }
  t.match((await post('/auth/register', { username: 'gus', password, field: 1 })).json(), taken('field'))
})
