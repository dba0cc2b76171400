// On each database.
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { Type } from '@sinclair/typebox'
import argon2 from 'argon2'
import t from 'tap'
import type { AccountsOptions } from '../../../lib/index.ts'
import { bearer, build, password, untold } from '../../support/build.ts'

const unknown = ['01a20000-0000-7000-8000-000000000000', 'x', '', 'ada', 'a\0b', "' or 1=1"]
const next = 'another horse another staple'

const user = {
  fields: {
    displayName: Type.String({ minLength: 1, maxLength: 40 }),
    birthday: Type.Optional(Type.String({ format: 'date' })),
    plan: Type.String({ readOnly: true, default: 'free' }),
    size: Type.Optional(Type.Integer({ readOnly: true })),
  },
} satisfies AccountsOptions['user']

t.test('code makes a user, fields that are only read included, who then signs in', async (t) => {
  const { app, get, signIn } = await build(t, { user })
  const began = Date.now()
  const made = await app.accounts.users.create(
    untold({ username: 'ada', email: 'Ada@Example.com', password, roles: ['admin'], displayName: 'Ada L.', size: 7 })
  )
  const shown = {
    id: made.id,
    username: 'ada',
    email: 'Ada@example.com',
    email_verified: false,
    roles: ['admin'],
    displayName: 'Ada L.',
    plan: 'free',
    size: 7,
  }
  const { createdAt } = made
  const more = { kind: 'person', disabledAt: null, closesAt: null, resetDueAt: null, createdAt, lastLoginAt: null }
  t.strictSame(made, { ...shown, ...more })
  t.ok(made.createdAt.getTime() >= began && made.createdAt.getTime() <= Date.now())
  t.same(await app.accounts.sessions.list(made.id), [])

  const { access_token: token } = await signIn()
  t.strictSame((await get('/auth/me', token)).json(), shown)
  t.ok((await app.accounts.users.find('ada'))!.lastLoginAt! >= made.createdAt)
})

t.test('what a registration refuses, code is refused too', async (t) => {
  const { app } = await build(t, { user })
  const refused: [given: object, code: string, message: RegExp][] = [
    [{ password, displayName: 'x' }, 'INPUT_INVALID', /body must have username or email/],
    [{ username: 'ada', password }, 'INPUT_INVALID', /required property 'displayName'/],
    [{ username: 'ada', displayName: '' }, 'INPUT_INVALID', /body\/displayName/],
    [{ username: 'ada', displayName: 'x', plan: 5 }, 'INPUT_INVALID', /body\/plan must be string/],
    [{ username: 'ada', displayName: 'x', epoch: 1 }, 'INPUT_INVALID', /body\/epoch is not a known field/],
    [{ username: 'a@b', displayName: 'x' }, 'INPUT_INVALID', /must not hold an @/],
    [{ username: unknown[0]!.toUpperCase(), displayName: 'x' }, 'INPUT_INVALID', /must not look like an id/],
    [{ email: 'ada', displayName: 'x' }, 'INPUT_INVALID', /must be an e-mail address/],
    [{ username: { $ne: null } as never, displayName: 'x' }, 'INPUT_INVALID', /body\/username must be string/],
    [{ username: 'ada', displayName: 'a\0b' }, 'INPUT_INVALID', /must not hold NUL/],
    [{ username: 'ada', displayName: '\ud800' }, 'INPUT_INVALID', /half a character/],
    [{ username: 'ada', displayName: 'x', roles: [''] }, 'INPUT_INVALID', /body\/roles\/0/],
    [{ username: 'ada', displayName: 'x', password: 'short' }, 'PASSWORD_REJECTED', /at least 15/],
  ]
  for (const [given, code, message] of refused) { await t.rejects(app.accounts.users.create(given), { code: `ACCOUNTS_${code}`, message }) }
  t.same((await app.accounts.users.list()).users, [])
})

