import { Type } from '@sinclair/typebox'
import t from 'tap'
import { clock, fakeProvider } from '../../../lib/testing.ts'
import { decode, password } from '../../support/build.ts'
import { endOf, withProvider } from './with-provider.ts'

const user = {
  fields: {
    city: Type.String({ maxLength: 20 }),
    age: Type.Optional(Type.Integer({ minimum: 0 })),
    plan: Type.String({ default: 'free', readOnly: true }),
    locale: Type.String({ default: 'en' }),
  },
}

t.test('a new user is given what the app makes of the claims, and the app is told', async (t) => {
  const told: unknown[] = []
  const { exchange, fake } = await withProvider(t, {
    user,
    fake: { trustEmail: true, profile: ({ nick, city }) => ({ username: nick, city, age: 36, plan: 'paid', unknown: 1 }) },
    hooks: {
      onRegister: (em, { username }, body) => { told.push(['register', typeof em, username, body]) },
      onRegistered: ({ username }, source) => { told.push(['registered', username, typeof source?.requestId]) },
      onIdentityLinked: ({ username }, linked) => { told.push(['linked', username, linked]) },
      onLogin: () => { told.push('login') },
    },
  })
  fake.next({ nick: 'ada', city: 'London', email: 'ada@example.com' })
  const { user: made } = (await exchange()).json()
  t.match(made, { username: 'ada', city: 'London', age: 36, plan: 'paid', locale: 'en' })
  const body = { username: 'ada', email: 'ada@example.com', city: 'London', age: 36, plan: 'paid', locale: 'en' }
  t.same(told.toSorted(), [
    ['linked', 'ada', { provider: 'fake', email: 'ada@example.com' }], ['register', 'object', 'ada', body],
    ['registered', 'ada', 'string'],
  ].toSorted())
  await exchange()
  t.equal(told.at(-1), 'login')
})

t.test('what the host refuses stores nothing', async (t) => {
  const { app, exchange, fake, sql } = await withProvider(t, {
    fake: { profile: () => ({ username: 'ada' }) },
    hooks: { onRegister: () => { throw Object.assign(new Error('By invitation only'), { statusCode: 403 }) } },
  })
  fake.next({})
  t.match((await exchange()).json(), { statusCode: 403, message: 'By invitation only' })
  t.equal((await sql.get('select count(*) as n from accounts_users'))!.n, 0)
  t.equal(app.accounts.counters.flowsFinished, 0)
})

t.test('what is missing, or is not what a user may have, is asked for, and the rest is kept', async (t) => {
  const { exchange, fake, post } = await withProvider(t, {
    user, fake: { profile: ({ nick, city, age }) => ({ username: nick, city, age, plan: 'paid' }) },
  })
  const cases: [claims: Record<string, unknown>, missing: string[]][] = [
    [{}, ['username', 'city']],
    [{ nick: 'ada@home', city: 'x'.repeat(21) }, ['username', 'city']],
    [{ nick: 7, city: 'London' }, ['username']],
    [{ nick: 'ada', age: -1 }, ['city']],
  ]
  for (const [claims, missing] of cases) {
    fake.next(claims)
    t.match((await exchange()).json(), { code: 'ACCOUNTS_REGISTRATION_INCOMPLETE', missing }, JSON.stringify(claims))
  }
  fake.next({ nick: 'ada', age: 36 })
  const { ticket } = (await exchange()).json()
  t.match((await post('/auth/register', { ticket })).json(), {
    code: 'ACCOUNTS_INPUT_INVALID', message: "body must have required property 'city'",
  })
  const made = await post('/auth/register', { ticket, city: 'Paris' })
  t.match(made.json().user, { username: 'ada', city: 'Paris', age: 36, plan: 'paid', locale: 'en' })
})

t.test('a name that is taken is asked for anew', async (t) => {
  const { exchange, fake, post, signUp } = await withProvider(t, { fake: { profile: () => ({ username: 'ada' }) } })
  await signUp('ada')
  fake.next({})
  const refused = (await exchange()).json()
  t.match(refused, { code: 'ACCOUNTS_REGISTRATION_INCOMPLETE', missing: ['username'] })
  t.equal((await post('/auth/register', { ticket: refused.ticket, username: 'ada' })).json().code, 'ACCOUNTS_USER_EXISTS')
  t.equal((await post('/auth/register', { ticket: refused.ticket, username: 'lovelace' })).statusCode, 201, 'with the same ticket')
})

