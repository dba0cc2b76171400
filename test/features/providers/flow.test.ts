// On each database.
import t from 'tap'
import { decode } from '../../support/build.ts'
import { endOf, withProvider } from './with-provider.ts'

t.test('a browser signs up by a provider, and in again, with tokens in cookies', async (t) => {
  const { app, browser, fake, sql } = await withProvider(t, {
    fake: { trustEmail: true, profile: ({ nick }) => ({ username: nick }) },
  })
  fake.next({ sub: '1', email: 'ada@example.com', nick: 'ada' })
  const first = browser()
  const response = await first.go({ return_to: '/welcome?x=1' })
  t.equal(response.statusCode, 303, response.body)
  t.same(endOf(response), { page: 'https://app.example.com/welcome', x: '1' })
  t.equal(response.headers['referrer-policy'], 'no-referrer')
  const { user, auth } = (await first.get('/guarded')).json()
  t.match(user, { username: 'ada', email: 'ada@example.com', email_verified: true })
  t.match(auth.claims, { acr: 'aal1', amr: ['fed'] })

  fake.next({ sub: '1', email: 'other@example.com' })
  const second = browser()
  await second.go()
  t.equal((await second.get('/guarded')).json().user.id, user.id, 'whatever the address says now')
  t.equal(app.accounts.counters.flowsFinished, 2)
  t.match(await sql.all('select provider, subject, email, tokens from accounts_identities'), [
    { provider: 'fake', subject: '1', email: 'other@example.com', tokens: null },
  ])
  t.match((await second.get('/auth/identities')).json().identities, [{ provider: 'fake', email: 'other@example.com' }])
})

t.test('a client with tokens in bodies exchanges a code by its verifier', async (t) => {
  const { exchange, fake, signUp } = await withProvider(t)
  await signUp('bob')
  fake.next({ sub: '2' })
  const incomplete = await exchange()
  t.match(incomplete.json(), { code: 'ACCOUNTS_REGISTRATION_INCOMPLETE', missing: ['username'], expires_in: 600 })
  t.type(incomplete.json().ticket, 'string')
})

t.test('what a provider has begun is finished by a registration without a password', async (t) => {
  const { app, exchange, fake, post } = await withProvider(t, { fake: { trustEmail: true } })
  fake.next({ sub: '2', email: 'bob@example.com' })
  const { ticket } = (await exchange()).json()
  const response = await post('/auth/register', { ticket, username: 'bob' })
  t.equal(response.statusCode, 201, response.body)
  t.match(response.json().user, { username: 'bob', email: 'bob@example.com', email_verified: true })
  t.same(decode(response.json().access_token).payload.amr, ['fed'])
  t.equal((await post('/auth/register', { ticket, username: 'eve' })).json().code, 'ACCOUNTS_TOKEN_REVOKED')

  const again = await exchange()
  t.equal(again.statusCode, 200, again.body)
  t.equal(again.json().user.id, response.json().user.id)
  t.equal((await app.accounts.identities.list(response.json().user.id)).length, 1)
})

t.test('in a browser the ticket of a registration travels in a cookie', async (t) => {
  const { browser, fake } = await withProvider(t)
  fake.next({ sub: '3' })
  const page = browser()
  t.same(endOf(await page.go()), {
    page: 'https://app.example.com/', error: 'registration_incomplete', missing: 'username', expires_in: '600',
  })
  const response = await page.post('/auth/register', { username: 'carol', transport: 'cookie' })
  t.equal(response.statusCode, 201, response.body)
  t.notOk([...page.jar.keys()].some((name) => name.includes('ticket')), 'it is taken back')
  t.equal((await page.get('/guarded')).json().user.username, 'carol')
})

t.test('the page gets the providers by their names', async (t) => {
  const { get } = await withProvider(t, { fake: { name: 'Example Inc.' } })
  t.same((await get('/auth/providers')).json(), { providers: [{ id: 'fake', name: 'Example Inc.' }] })
})
