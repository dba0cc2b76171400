// On each database.
import { Readable } from 'node:stream'
import { mock } from 'node:test'
import { Type } from '@sinclair/typebox'
import t, { type Test } from 'tap'
import type { AccountsOptions, TokenResponse } from '../../../lib/index.ts'
import { browser } from '../../support/browser.ts'
import { bearer, build, buildOnFile, password } from '../../support/build.ts'

t.test('a user sees what is public of the account, and nothing else', async (t) => {
  const { post, get } = await build(t)
  const { access_token: token, user } = (
    await post('/auth/register', {
      username: 'Ada',
      email: 'Ada@Example.com',
      password: 'correct horse battery staple',
    })
  ).json()
  const answer = await get('/auth/me', token)
  t.equal(answer.statusCode, 200)
  t.same(answer.json(), { id: user.id, username: 'Ada', email: 'Ada@example.com', email_verified: false, roles: [] })
  t.match(answer.headers, { 'cache-control': 'no-store', 'content-type': 'application/json; charset=utf-8' })
})

t.test('HEAD /me tells no more than GET /me, and asks for the same token', async (t) => {
  const { app, signUp } = await build(t)
  const { access_token: token } = await signUp()
  const head = (headers: Record<string, string>) => app.inject({ method: 'HEAD', url: '/auth/me', headers })
  t.match(await head(bearer(token)), { statusCode: 200, body: '' })
  t.match(await head({}), { statusCode: 401, headers: { 'www-authenticate': 'Bearer realm="accounts"' } })
})

const user = {
  fields: {
    displayName: Type.String({ minLength: 1, default: 'Somebody' }),
    birthday: Type.Optional(Type.String({ format: 'date' })),
    settings: Type.Optional(
      Type.Object({ theme: Type.String({ default: 'light' }), news: Type.Optional(Type.Boolean()) })
    ),
    plan: Type.String({ readOnly: true, default: 'free' }),
  },
} satisfies AccountsOptions['user']

/** An app whose users have fields, with Ada signed in. */
async function withAda (t: Test, options: AccountsOptions = {}) {
  const built = await build(t, { user, ...options })
  const tokens: TokenResponse = (
    await built.post('/auth/register', { username: 'ada', password, displayName: 'Ada', birthday: '1815-12-10' })
  ).json()
  const send = (method: 'PATCH' | 'DELETE', payload?: object, token = tokens.access_token) =>
    built.app.inject({ method, url: '/auth/me', headers: bearer(token), ...payload && { payload } })
  return { ...built, ...tokens, send }
}

t.test('users change their profile: what is given changes, and the rest stays', async (t) => {
  const { get, send, access_token: token } = await withAda(t)
  const shown = (await get('/auth/me', token)).json()
  const answer = await send('PATCH', { displayName: 'Countess', settings: { theme: 'dark' } })
  t.match(answer, { statusCode: 200, headers: { 'cache-control': 'no-store' } })
  t.strictSame(answer.json(), { ...shown, displayName: 'Countess', settings: { theme: 'dark' } })
  t.strictSame((await get('/guarded', token)).json().user, answer.json(), 'and the next request shows it')
  t.strictSame((await send('PATCH', {})).json(), answer.json())
})

t.test('a change of nothing, or to what is there already, writes nothing', async (t) => {
  const { post, app, sql } = await buildOnFile(t, { user })
  const { access_token: token } = (
    await post('/auth/register', { username: 'ada', password, displayName: 'Ada' })
  ).json()
  const send = (payload: object) => app.inject({ method: 'PATCH', url: '/auth/me', headers: bearer(token), payload })
  const written = async () => [
    await sql.all('select * from accounts_users'),
    await sql.all('select * from accounts_revoked_tokens'),
  ]

  await send({ settings: { theme: 'dark', news: true } })
  const before = await written()
  for (const change of [{}, { displayName: 'Ada' }, { settings: { theme: 'dark', news: true } }, { birthday: null }]) {
    t.equal((await send(change)).statusCode, 200)
    t.strictSame(await written(), before)
  }
  await send({ displayName: 'Countess' })
  t.notSame(await written(), before)
})

t.test('null takes an optional field away', async (t) => {
  const { get, send, access_token: token } = await withAda(t)
  t.notOk('birthday' in (await send('PATCH', { birthday: null })).json())
  t.notOk('birthday' in (await get('/auth/me', token)).json())
  t.match((await send('PATCH', { displayName: null })).json(), {
    statusCode: 400,
    message: /body\/displayName must be string/,
  })
})

t.test('a change of what is not theirs, or of the wrong form, changes nothing', async (t) => {
  const { get, send, access_token: token } = await withAda(t)
  const before = (await get('/auth/me', token)).json()
  const refused: [body: object, message: RegExp][] = [
    [{ displayName: 'x', plan: 'gold' }, /body\/plan is not a known field/],
    [{ displayName: 'x', roles: ['admin'] }, /body\/roles is not a known field/],
    [{ displayName: 'x', username: 'bob' }, /body\/username is not a known field/],
    [{ displayName: 'x', disabled: true }, /body\/disabled is not a known field/],
    [{ displayName: 'x', birthday: 'soon' }, /body\/birthday/],
    [{ displayName: 5 }, /body\/displayName must be string/],
    [{ displayName: 'a\0b' }, /must not hold NUL/],
    [[], /body must be object/],
  ]
  for (const [body, message] of refused) { t.match((await send('PATCH', body)).json(), { statusCode: 400, code: 'ACCOUNTS_INPUT_INVALID', message }) }
  t.equal((await send('PATCH', { displayName: 'x' }, 'x')).statusCode, 401)
  t.strictSame((await get('/auth/me', token)).json(), before)
})