t.test('where an account needs an address it is asked for, and proved later', async (t) => {
  const { exchange, fake, post } = await withProvider(t, {
    identifiers: ['email'], mail: true, fake: { trustEmail: true },
  })
  fake.next({ email: 'ada@example.com', email_verified: false })
  const refused = (await exchange()).json()
  t.match(refused, { code: 'ACCOUNTS_REGISTRATION_INCOMPLETE', missing: ['email'] })
  const made = await post('/auth/register', { ticket: refused.ticket, email: 'ada@example.com' })
  t.match(made.json(), { user: { email: 'ada@example.com', email_verified: false }, email_challenge: Object })

  fake.next({ sub: '2', email: 'bob@example.com' })
  const vouched = await exchange()
  t.match(vouched.json().user, { email: 'bob@example.com', email_verified: true })
})

t.test('an address that the provider vouches for is not asked for, and not changed by the body', async (t) => {
  const { exchange, fake, post } = await withProvider(t, { mail: true, fake: { trustEmail: true } })
  fake.next({ email: 'ada@example.com' })
  const { ticket } = (await exchange()).json()
  const wrong = await post('/auth/register', { ticket, username: 'ada', email: 'eve@example.com' })
  t.match(wrong.json(), { code: 'ACCOUNTS_INPUT_INVALID', message: /body\/email must be left out/ })
  const made = await post('/auth/register', { ticket, username: 'ada', email: 'Ada@example.com' })
  t.equal(made.statusCode, 201, made.body)
  t.equal(made.json().user.email_verified, true)
  t.notOk(made.json().email_challenge, 'nobody has to prove it once more')
})

t.test('tickets of registrations are good for registrations alone, for a while, and once', async (t) => {
  const { app, exchange, fake, post } = await withProvider(t, { factors: true })
  fake.next({})
  const { ticket } = (await exchange()).json()
  const codeOf = async (url: string, body: object) => (await post(url, body)).json().code
  t.equal(await codeOf('/auth/register', { ticket: 'x', username: 'ada' }), 'ACCOUNTS_TOKEN_INVALID')
  t.equal(await codeOf('/auth/register', { ticket, username: 'ada', password }), 'ACCOUNTS_INPUT_INVALID')
  t.equal(await codeOf('/auth/register', { username: 'ada' }), 'ACCOUNTS_INPUT_INVALID')
  t.equal(await codeOf('/auth/factors/verify', { ticket, code: '123456' }), 'ACCOUNTS_TOKEN_INVALID')
  t.equal(await codeOf('/auth/providers/exchange', { code: ticket, code_verifier: 'x'.repeat(43) }), 'ACCOUNTS_FLOW_INVALID')
  await t.rejects(async () => app.accounts.verify(ticket), { code: 'ACCOUNTS_TOKEN_INVALID' })

  const { user: bob } = (await post('/auth/register', { username: 'bob', password })).json()
  await app.accounts.identities.link(bob.id, { provider: 'fake', subject: 'ada' })
  t.equal(await codeOf('/auth/register', { ticket, username: 'ada' }), 'ACCOUNTS_IDENTITY_TAKEN')
  await app.accounts.identities.unlink(bob.id, (await app.accounts.identities.list(bob.id))[0]!.id)
  const time = clock()
  t.teardown(time.restore)
  time.advance('601s')
  t.equal(await codeOf('/auth/register', { ticket, username: 'ada' }), 'ACCOUNTS_TOKEN_EXPIRED')
})

t.test('a ticket of a provider that is not there any more is none', async (t) => {
  const { db, exchange, fake } = await withProvider(t)
  fake.next({})
  const { ticket } = (await exchange()).json()
  const other = await withProvider(t, { db, providers: [fakeProvider({ id: 'other' }).provider] })
  t.equal((await other.post('/auth/register', { ticket, username: 'ada' })).json().code, 'ACCOUNTS_TOKEN_INVALID')
})

