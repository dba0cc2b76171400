// On each database.
import { Type, type TSchema } from '@sinclair/typebox'
import t from 'tap'
import type { AccountsOptions } from '../../lib/index.ts'
import { bearer, build, buildOnFile, password, untold } from '../support/build.ts'

const settings = Type.Object({
  theme: Type.Optional(Type.String()),
  plan: Type.String({ readOnly: true, default: 'free' }),
  seat: Type.Optional(
    Type.Object({ colour: Type.Optional(Type.String()), row: Type.Optional(Type.Integer({ readOnly: true })) })
  ),
})

/** An app whose users may have settings, with Ada signed in. */
async function withAda (t: Parameters<typeof build>[0], given: object = {}, field: TSchema = Type.Optional(settings)) {
  const built = await buildOnFile(t, { user: { fields: { settings: field } }, routes: { users: true } })
  const { access_token: token, user } = (
    await built.post('/auth/register', { username: 'ada', password, ...given })
  ).json()
  const change = (body: object) =>
    built.app.inject({ method: 'PATCH', url: '/auth/me', headers: bearer(token), payload: body })
  const stored = async () => JSON.parse((await built.sql.get('select profile from accounts_users'))!.profile)
  return { ...built, token, id: user.id as string, user, change, stored }
}

t.test('what is only read, or not known, within a field is given by nobody', async (t) => {
  const { post, change, stored } = await withAda(t, { settings: { theme: 'dark' } })
  const refused: [settings: object, message: string][] = [
    [{ plan: 'gold' }, 'body/settings/plan is not a known field'],
    [{ theme: 'x', isAdmin: true }, 'body/settings/isAdmin is not a known field'],
    [{ seat: { row: 1 } }, 'body/settings/seat/row is not a known field'],
    [{ seat: { isAdmin: true } }, 'body/settings/seat/isAdmin is not a known field'],
  ]
  for (const [settings, message] of refused) {
    const answer = { statusCode: 400, code: 'ACCOUNTS_INPUT_INVALID', message }
    t.match((await post('/auth/register', { username: 'eve', password, settings })).json(), answer)
    t.match((await change({ settings })).json(), answer)
  }
  t.strictSame(await stored(), { settings: { theme: 'dark', plan: 'free' } })
})

t.test('a list, a choice and a dictionary in a field take no fields that they do not name', async (t) => {
  const field = Type.Object({
    list: Type.Optional(Type.Array(Type.Object({ a: Type.Integer() }))),
    choice: Type.Optional(Type.Union([Type.Object({ a: Type.Integer() }), Type.Object({ b: Type.Integer() })])),
    dictionary: Type.Optional(Type.Record(Type.String({ pattern: '^[a-z]$' }), Type.Object({ a: Type.Integer() }))),
    pair: Type.Optional(Type.Tuple([Type.Object({ a: Type.Integer() }), Type.String()])),
    open: Type.Optional(Type.Object({ a: Type.Integer() }, { additionalProperties: true })),
    any: Type.Optional(Type.Unsafe({ type: 'object' })),
  })
  const { change, stored } = await withAda(t, { settings: {} }, field)
  const good = [
    { list: [{ a: 1 }], choice: { b: 1 }, dictionary: { x: { a: 1 } }, pair: [{ a: 1 }, 'x'] },
    { open: { a: 1, more: 1 }, any: { more: 1 } },
  ]
  for (const settings of good) {
    await change({ settings })
    t.strictSame(await stored(), { settings })
  }
  const bad = [
    { list: [{ a: 1, x: 1 }] },
    { choice: { a: 1, b: 1 } },
    { dictionary: { x: { a: 1, x: 1 } } },
    { dictionary: { long: { a: 1 } } },
    { pair: [{ a: 1, x: 1 }, 'x'] },
  ]
  for (const settings of bad) {
    t.match(
      (await change({ settings })).json(),
      { statusCode: 400, message: /is not a known field/ },
      JSON.stringify(settings)
    )
  }
})

t.test('what is only read within a field outlives every change that a user makes of it', async (t) => {
  const { app, id, change, stored } = await withAda(t, { settings: { theme: 'dark' } })
  await app.accounts.users.update(
    id,
    untold({ settings: { theme: 'dark', plan: 'gold', seat: { colour: 'red', row: 7 } } })
  )

  t.strictSame((await change({ settings: { theme: 'light' } })).json().settings, {
    theme: 'light',
    plan: 'gold',
    seat: { row: 7 },
  })
  t.strictSame((await change({ settings: { seat: { colour: 'blue' } } })).json().settings, {
    plan: 'gold',
    seat: { colour: 'blue', row: 7 },
  })
  t.strictSame((await change({ settings: {} })).json().settings, { plan: 'gold', seat: { row: 7 } })
  t.match(
    (await change({ settings: null })).json(),
    { statusCode: 400, message: 'body/settings must be object' },
    'or it would go with the field'
  )
  t.strictSame(await stored(), { settings: { plan: 'gold', seat: { row: 7 } } })
})

