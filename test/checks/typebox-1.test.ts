// On each database.
import swagger from '@fastify/swagger'
import { Type as Type034 } from '@sinclair/typebox'
import t, { type Test } from 'tap'
import { Type } from 'typebox'
import { Settings } from 'typebox/system'
import accounts, { type AccountsOptions } from '../../lib/index.ts'
import { bearer, build, cheap, client, password, secret, untold } from '../support/build.ts'
import { Fastify } from '../support/fastify.ts'

/** The same fields in both packages. */
const newer = () => ({
  displayName: Type.String({ minLength: 1, maxLength: 64 }),
  plan: Type.String({ default: 'free', readOnly: true }),
  age: Type.Optional(Type.Integer({ minimum: 0 })),
  settings: Type.Optional(Type.Object({
    theme: Type.Union([Type.Literal('dark'), Type.Literal('light')]),
    size: Type.Optional(Type.Number({ default: 12 })),
    tags: Type.Array(Type.String(), { default: [] }),
    level: Type.Integer({ default: 1, readOnly: true }),
  })),
  code: Type.Optional(Type.Unsafe<string>({ type: 'string', pattern: '^[a-z]$' })),
})
const older = () => ({
  displayName: Type034.String({ minLength: 1, maxLength: 64 }),
  plan: Type034.String({ default: 'free', readOnly: true }),
  age: Type034.Optional(Type034.Integer({ minimum: 0 })),
  settings: Type034.Optional(Type034.Object({
    theme: Type034.Union([Type034.Literal('dark'), Type034.Literal('light')]),
    size: Type034.Optional(Type034.Number({ default: 12 })),
    tags: Type034.Array(Type034.String(), { default: [] }),
    level: Type034.Integer({ default: 1, readOnly: true }),
  })),
  code: Type034.Optional(Type034.Unsafe<string>({ type: 'string', pattern: '^[a-z]$' })),
})

type Fields = NonNullable<NonNullable<AccountsOptions['user']>['fields']>

/** What fields have a part in, and the document of it. */
async function visit (t: Test, fields: Fields) {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(swagger, { openapi: {} })
  await app.register(accounts, {
    db: ':memory:',
    secret,
    throttle: false,
    password: cheap,
    user: { fields },
    routes: { users: true },
  })
  const { get, post } = client(app)
  const said: unknown[] = []

  const whole = { displayName: 'Ada', settings: { theme: 'dark' } }
  const wrong = [
    { displayName: '' },
    { plan: 'pro' },
    { age: -1 },
    { settings: {} },
    { settings: { theme: 'red' } },
    { settings: { theme: 'dark', level: 9 } },
    { settings: { theme: 'dark', more: 1 } },
    { code: 'AB' },
    { displayName: undefined },
  ]
  for (const part of wrong) { said.push((await post('/auth/register', { username: 'ada', password, ...whole, ...part })).json()) }
  const { access_token: token, user } = (await post('/auth/register', { username: 'ada', password, ...whole })).json()
  said.push(user)
  for (const change of [
    { age: 36, code: 'a' },
    { age: null },
    { plan: 'pro' },
    { settings: { theme: 'light', tags: ['x'] } },
    { displayName: null },
  ]) {
    said.push((await app.inject({ method: 'PATCH', url: '/auth/me', headers: bearer(token), payload: change })).json())
  }
  await app.accounts.users.update(user.id, untold({ plan: 'pro', settings: { theme: 'dark', tags: [], level: 2 } }))
  said.push((await get('/auth/me', token)).json())
  return { said: JSON.parse(JSON.stringify(said).replaceAll(user.id, 'id')), document: app.swagger() }
}

t.test('schemas of typebox 1 make the fields that those of 0.34 make', async (t) => {
  const { said, document } = await visit(t, newer())
  const old = await visit(t, older())
  t.strictSame(said, old.said)
  t.strictSame(document, old.document)
  t.match(
    said.find((each: { username?: string }) => each.username === 'ada'),
    { displayName: 'Ada', plan: 'free', settings: { theme: 'dark', tags: [], size: 12 } }
  )
})

t.test('the marks of typebox 1 may be visible', async (t) => {
  Settings.Set({ enumerableKind: true })
  const visible = newer()
  Settings.Reset()
  t.ok(Object.keys(visible.displayName).includes('~kind'))
  t.strictSame((await visit(t, visible)).said, (await visit(t, older())).said)
})

t.test('a schema that checks or changes by code keeps the app from starting, in either', async (t) => {
  const fields: Fields[] = [
    { even: Type.Refine(Type.Integer(), (value) => value % 2 === 0) },
    {
      even: Type.Optional(Type.Object({ inner: Type.Array(Type.Refine(Type.Integer(), (value) => value % 2 === 0)) })),
    },
    { even: Type.Codec(Type.String()).Decode(Number).Encode(String) },
    { even: Type034.Transform(Type034.String()).Decode(Number).Encode(String) },
    { even: Type034.Object({ inner: Type034.Transform(Type034.String()).Decode(Number).Encode(String) }) },
  ]
  for (const each of fields) {
    await t.rejects(build(t, { user: { fields: each } }), {
      code: 'ACCOUNTS_OPTIONS_INVALID',
      message: /user\.fields\.even must be JSON Schema alone/,
    })
  }
})