t.test('what a provider says at length is left out of a ticket, which has to fit a cookie', async (t) => {
  const { browser, fake } = await withProvider(t, {
    user: { fields: { about: Type.Optional(Type.String()) } }, fake: { profile: () => ({ about: 'x'.repeat(2500) }) },
  })
  fake.next({})
  const page = browser()
  t.equal(endOf(await page.go()).error, 'registration_incomplete')
  const made = await page.post('/auth/register', { username: 'ada', transport: 'cookie' })
  t.equal(made.statusCode, 201, made.body)
  t.notOk(made.json().user.about)
})

t.test('the cookie of a second factor is no ticket of a registration', async (t) => {
  const { browser } = await withProvider(t)
  const page = browser()
  page.jar.set('__Secure-ticket', 'eyJhbGciOiJIUzI1NiJ9.e30.x')
  t.equal((await page.post('/auth/register', { username: 'ada' })).json().code, 'ACCOUNTS_INPUT_INVALID')
})

t.test('where nobody registers nobody opens an account by a provider, unless it says so', async (t) => {
  const closed = await withProvider(t, { routes: { register: false }, fake: { profile: () => ({ username: 'ada' }) } })
  closed.fake.next({})
  t.equal((await closed.exchange()).json().code, 'ACCOUNTS_REGISTRATION_CLOSED')
  const open = await withProvider(t, {
    routes: { register: false }, fake: { registers: true, profile: ({ nick }) => ({ username: nick }) },
  })
  open.fake.next({ nick: 'ada' })
  t.equal((await open.exchange()).statusCode, 200)
  open.fake.next({ sub: '2' })
  const refused = (await open.exchange()).json()
  t.match(refused, { code: 'ACCOUNTS_REGISTRATION_INCOMPLETE', missing: ['username'] })
  t.notOk('ticket' in refused, 'there is no route that would take one')
  const never = await withProvider(t, { fake: { registers: false } })
  never.fake.next({})
  t.equal((await never.exchange()).json().code, 'ACCOUNTS_REGISTRATION_CLOSED')
})

t.test('where addresses are proved first, one that nobody vouches for tells nothing', async (t) => {
  const { app, exchange, fake } = await withProvider(t, {
    mail: { links: { register: '/welcome' } },
    email: { verification: 'first' },
    fake: { trustEmail: true, profile: ({ nick }) => ({ username: nick }) },
  })
  await app.accounts.users.create({ username: 'ada', email: 'ada@example.com', emailVerifiedAt: new Date() })
  fake.next({ nick: 'eve', email: 'ada@example.com', email_verified: false })
  t.match((await exchange()).json().user, { username: 'eve', email: null })
  fake.next({ sub: '2', nick: 'bob', email: 'bob@example.com' })
  t.match((await exchange()).json().user, { username: 'bob', email: 'bob@example.com', email_verified: true })
  fake.next({ sub: '3' })
  t.notOk('ticket' in (await exchange()).json())
})

t.test('a session that begins in place of another ends that one', async (t) => {
  const { browser, fake, get } = await withProvider(t, { fake: { profile: ({ nick }) => ({ username: nick }) } })
  const page = browser()
  fake.next({ sub: '1', nick: 'ada' })
  await page.go()
  const first = page.jar.get('__Host-access')!
  fake.next({ sub: '2', nick: 'bob' })
  await page.go({ remember: false })
  t.equal((await page.get('/guarded')).json().user.username, 'bob')
  t.equal((await get('/guarded', first)).statusCode, 401)
})

t.test('a session by a provider is a session as any other', async (t) => {
  const { exchange, fake, refresh, post } = await withProvider(t, {
    fake: { profile: () => ({ username: 'ada' }) },
    claims: ({ username }) => ({ called: username }),
  })
  fake.next({})
  const tokens = (await exchange()).json()
  const next = (await refresh(tokens.refresh_token)).json()
  t.match(decode(next.access_token).payload, { called: 'ada', amr: ['fed'], acr: 'aal1' })
  t.equal((await post('/auth/logout', {}, next.access_token)).statusCode, 204)
})
