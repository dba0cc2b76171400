import { Type } from '@sinclair/typebox'
import t from 'tap'
import { createCompiling } from '../../lib/http/compiling.ts'
import { build, password } from '../support/build.ts'

t.test('a field of the app\'s own that cannot be compiled keeps the app from starting', async (t) => {
  for (const [field, message] of [
    [Type.String({ format: 'nonsense' }), /unknown format "nonsense"/],
    [Type.String({ pattern: '(' }), /Invalid regular expression/],
    [Type.String({ nonsense: true }), /unknown keyword: "nonsense"/],
  ] as const) {
    await t.rejects(build(t, { user: { fields: { field } } }), { message })
  }
})

t.test('the very first request is checked, and each that follows', async (t) => {
  const { app, post } = await build(t)
  const refused = { statusCode: 400, code: 'ACCOUNTS_INPUT_INVALID', message: 'body/username must be string' }
  for (let i = 0; i < 2; i++) t.match((await post('/auth/register', { username: 5, password })).json(), refused)

  for (let i = 0; i < 2; i++) { await t.rejects(app.accounts.users.create({ username: 5 } as never), { code: 'ACCOUNTS_INPUT_INVALID' }) }
})

t.test('what is compiled late is compiled once, and what the app brings at once', async (t) => {
  let times = 0
  const compile = () => { times++; return (value: number) => value + 1 }
  const late = createCompiling({ user: { fields: {} }, sessions: {} })(compile)
  t.equal(times, 0)
  t.strictSame([late(1), late(2), times], [2, 3, 1])

  const early = createCompiling({ user: { fields: { field: Type.String() } }, sessions: {} })(compile)
  t.equal(times, 2)
  t.strictSame([early(1), times], [2, 2])
})