t.test('where people sign in with an address, code makes and finds users by it alone', async (t) => {
  const { app } = await build(t, { identifiers: ['email'] })
  await app.accounts.users.create({ email: 'ada@example.com' })
  t.match(await app.accounts.users.find('ADA@example.com'), { username: null })
  await t.rejects(app.accounts.users.create({ username: 'bob' }), { message: 'body/username is not a known field' })
})

t.test('of ten who are made with one name at once one is, and the others exist already', async (t) => {
  const { app } = await build(t)
  const made = await Promise.allSettled(
    Array.from({ length: 10 }, () => app.accounts.users.create({ username: 'ada' }))
  )
  t.equal(made.filter(({ status }) => status === 'fulfilled').length, 1)
  for (const each of made) { if (each.status === 'rejected') t.match(each.reason, { code: 'ACCOUNTS_USER_EXISTS', statusCode: 409 }) }
})

t.test('a user without a password is let in by no password, and can be given one', async (t) => {
  const { app, post, signIn } = await build(t)
  const { id } = await app.accounts.users.create({ username: 'ada' })
  for (const guess of ['', ' ', password]) { t.equal((await post('/auth/login', { username: 'ada', password: guess })).statusCode, 401) }
  t.equal((await app.accounts.issueTokens(id)).user.username, 'ada')
  await app.accounts.users.setPassword(id, password)
  t.equal((await signIn()).user.id, id)
})

t.test('a user is found by id, name or address, however it is typed', async (t) => {
  const { app, signUp } = await build(t)
  await signUp('bob')
  const { id } = await app.accounts.users.create({ username: 'Ada', email: 'ada@example.com' })
  for (const text of [id, 'ada', ' ADA ', 'Ａｄａ', 'ADA@example.com']) { t.equal((await app.accounts.users.find(text))?.id, id, text) }
  for (const text of unknown.filter((each) => each !== 'ada')) t.equal(await app.accounts.users.find(text), null, text)
})

t.test('name, address and own fields change, and the next request shows it', async (t) => {
  const { app, get, post } = await build(t, { user })
  const {
    access_token: token,
    user: { id },
  } = (await post('/auth/register', { username: 'ada', password, displayName: 'Ada', birthday: '1815-12-10' })).json()
  await get('/auth/me', token)
  const changed = await app.accounts.users.update(
    id,
    untold({ username: 'Countess', email: 'ada@example.com', plan: 'gold', birthday: null })
  )
  t.match(changed, { username: 'Countess', email: 'ada@example.com', displayName: 'Ada', plan: 'gold' })
  t.notOk('birthday' in changed)
  const { kind: _0, disabledAt: _, closesAt: _2, resetDueAt: _3, createdAt: _4, lastLoginAt: _5, ...shown } = changed
  t.strictSame((await get('/guarded', token)).json().user, shown)

  t.equal((await post('/auth/login', { username: 'ada', password })).statusCode, 401)
  t.equal((await post('/auth/login', { username: 'countess', password })).statusCode, 200)
  t.equal(
    (await post('/auth/register', { username: 'ada', password, displayName: 'x' })).statusCode,
    201,
    'the former name is free'
  )
})

t.test('a change that breaks a rule changes nothing', async (t) => {
  const { app } = await build(t, { user })
  await app.accounts.users.create(untold({ username: 'bob', email: 'bob@example.com', displayName: 'Bob' }))
  const ada = await app.accounts.users.create(untold({ username: 'ada', displayName: 'Ada' }))
  const refused: [change: object, code: string, message: RegExp][] = [
    [{ username: 'BOB', displayName: 'x' }, 'USER_EXISTS', /taken/],
    [{ email: 'Bob@example.com', displayName: 'x' }, 'USER_EXISTS', /taken/],
    [{ username: null }, 'INPUT_INVALID', /must leave username or email/],
    [{ username: '' }, 'INPUT_INVALID', /1 to 64/],
    [{ displayName: null }, 'INPUT_INVALID', /body\/displayName must be string/],
    [{ birthday: 'soon' }, 'INPUT_INVALID', /body\/birthday/],
    [{ roles: ['admin'] }, 'INPUT_INVALID', /body\/roles is not a known field/],
    [{ password: next }, 'INPUT_INVALID', /body\/password is not a known field/],
  ]
  for (const [change, code, message] of refused) { await t.rejects(app.accounts.users.update(ada.id, change), { code: `ACCOUNTS_${code}`, message }) }
  t.strictSame(await app.accounts.users.find('ada'), ada)
  t.match(await app.accounts.users.update(ada.id, { username: null, email: 'ada@example.com' }), {
    username: null,
    email: 'ada@example.com',
  })
  t.match(await app.accounts.users.update(ada.id, { username: 'ada', email: null }), { username: 'ada', email: null })
})

