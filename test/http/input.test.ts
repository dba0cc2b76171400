import { Type } from '@sinclair/typebox'
import t from 'tap'
import { isMultiple } from '../../lib/checks/multiple-of.ts'
import { build, password, untold } from '../support/build.ts'

t.test('a number is a multiple of another as both are written', (t) => {
  const multiples: [step: number, value: number][] = [
    [0.01, 0.07], [0.01, 4.35], [0.01, 1.1], [0.01, -4.35], [0.01, 0], [0.01, -0], [0.01, 1234567890.12], [0.01, 1e21],
    [0.1, 0.3], [1e-7, 3e-7], [1.5, 4.5], [7, 21], [1e300, 2e300], [5e-324, 1e-323], [0.25, 1e308],
  ]
  const others: [step: number, value: number][] = [
    [0.01, 0.075], [0.01, 4.351], [0.01, 0.010000000001], [0.1, 0.25], [7, 22], [2e300, 1e300], [0.01, 1e-300], [0, 1],
  ]
  for (const [step, value] of multiples) t.ok(isMultiple(step, value), `${value} of ${step}`)
  for (const [step, value] of others) t.notOk(isMultiple(step, value), `${value} of ${step}`)
  t.end()
})

t.test('a price in cents is taken, by routes and by code, and half a cent is not', async (t) => {
  const { app, post } = await build(t, { user: { fields: { price: Type.Number({ multipleOf: 0.01 }) } } })
  for (const [index, price] of [0.07, 4.35, 1.1].entries()) {
    t.match((await post('/auth/register', { username: `user${index}`, password, price })).json(), { user: { price } })
    const { id } = await app.accounts.users.create(untold({ username: `made${index}`, price }))
    t.match(await app.accounts.users.update(id, untold({ price: price + 1 })), { price: price + 1 })
  }
  const refused = { statusCode: 400, message: 'body/price must be multiple of 0.01' }
  t.match((await post('/auth/register', { username: 'ada', password, price: 0.075 })).json(), refused)
})

t.test('a body is looked at no further than to its first fault', async (t) => {
  const fields = {
    tags: Type.Optional(Type.Array(Type.Any(), { maxItems: 5, uniqueItems: true })),
    site: Type.Optional(Type.String({ maxLength: 9, pattern: '^x' })),
  }
  const { post } = await build(t, { user: { fields } })
  const register = async (body: object) =>
    (await post('/auth/register', { username: 'ada', password, ...body })).json().message
  t.equal(
    await register({ tags: Array(9).fill(1) }),
    'body/tags must NOT have more than 5 items',
    'and is not asked whether they differ'
  )
  t.equal(
    await register({ site: 'y'.repeat(10) }),
    'body/site must NOT have more than 9 characters',
    'nor whether it matches'
  )
  t.equal(await register({ username: 5, tags: 5 }), 'body/username must be string')
  t.equal(
    (await post('/auth/register', { usrname: 'ada', password })).json().message,
    'body/usrname is not a known field',
    'which says more than what is missing'
  )
})

t.test('what code gives and JSON cannot say is refused like any other wrong input', async (t) => {
  const { app, signUp } = await build(t)
  const { user: { id } } = await signUp()
  const refusal = { code: 'ACCOUNTS_INPUT_INVALID', message: 'body must be an object that JSON can say' }
  const cyclic: Record<string, unknown> = {}
  cyclic.username = cyclic
  for (const given of [{ username: 1n }, cyclic, undefined, () => {}]) {
    await t.rejects(app.accounts.users.create(given as never), refusal)
    await t.rejects(app.accounts.users.update(id, given as never), refusal)
  }
})