t.test('changes of different fields at once are all kept', async (t) => {
  const { get, send, access_token: token } = await withAda(t)
  await Promise.all(
    [{ displayName: 'Countess' }, { birthday: null }, { settings: { theme: 'dark', news: true } }].map((body) =>
      send('PATCH', body)
    )
  )
  const { displayName, birthday, settings } = (await get('/auth/me', token)).json()
  t.strictSame(
    { displayName, birthday, settings },
    { displayName: 'Countess', birthday: undefined, settings: { theme: 'dark', news: true } }
  )
})

t.test('an account that is closed is gone with every session, and its name is free', async (t) => {
  const {
    get,
    refresh,
    send,
    signIn,
    signUp,
    access_token: here,
    refresh_token: token,
    user: { id },
  } = await withAda(t)
  const there = await signIn()
  await get('/guarded', there.access_token)
  t.match(await send('DELETE'), { statusCode: 204, body: '' })

  for (const access of [here, there.access_token]) { t.match((await get('/guarded', access)).json(), { statusCode: 401, code: 'ACCOUNTS_TOKEN_REVOKED' }) }
  t.match((await refresh(token)).json(), { code: 'ACCOUNTS_TOKEN_REVOKED' })
  t.match(await signIn(), { code: 'ACCOUNTS_CREDENTIALS_INVALID' })
  t.match((await send('DELETE')).json(), { code: 'ACCOUNTS_TOKEN_REVOKED' })
  t.match((await send('PATCH', {})).json(), { code: 'ACCOUNTS_TOKEN_REVOKED' })
  t.not((await signUp()).user.id, id)
})

t.test('of two who close one account at once one does, and the other is signed in no longer', async (t) => {
  const { signIn, send } = await withAda(t)
  const answers = await Promise.all([
    send('DELETE'),
    send('DELETE', undefined, (await signIn()).access_token),
    send('DELETE'),
    send('PATCH', { displayName: 'x' }),
  ])
  const statuses = answers.slice(0, 3).map(({ statusCode }) => statusCode).toSorted()
  t.same(statuses, [204, 401, 401])
  t.match(
    answers.filter(({ statusCode }) => statusCode === 401).map((answer) => answer.json().code),
    ['ACCOUNTS_TOKEN_REVOKED', 'ACCOUNTS_TOKEN_REVOKED']
  )
  t.ok([200, 401].includes(answers[3]!.statusCode))
})

t.test('who is deleted between the guard and a PATCH is signed in no longer', async (t) => {
  const { app, access_token: token, user: { id } } = await withAda(t)
  const late = Readable.from((async function * () {
    await app.accounts.users.delete(id)
    yield JSON.stringify({ displayName: 'x' })
  })())
  const headers = { ...bearer(token), 'content-type': 'application/json' }
  const answer = await app.inject({ method: 'PATCH', url: '/auth/me', headers, payload: late })
  t.match(answer.json(), { statusCode: 401, code: 'ACCOUNTS_TOKEN_REVOKED' })
})

t.test('who is deleted between the guard and a DELETE is signed in no longer', async (t) => {
  let act = async (_id: string): Promise<void> => {}
  const { app, send } = await withAda(t, { isRevoked: async ({ sub }) => { await act(sub); return false } })
  act = (id) => app.accounts.users.delete(id)
  t.match((await send('DELETE')).json(), { statusCode: 401, code: 'ACCOUNTS_TOKEN_REVOKED' })
})

t.test('closing an account asks for a password that was given lately', async (t) => {
  mock.timers.enable({ apis: ['Date'], now: Date.now() })
  t.teardown(() => mock.timers.reset())
  const { post, refresh, send, refresh_token: token } = await withAda(t)
  mock.timers.tick(601_000)
  const { access_token: next } = (await refresh(token)).json()
  const answer = await send('DELETE', undefined, next)
  t.match(answer.json(), { statusCode: 401, code: 'ACCOUNTS_TOKEN_STALE' })
  t.match(answer.headers['www-authenticate'], /max_age="600"/)
  const { access_token: fresh } = (await post('/auth/reauthenticate', { password }, next)).json()
  t.equal((await send('DELETE', undefined, fresh)).statusCode, 204)
})

t.test('an account that is closed takes its cookies along, and no page of another origin closes one', async (t) => {
  const { app } = await build(t, { transport: 'cookie' })
  const page = browser(app)
  await page.post('/auth/register', { username: 'ada', password })
  t.match((await page.send('DELETE', '/auth/me', undefined, { 'sec-fetch-site': 'cross-site' })).json(), {
    statusCode: 403,
    code: 'ACCOUNTS_CSRF_FAILED',
  })
  t.equal((await page.send('DELETE', '/auth/me', undefined, { 'sec-fetch-site': 'same-origin' })).statusCode, 204)
  t.same(page.names(), [])
})