t.test('changes of different fields at once are all kept', async (t) => {
  const fields = Object.fromEntries(
    Array.from({ length: 12 }, (_, index) => [`field${index}`, Type.Optional(Type.Integer())])
  )
  const { app } = await build(t, { user: { fields } })
  const { id } = await app.accounts.users.create({ username: 'ada' })
  await Promise.all(Object.keys(fields).map((name, index) => app.accounts.users.update(id, { [name]: index })))
  const found = await app.accounts.users.find(id) as unknown as Record<string, number>
  t.same(Object.keys(fields).map((name) => found[name]), Object.keys(fields).map((_, index) => index))
})

t.test('a user who is disabled is out at once, and enabled may sign in again', async (t) => {
  const { app, get, post, refresh, signUp, signIn } = await build(t)
  const { access_token: access, refresh_token: token, user: { id } } = await signUp()
  await get('/guarded', access)
  const { disabledAt } = await app.accounts.users.disable(id)
  t.ok(disabledAt instanceof Date)
  t.match((await get('/guarded', access)).json(), { statusCode: 401, code: 'ACCOUNTS_TOKEN_REVOKED' })
  t.match((await refresh(token)).json(), { code: 'ACCOUNTS_TOKEN_REVOKED' })
  t.match((await post('/auth/login', { username: 'ada', password })).json(), { code: 'ACCOUNTS_CREDENTIALS_INVALID' })
  t.strictSame((await app.accounts.users.disable(id)).disabledAt, disabledAt, 'since then, however often it is said')
  t.equal(
    (await app.accounts.users.update(id, { email: 'ada@example.com' })).disabledAt?.getTime(),
    disabledAt?.getTime()
  )

  t.equal((await app.accounts.users.enable(id)).disabledAt, null)
  t.equal((await get('/guarded', access)).statusCode, 401, 'what ended has ended')
  t.equal((await get('/guarded', (await signIn()).access_token)).statusCode, 200)
})

t.test('a user who is deleted is out at once, and whoever takes the name is somebody else', async (t) => {
  const { app, get, refresh, signUp } = await build(t)
  const { access_token: access, refresh_token: token, user: { id } } = await signUp()
  await get('/guarded', access)
  t.equal(await app.accounts.users.delete(id), undefined)
  t.equal(await app.accounts.users.find(id), null)
  const other = await signUp()
  t.not(other.user.id, id)
  t.match((await get('/guarded', access)).json(), { code: 'ACCOUNTS_TOKEN_REVOKED' })
  t.match((await refresh(token)).json(), { code: 'ACCOUNTS_TOKEN_REVOKED' })
  t.same(await app.accounts.sessions.list(id), [])
  t.equal((await get('/guarded', other.access_token)).statusCode, 200)
})

t.test('a password that code sets ends every session', async (t) => {
  const { app, get, post, refresh, signUp } = await build(t)
  const { access_token: access, refresh_token: token, user: { id } } = await signUp()
  await get('/guarded', access)
  await t.rejects(app.accounts.users.setPassword(id, 'short'), { code: 'ACCOUNTS_PASSWORD_REJECTED', statusCode: 400 })
  t.equal((await get('/guarded', access)).statusCode, 200)
  await app.accounts.users.setPassword(id, next)
  t.match((await get('/guarded', access)).json(), { code: 'ACCOUNTS_TOKEN_REVOKED' })
  t.match((await refresh(token)).json(), { code: 'ACCOUNTS_TOKEN_REVOKED' })
  t.equal((await post('/auth/login', { username: 'ada', password })).statusCode, 401)
  t.equal((await post('/auth/login', { username: 'ada', password: next })).statusCode, 200)
})

