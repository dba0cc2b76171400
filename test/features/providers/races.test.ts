// On each database.
// With more rounds in trials.
import t from 'tap'
import accounts from '../../../lib/index.ts'
import { cheap, secret } from '../../support/build.ts'
import { Fastify } from '../../support/fastify.ts'
import { rounds } from '../../support/rounds.ts'
import { challenge, endOf, providerFlow, verifier, withProvider } from './with-provider.ts'

t.test('of many who come for one new identity at once, in two processes, all are one user', async (t) => {
  const { app, db, fake, sql } = await withProvider(t, {
    fake: { trustEmail: true, profile: ({ nick }) => ({ username: nick }) },
  })
  const other = Fastify()
  t.teardown(() => other.close())
  await other.register(accounts, {
    db,
    secret,
    throttle: false,
    password: cheap,
    providers: [fake.provider],
    providerFlow,
    identifiers: ['username', 'email'],
    transport: 'both',
  })
  const apps = [app, other, app, other, app, other]

  for (const withAddress of [true, false]) {
    for (let round = 0; round < rounds(1, 20); round++) {
      const sub = `${withAddress}${round}`
      fake.next({ sub, nick: `n${sub}`, ...withAddress && { email: `${sub}@example.com` } })
      const codes = await Promise.all(apps.map(async (each) => {
        const begun = await each.inject({
          method: 'POST', url: '/auth/providers/fake/authorize', payload: { code_challenge: challenge },
        })
        const back = await each.inject({ url: fake.approve(begun.json().authorization_url) })
        return endOf(back).code
      }))
      const answers = await Promise.all(apps.map((each, index) => each.inject({
        method: 'POST',
        url: '/auth/providers/exchange',
        payload: { code: codes[index], code_verifier: verifier },
      })))
      t.same(answers.map(({ statusCode }) => statusCode), apps.map(() => 200), answers.map(({ body }) => body).join('\n'))
      t.equal(new Set(answers.map((answer) => answer.json().user.id)).size, 1)
      t.equal(Number((await sql.get(`select count(*) as n from accounts_users where username = 'n${sub}'`))!.n), 1)
    }
  }
})

t.test('of two last ways in that go at once one stays', async (t) => {
  const { app, exchange, fake } = await withProvider(t, { fake: { profile: () => ({ username: 'ada' }) } })
  fake.next({ sub: '1' })
  const { access_token: token, user } = (await exchange()).json()
  await app.accounts.identities.link(user.id, { provider: 'fake', subject: '2' })
  const found = await app.accounts.identities.list(user.id)
  const answers = await Promise.all(found.map(({ id }) => app.inject({
    method: 'DELETE', url: `/auth/identities/${id}`, headers: { authorization: `Bearer ${token}` },
  })))
  t.same(answers.map(({ statusCode }) => statusCode).toSorted(), [204, 409])
  t.equal((await app.accounts.identities.list(user.id)).length, 1)
})
