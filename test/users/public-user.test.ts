// On each database.
import { Type } from '@sinclair/typebox'
import t from 'tap'
import type { AccountsOptions } from '../../lib/index.ts'
import { build, buildOnFile, password } from '../support/build.ts'

const user = {
  fields: {
    displayName: Type.String({ minLength: 1, maxLength: 40 }),
    birthday: Type.Optional(Type.String({ format: 'date' })),
    plan: Type.Optional(Type.String({ readOnly: true })),
    note: Type.Optional(Type.String()),
  },
  public: ['displayName', 'birthday', 'plan'],
} satisfies AccountsOptions['user']

t.test(
  'fields of the app are given at registration, kept, and shown to their user where they are public',
  async (t) => {
    const { post, get, signIn, sql } = await buildOnFile(t, { user })
    const given = { displayName: 'Ada L.', birthday: '1815-12-10', note: 'secret to all' }
    const answer = await post('/auth/register', { username: 'ada', password, ...given })
    t.equal(answer.statusCode, 201)
    const shown = { username: 'ada', displayName: 'Ada L.', birthday: '1815-12-10' }
    t.match(answer.json().user, shown)
    t.notOk('note' in answer.json().user)

    t.same(JSON.parse((await sql.get('select profile from accounts_users'))!.profile), given)
    await sql.run('update accounts_users set profile = ?', JSON.stringify({ ...given, plan: 'gold', hidden: 1 }))
    const { access_token: token } = await signIn()
    t.match((await get('/guarded', token)).json().user, { ...shown, plan: 'gold' })
    t.same((await get('/auth/me', token)).json(), (await get('/guarded', token)).json().user)
  }
)

t.test('a field is checked as its schema says, and one that is only read cannot be given', async (t) => {
  const { post } = await build(t, { user })
  const refused: [fields: object, named: RegExp][] = [
    [{}, /body must have required property 'displayName'/],
    [{ displayName: '' }, /body\/displayName/],
    [{ displayName: 5 }, /body\/displayName must be string/],
    [{ displayName: 'x', birthday: 'soon' }, /body\/birthday must match format "date"/],
    [{ displayName: 'x', plan: 'gold' }, /body\/plan is not a known field/],
    [{ displayName: 'x', roles: ['admin'] }, /body\/roles is not a known field/],
  ]
  for (const [fields, message] of refused) {
    t.match((await post('/auth/register', { username: 'ada', password, ...fields })).json(), {
      statusCode: 400,
      code: 'ACCOUNTS_INPUT_INVALID',
      message,
    })
  }
})

t.test(
  'without a list of public fields all are shown, and an account that is older than a field has none',
  async (t) => {
    const { get, post, sql } = await buildOnFile(t, { user: { fields: { size: Type.Optional(Type.Integer()) } } })
    const { access_token: token, user } = (await post('/auth/register', { username: 'ada', password, size: 7 })).json()
    t.equal(user.size, 7)
    for (const profile of ['{}', 'null', '[]']) {
      await sql.run('update accounts_users set profile = ?', profile)
      t.notOk('size' in (await get('/strict', token)).json().user, profile)
    }
  }
)

t.test(
  'names that are taken, what is no schema, and public fields that there are not keep the app from starting',
  async (t) => {
    const refused: [user: unknown, message: RegExp][] = [
      [{ fields: { id: Type.String() } }, /user\.fields\.id has a name that is taken/],
      [{ fields: { toString: Type.String() } }, /user\.fields\.toString has a name that is taken/],
      [{ fields: { 'a b': Type.String() } }, /user\.fields\.a b has a name/],
      [
        { fields: { size: { type: 'integer' } } },
        /user\.fields\.size must be a schema of TypeBox, @sinclair\/typebox 0\.34 or typebox 1$/,
      ],
      [{ fields: {}, public: ['size'] }, /user\.public names size/],
      [{ fields: 5 }, /user\.fields/],
      [{ public: 'all' }, /user\.public/],
    ]
    for (const [user, message] of refused) { await t.rejects(build(t, { user } as AccountsOptions), { code: 'ACCOUNTS_OPTIONS_INVALID', message }) }
  }
)

t.test('a default is stored at registration, so that code and answers say the same', async (t) => {
  const fields = { language: Type.String({ default: 'en' }), plan: Type.String({ readOnly: true, default: 'free' }) }
  const { app, get, post, sql } = await buildOnFile(t, { user: { fields } })
  const { access_token: token, user } = (await post('/auth/register', { username: 'ada', password })).json()
  t.match(user, { language: 'en', plan: 'free' })
  t.match((await app.accounts.verify(token)).user, { language: 'en', plan: 'free' })
  t.same(JSON.parse((await sql.get('select profile from accounts_users'))!.profile), { language: 'en', plan: 'free' })

  await sql.run("update accounts_users set profile = '{}'")
  const shown = (await get('/auth/me', token)).json()
  t.notOk('plan' in shown || 'language' in shown, 'an account that is older than the field has none')
})

t.test('a body that is nested without end is refused before anything looks at it', async (t) => {
  const { app, post } = await build(t, { user: { fields: { any: Type.Optional(Type.Any()) } } })
  const send = (depth: number) =>
    app.inject({
      method: 'POST',
      url: '/auth/register',
      headers: { 'content-type': 'application/json' },
      payload: `{"username":"ada","password":"${password}","any":${'['.repeat(depth)}${']'.repeat(depth)}}`,
    })
  for (const depth of [31, 40, 5000, 8000]) {
    t.match((await send(depth)).json(), {
      statusCode: 400,
      code: 'ACCOUNTS_INPUT_INVALID',
      message: /nested too deeply/,
    })
  }
  t.equal((await send(30)).statusCode, 201, 'as deep as every database goes')
  t.equal((await post('/auth/login', { username: 'ada', password })).statusCode, 200)
})