t.test('roles are seen by the next request of the same session', async (t) => {
  const { app, get, signUp } = await build(t)
  app.get('/admins', { preHandler: app.accounts.guard({ roles: ['admin'] }) }, async ({ user }) => user)
  const { access_token: token, user: { id } } = await signUp()
  t.match((await get('/admins', token)).json(), { statusCode: 403, code: 'ACCOUNTS_FORBIDDEN' })
  await app.accounts.users.setRoles(id, ['admin', 'clerk'])
  t.same((await get('/admins', token)).json().roles, ['admin', 'clerk'])
  await app.accounts.users.setRoles(id, [])
  t.equal((await get('/admins', token)).statusCode, 403)
})

t.test('roles are a list of different short texts', async (t) => {
  const { app, signUp } = await build(t)
  const { user: { id } } = await signUp()
  const many = Array.from({ length: 64 }, (_, index) => `role-${index}`)
  for (const roles of [
    null,
    'admin',
    [5],
    [''],
    ['x'.repeat(65)],
    ['a', 'a'],
    ['a\0'],
    ['\ud800'],
    [...many, 'more'],
  ]) {
    await t.rejects(
      app.accounts.users.setRoles(id, roles as string[]),
      { code: 'ACCOUNTS_INPUT_INVALID', message: /body\/roles/ },
      JSON.stringify(roles)
    )
  }
  t.same((await app.accounts.users.setRoles(id, many)).roles, many)
})

t.test('who is not there is not found, whatever is asked', async (t) => {
  const { app, signUp } = await build(t)
  await signUp()
  const { users } = app.accounts
  const asks: ((id: string) => Promise<unknown>)[] = [
    (id) => users.update(id, {}),
    users.disable,
    users.enable,
    users.delete,
    (id) => users.setPassword(id, next),
    (id) => users.setRoles(id, []),
  ]
  for (const id of unknown) {
    for (const ask of asks) await t.rejects(ask(id), { code: 'ACCOUNTS_NOT_FOUND', statusCode: 404 }, id)
  }
})

t.test('all users are listed in parts, the newest first, whoever comes meanwhile', async (t) => {
  const { app } = await build(t)
  for (let index = 0; index < 7; index++) await app.accounts.users.create({ username: `user-${index}` })
  const names: (string | null)[] = []
  let after: string | null = null
  do {
    const page = await app.accounts.users.list({ limit: 3, ...after && { after } })
    names.push(...page.users.map(({ username }) => username))
    after = page.next
    await app.accounts.users.create({ username: `later-${names.length}` })
  } while (after)
  t.same(names, [6, 5, 4, 3, 2, 1, 0].map((index) => `user-${index}`))
  for (const wrong of [{ limit: 0 }, { limit: 101 }, { limit: 1.5 }, { after: 'x' }]) { await t.rejects(app.accounts.users.list(wrong), { code: 'ACCOUNTS_INPUT_INVALID' }) }
})

/** What argon2 was asked for, and what happens while it verifies. */
const watch = { costs: [] as string[], whileVerifying: async () => {} }
const watched = await t.mockImport<typeof import('../../support/build.ts')>('../../support/build.ts', {
  argon2: {
    ...argon2,
    async verify (hash: string, password: string) {
      watch.costs.push(hash.split('$')[3]!)
      await watch.whileVerifying()
      return argon2.verify(hash, password)
    },
  },
})

t.test('code can ask whose password it is, at one cost for whoever is asked about', async (t) => {
  const { app } = await watched.build(t)
  const { users } = app.accounts
  const ada = await users.create({ username: 'ada', email: 'ada@example.com', password })
  const off = await users.create({ username: 'off', password })
  await users.create({ username: 'none' })
  await users.disable(off.id)
  watch.costs = []
  for (const who of [ada, ada.id, 'ADA', 'ada@example.com']) { t.equal((await users.verifyPassword(who, password))?.id, ada.id) }
  for (const who of ['ada', off, off.id, 'none', 'nobody', ...unknown]) { t.equal(await users.verifyPassword(who, `${password}!`), null) }
  for (const who of [off, 'none', 'nobody', '']) t.equal(await users.verifyPassword(who, password), null)
  t.strictSame(watch.costs, Array(13 + unknown.length).fill('m=1024,t=2,p=1'))
})