t.test(
  'code and admins give what is only read within a field, keep it by leaving it out, and take it away with null',
  async (t) => {
    const { app, get, id } = await withAda(t)
    const admin = await app.accounts.users.create(
      untold({ username: 'root', roles: ['admin'], settings: { theme: 'x', seat: { row: 1 } } })
    )
    t.strictSame(
      (await get(`/auth/users/${admin.id}`, (await app.accounts.issueTokens(admin.id)).access_token)).json().settings,
      { theme: 'x', plan: 'free', seat: { row: 1 } }
    )

    const headers = bearer((await app.accounts.issueTokens(admin.id)).access_token)
    const change = async (settings: unknown) =>
      (await app.inject({ method: 'PATCH', url: `/auth/users/${id}`, headers, payload: { settings } })).json()
    t.strictSame((await change({ seat: { row: 2 } })).settings, { plan: 'free', seat: { row: 2 } })
    t.strictSame((await change({ plan: 'gold' })).settings, { plan: 'gold', seat: { row: 2 } })
    t.strictSame((await change({ seat: { row: null, colour: 'red' } })).settings, {
      plan: 'gold',
      seat: { colour: 'red' },
    })
    t.match(await change({ plan: null }), { statusCode: 400, message: 'body/settings/plan must be string' })
    t.match(await change({ isAdmin: true }), { statusCode: 400, message: 'body/settings/isAdmin is not a known field' })
    t.notOk('settings' in (await change(null)))
  }
)

t.test('a value that is older than a member of its field is shown as it is', async (t) => {
  const { get, token, sql } = await withAda(t)
  const needed = Type.Object({
    plan: Type.String(),
    seat: Type.Object({ row: Type.Integer() }),
    either: Type.Unsafe({ type: 'object', properties: { all: true } }),
  })
  await sql.run('update accounts_users set profile = ?', '{"settings":{"seat":{}}}')
  t.strictSame((await get('/auth/me', token)).json().settings, { seat: {} })

  const { app } = await build(t, {
    db: (await withAda(t, { settings: { plan: 'x', seat: { row: 1 }, either: {} } }, needed)).db,
    user: { fields: { settings: needed } },
  })
  t.match(await app.accounts.users.find('ada'), { settings: { plan: 'x', seat: { row: 1 } } })
})

t.test('a schema that cannot be kept to at every depth keeps the app from starting', async (t) => {
  const plan = Type.String({ readOnly: true })
  const inner = Type.Object({ plan })
  const elsewhere =
    /^fastify-jwt-accounts cannot start: user\.fields\.field has readOnly elsewhere than at members of objects/
  const several =
    /^fastify-jwt-accounts cannot start: user\.fields\.field lists members of one object in several schemas \((allOf|anyOf|not|then)\)/
  const refused: [field: TSchema, message: RegExp][] = [
    [Type.Array(inner), elsewhere],
    [Type.Array(plan), elsewhere],
    [Type.Record(Type.String(), inner), elsewhere],
    [Type.Tuple([inner]), elsewhere],
    [Type.Union([inner, Type.Null()]), elsewhere],
    [Type.Object({ plan }, { additionalProperties: true }), elsewhere],
    [Type.Object({ plan }, { patternProperties: { x: {} } }), elsewhere],
    [Type.Unsafe({ type: ['object', 'null'], properties: { plan } }), elsewhere],
    [Type.Object({ deep: Type.Array(inner) }), elsewhere],
    [Type.Recursive((Self) => Type.Object({ plan, parts: Type.Array(Self) }), { $id: 'Tree' }), elsewhere],
    [Type.Intersect([Type.Object({ a: Type.String() }), Type.Object({ b: Type.String() })]), several],
    [Type.Object({ deep: Type.Intersect([Type.Object({ a: Type.String() }), Type.Unknown()]) }), several],
    [Type.Object({ a: Type.String() }, { anyOf: [Type.Object({ b: Type.String() })] }), several],
    [Type.Not(Type.Array(Type.Object({ a: Type.String() }))), several],
    [Type.Unsafe({ if: { type: 'string' }, then: { $ref: '#' } }), several],
  ]
  for (const [field, message] of refused) {
    const options: AccountsOptions = { user: { fields: { field } } }
    await t.rejects(build(t, options), { code: 'ACCOUNTS_OPTIONS_INVALID', message }, JSON.stringify(field))
  }
})

t.test('schemas that join rules for one value, and a tree, are taken', async (t) => {
  const fields = {
    code: Type.Optional(Type.Intersect([Type.String({ minLength: 2 }), Type.String({ pattern: '^[a-z]+$' })])),
    tree: Type.Optional(
      Type.Recursive((Self) => Type.Object({ name: Type.String(), parts: Type.Array(Self) }), { $id: 'Tree' })
    ),
  }
  const { post } = await build(t, { user: { fields } })
  const tree = { name: 'a', parts: [{ name: 'b', parts: [] }] }
  t.match((await post('/auth/register', { username: 'ada', password, code: 'ab', tree })).json().user, {
    code: 'ab',
    tree,
  })
  t.equal((await post('/auth/register', { username: 'eve', password, code: 'a1' })).statusCode, 400)
  const more = { name: 'a', parts: [{ name: 'b', parts: [], isAdmin: true }] }
  t.match((await post('/auth/register', { username: 'eve', password, tree: more })).json(), {
    message: 'body/tree/parts/0/isAdmin is not a known field',
  })
})
