// On each database.
import t from 'tap'
import { fakeProvider } from '../../../lib/testing.ts'
import { bearer } from '../../support/build.ts'
import { withProvider } from './with-provider.ts'

/** An app in which something happens while its claims are asked for: between what was decided and what is done. */
async function withMeanwhile (t: Parameters<typeof withProvider>[0], options: Parameters<typeof withProvider>[1] = {}) {
  let happen: (() => Promise<unknown>) | undefined
  const built = await withProvider(t, {
    ...options,
    async claims () {
      const act = happen
      happen = undefined
      await act?.()
      return {}
    },
  })
  return { ...built, meanwhile: (act: () => Promise<unknown>) => { happen = act } }
}

t.test('an address that is given to somebody else meanwhile links nobody', async (t) => {
  const { app, exchange, fake, meanwhile, sql } = await withMeanwhile(t, {
    fake: { trustEmail: true, profile: () => ({ username: 'new' }) },
  })
  const ada = await app.accounts.users.create({ username: 'ada', email: 'ada@example.com', emailVerifiedAt: new Date() })
  fake.next({ email: 'ada@example.com' })
  meanwhile(() => app.accounts.users.update(ada.id, { email: 'other@example.com' }))
  t.match((await exchange()).json().user, { username: 'new', email: 'ada@example.com' })

  const bob = await app.accounts.users.create({ username: 'bob', email: 'bob@example.com', emailVerifiedAt: new Date() })
  fake.next({ sub: '2', email: 'bob@example.com' })
  meanwhile(() => sql.run(`update accounts_users set email_verified_at = null where id = '${bob.id}'`))
  t.equal((await exchange()).json().code, 'ACCOUNTS_IDENTITY_UNLINKED')
})

t.test('an address, a name or an identity that somebody gets meanwhile is theirs', async (t) => {
  const { app, exchange, fake, meanwhile } = await withMeanwhile(t, {
    fake: { trustEmail: true, profile: ({ nick }) => ({ username: nick }) },
  })
  fake.next({ nick: 'ada', email: 'ada@example.com' })
  meanwhile(() => app.accounts.users.create({ username: 'bob', email: 'ada@example.com' }))
  t.equal((await exchange()).json().code, 'ACCOUNTS_IDENTITY_UNLINKED')

  fake.next({ sub: '2', nick: 'carol' })
  let carol = ''
  meanwhile(async () => {
    carol = (await app.accounts.users.create({ username: 'carol' })).id
    await app.accounts.identities.link(carol, { provider: 'fake', subject: '2' })
  })
  t.equal((await exchange()).json().user.id, carol)

  fake.next({ sub: '3', nick: 'dave' })
  meanwhile(async () => {
    const other = await app.accounts.users.create({ username: 'eve' })
    await app.accounts.identities.link(other.id, { provider: 'fake', subject: '3' })
  })
  t.equal((await exchange()).json().user.username, 'eve')
})

t.test('an identity that is taken away meanwhile signs nobody in to the account of before', async (t) => {
  const { app, exchange, fake, meanwhile } = await withMeanwhile(t, { fake: { profile: () => ({ username: 'new' }) } })
  const { id } = await app.accounts.users.create({ username: 'ada', password: 'correct horse battery staple' })
  await app.accounts.identities.link(id, { provider: 'fake', subject: 'ada' })
  const [identity] = await app.accounts.identities.list(id)
  fake.next({})
  meanwhile(() => app.accounts.identities.unlink(id, identity!.id))
  t.equal((await exchange()).json().user.username, 'new')
})

t.test('a user who is gone or disabled meanwhile proves nothing anew', async (t) => {
  const { app, exchange, fake, meanwhile, sql } = await withMeanwhile(t, { fake: { profile: ({ sub }) => ({ username: `u${sub}` }) } })
  for (const end of ['delete', 'disable'] as const) {
    fake.next({ sub: end })
    const { access_token: token, user } = (await exchange()).json()
    meanwhile(() => end === 'delete'
      ? app.accounts.users.delete(user.id)
      : sql.run(`update accounts_users set disabled_at = '2026-01-01 00:00:00.000' where id = '${user.id}'`))
    t.equal((await exchange({ for: 'reauthenticate' }, bearer(token))).json().code, 'ACCOUNTS_TOKEN_REVOKED', end)
  }
})

t.test('a user who is deleted between the guard and the route has nothing to take away', async (t) => {
  const { app, exchange, fake } = await withProvider(t, {
    fake: { profile: () => ({ username: 'ada' }) },
    async verifyClaims ({ sub }, request) {
      if (request?.method === 'DELETE') await app.accounts.users.delete(sub)
      return true
    },
  })
  fake.next({})
  const { access_token: token, user } = (await exchange()).json()
  const [identity] = await app.accounts.identities.list(user.id)
  const response = await app.inject({
    method: 'DELETE', url: `/auth/identities/${identity!.id}`, headers: bearer(token),
  })
  t.equal(response.json().code, 'ACCOUNTS_TOKEN_REVOKED')
})

t.test('a fault of the app is a 500, and lets nobody in', async (t) => {
  const { browser, fake } = await withProvider(t, { fake: { acr: () => { throw new Error('mine') } } })
  fake.next({})
  t.match((await browser().go()).json(), { statusCode: 500, message: 'Internal Server Error' })
})

t.test('a provider in this process refuses what a real one does', async (t) => {
  const { fetch } = fakeProvider().provider
  const post = (path: string, headers = {}, body = 'grant_type=authorization_code') =>
    fetch!(`https://fake.example${path}`, { method: 'POST', headers, body })
  t.equal((await post('/token')).status, 401)
  t.equal((await post('/token', { authorization: `Basic ${btoa('fake-client:fake-secret')}` })).status, 400)
  t.equal((await fetch!('https://fake.example/userinfo')).status, 401)
  t.equal((await fetch!('https://fake.example/none')).status, 404)
})