t.test('who is disabled, renamed, deleted or logged out while the password is checked', async (t) => {
  const { app, post, get } = await watched.build(t, { password: { concurrency: 2 } })
  const { users, sessions } = app.accounts
  const events: [what: string, status: number, act: (id: string) => Promise<unknown>][] = [
    ['disabled', 401, (id) => users.disable(id)],
    ['deleted', 401, (id) => users.delete(id)],
    ['given another password', 401, (id) => users.setPassword(id, next)],
    ['logged out everywhere', 401, (id) => sessions.revokeAll(id)],
    ['renamed', 200, (id) => users.update(id, { username: 'someone' })],
  ]
  for (const [what, status, act] of events) {
    const { id } = await users.create({ username: what, password })
    watch.whileVerifying = async () => { await act(id) }
    const answer = await post('/auth/login', { username: what, password })
    watch.whileVerifying = async () => {}
    t.equal(answer.statusCode, status, what)
    t.equal((await sessions.list(id)).length, status === 200 ? 1 : 0)
    if (status === 200) t.equal((await get('/guarded', answer.json().access_token)).statusCode, 200)
    else t.match(answer.json(), { code: 'ACCOUNTS_CREDENTIALS_INVALID' })
  }
})

t.test('logins at the moment of a disable leave no session that goes on', async (t) => {
  const { app, post } = await build(t)
  const { id } = await app.accounts.users.create({ username: 'ada', password })
  const logins = Array.from({ length: 20 }, () => post('/auth/login', { username: 'ada', password }))
  const [answers] = await Promise.all([Promise.all(logins), logins[5]!.then(() => app.accounts.users.disable(id))])
  for (const answer of answers) {
    t.ok([200, 401].includes(answer.statusCode))
    t.equal((await app.inject({ url: '/guarded', headers: bearer(answer.json().access_token ?? 'x') })).statusCode, 401)
  }
  await app.accounts.users.enable(id)
  t.same(await app.accounts.sessions.list(id), [])
})

t.test('an address is verified that code knows to be the user\'s, and no other one', async (t) => {
  const { app, get, post } = await build(t)
  const { users } = app.accounts
  app.get('/verified', { preHandler: app.accounts.guard({ verified: true }) }, async () => 'in')
  const { access_token: token, user: { id } } =
    (await post('/auth/register', { username: 'ada', email: 'ada@example.com', password })).json()
  const told: unknown[] = []
  const note = (event: unknown) => { told.push(event) }
  subscribe('fastify-jwt-accounts:email-verified', note)
  t.teardown(() => unsubscribe('fastify-jwt-accounts:email-verified', note))

  for (const email of ['eve@example.com', '', 'ada', 1]) {
    await t.rejects(users.verifyEmail(id, email as string), { code: 'ACCOUNTS_INPUT_INVALID', message: /body\/email/ })
  }
  for (const none of unknown) {
    await t.rejects(users.verifyEmail(none, 'ada@example.com'), { code: 'ACCOUNTS_NOT_FOUND' })
  }
  t.equal((await get('/verified', token)).statusCode, 403)
  t.match(await users.verifyEmail(id, 'Ada@Example.com'), { email: 'ada@example.com', email_verified: true })
  t.equal((await get('/verified', token)).statusCode, 200, 'the session goes on')
  await users.verifyEmail(id, 'ada@example.com')
  t.match(told, [{ userId: id }], 'once')
  t.equal((told as unknown[]).length, 1)

  t.match(await users.update(id, { email: 'ada@example.org' }), { email_verified: false })
  await t.rejects(users.verifyEmail(id, 'ada@example.com'), { code: 'ACCOUNTS_INPUT_INVALID' })
  t.equal(told.length, 1)
})
