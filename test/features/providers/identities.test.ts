// On each database.
import t from 'tap'
import { clock, outbox, signIn, softPasskey } from '../../../lib/testing.ts'
import { bearer, password } from '../../support/build.ts'
import { passkeysOf } from '../passkeys/with-passkeys.ts'
import { withProvider } from './with-provider.ts'

const missingId = '01980c1e-6f3b-7d18-8a02-c4f7e1b95d60'

t.test('a user sees their identities, and takes one away, but not the last way in', async (t) => {
  const { app, exchange, fake, get, post, signUp, sql } = await withProvider(t, {
    fake: { profile: () => ({ username: 'ada' }) }, events: { store: true },
  })
  fake.next({ sub: '1' })
  const { access_token: token, user } = (await exchange()).json()
  const { identities } = (await get('/auth/identities', token)).json()
  t.match(identities, [{ provider: 'fake', email: null, created_at: /Z$/, last_used_at: /Z$/ }])
  const remove = (id: string, by = token) =>
    app.inject({ method: 'DELETE', url: `/auth/identities/${id}`, headers: bearer(by) })
  t.equal((await remove(identities[0].id)).json().code, 'ACCOUNTS_LAST_CREDENTIAL')
  t.equal((await app.accounts.identities.list(user.id)).length, 1, 'it is there as before')
  for (const id of ['x', missingId]) t.equal((await remove(id)).json().code, 'ACCOUNTS_NOT_FOUND')
  const { access_token: other } = await signUp('eve')
  t.equal((await remove(identities[0].id, other)).json().code, 'ACCOUNTS_NOT_FOUND', 'of somebody else')

  await app.accounts.users.setPassword(user.id, password)
  const again = (await post('/auth/login', { username: 'ada', password })).json()
  t.equal((await remove(identities[0].id, again.access_token)).statusCode, 204)
  t.same((await get('/auth/identities', again.access_token)).json(), { identities: [] })
  t.equal((await get('/guarded', again.access_token)).statusCode, 200, 'the session goes on')
  t.match(await sql.all("select type, reason from accounts_events where type like 'identity%' order by id"), [
    { type: 'identity-linked', reason: 'fake' }, { type: 'identity-unlinked', reason: 'fake' },
  ])
  await app.accounts.users.delete(user.id)
  t.equal((await remove(identities[0].id, again.access_token)).statusCode, 401)
})

t.test('a passkey is a way in beside an identity, and an identity beside a passkey', async (t) => {
  const origin = 'https://app.example.com'
  const { app, exchange, fake, get } = await withProvider(t, {
    fake: { profile: () => ({ username: 'ada' }) }, passkeys: { origins: [origin], secondFactor: false },
  })
  const { add, login, send } = passkeysOf(app)
  fake.next({})
  const key = softPasskey({ origin })
  await add(key, (await exchange()).json().access_token)
  const { access_token: token } = (await login(key)).json()
  const [{ id: passkey }] = (await get('/auth/passkeys', token)).json().passkeys
  const [{ id: identity }] = (await get('/auth/identities', token)).json().identities
  t.equal((await send('DELETE', `/identities/${identity}`, token)).statusCode, 204)
  t.equal((await send('DELETE', `/passkeys/${passkey}`, token)).json().code, 'ACCOUNTS_LAST_CREDENTIAL')
  const { id } = (await get('/auth/me', token)).json()
  await app.accounts.identities.link(id, { provider: 'fake', subject: 'ada' })
  t.equal((await send('DELETE', `/passkeys/${passkey}`, token)).statusCode, 200)
})

t.test('an identity of a provider that is not there any more is no way in', async (t) => {
  const { app, exchange, fake, sql } = await withProvider(t, { fake: { profile: () => ({ username: 'ada' }) } })
  fake.next({ sub: '1' })
  const { user } = (await exchange()).json()
  await app.accounts.identities.link(user.id, { provider: 'fake', subject: '2' })
  await sql.run("update accounts_identities set provider = 'gone' where subject = '1'")
  const [, { id }] = await app.accounts.identities.list(user.id) as [object, { id: string }]
  await t.rejects(app.accounts.identities.unlink(user.id, id), { code: 'ACCOUNTS_LAST_CREDENTIAL' })
})

t.test('code lists, links and takes away, also in a transaction of its own', async (t) => {
  const sources: unknown[] = []
  const { app } = await withProvider(t, {
    hooks: { onIdentityLinked: (_, { email }, source) => { sources.push([email, source]) } },
  })
  const { identities, orm, users } = app.accounts
  const { id } = await users.create({ username: 'ada', password })
  await orm.em.fork().transactional(async (em) => {
    await identities.link(id, { provider: 'fake', subject: '1', email: 'ada@example.com' }, { em })
    t.equal((await identities.list(id, { em })).length, 1)
    throw new Error('undone')
  }).catch(() => {})
  t.same(await identities.list(id), [])
  t.same(sources, [], 'nobody is told of what is undone')

  await identities.link(id, { provider: 'fake', subject: '1', issuer: 'https://other.example' })
  const [identity] = await identities.list(id)
  t.match(identity, { provider: 'fake', issuer: 'https://other.example', subject: '1', email: null })
  t.same(sources, [[null, null]])
  await t.rejects(identities.link(id, { provider: 'fake', subject: '1', issuer: 'https://other.example' }),
    { code: 'ACCOUNTS_IDENTITY_TAKEN' })
  await t.rejects(identities.link(id, { provider: 'none', subject: '1' }), { code: 'ACCOUNTS_OPTIONS_INVALID' })
  await t.rejects(identities.link(id, { provider: 'fake', subject: '' }), { code: 'ACCOUNTS_OPTIONS_INVALID' })
  await t.rejects(identities.link(id, { provider: 'fake', subject: '2', sub: 1 } as never), { code: 'ACCOUNTS_OPTIONS_INVALID' })
  for (const nobody of ['x', missingId]) {
    await t.rejects(identities.link(nobody, { provider: 'fake', subject: '2' }), { code: 'ACCOUNTS_NOT_FOUND' })
    await t.rejects(identities.unlink(nobody, identity!.id), { code: 'ACCOUNTS_NOT_FOUND' })
    t.same(await identities.list(nobody), [])
    t.equal(await identities.tokens(nobody, 'fake'), null)
  }
  await t.rejects(identities.unlink(id, missingId), { code: 'ACCOUNTS_NOT_FOUND' })
  await identities.unlink(id, identity!.id)
  t.same(await identities.list(id), [])
})

t.test('whoever proves an address that nobody had proved takes over what a stranger has opened', async (t) => {
  const { app, exchange, fake, post } = await withProvider(t, { mail: true })
  const { access_token: token, user } = (await post('/auth/register', {
    username: 'eve', email: 'ada@example.com', password,
  })).json()
  fake.next({ sub: 'eve' })
  t.equal((await exchange({ for: 'link' }, bearer(token))).statusCode, 204)
  await post('/auth/password/forgot', { email: 'ada@example.com' })
  const mails = outbox(app)
  const mail = await mails.next('reset')
  t.equal(mail.to.address, 'ada@example.com')
  const proof = { token: mails.token(mail), new_password: 'staple battery horse correct' }
  t.equal((await post('/auth/password/reset', proof)).statusCode, 204)
  t.same(await app.accounts.identities.list(user.id), [])
})

t.test('to take a changed address back takes away what was linked since', async (t) => {
  const { app, exchange, fake, post, sql } = await withProvider(t, { mail: true })
  const ada = await app.accounts.users.create({
    username: 'ada', email: 'ada@example.com', emailVerifiedAt: new Date(), password,
  })
  await app.accounts.identities.link(ada.id, { provider: 'fake', subject: 'before' })
  await sql.run("update accounts_identities set created_at = '2020-01-01 00:00:00.000'")
  await app.accounts.users.update(ada.id, { email: 'eve@example.com' })
  const mails = outbox(app)
  const mail = await mails.next('email-changed')
  t.equal(mail.to.address, 'ada@example.com')
  const token = mails.token(mail)
  const { access_token: byThief } = (await post('/auth/login', { username: 'ada', password })).json()
  fake.next({ sub: 'thief' })
  t.equal((await exchange({ for: 'link' }, bearer(byThief))).statusCode, 204)
  t.equal((await post('/auth/email/revert', { token })).statusCode, 204)
  t.match(await app.accounts.identities.list(ada.id), [{ subject: 'before' }])
  fake.next({ sub: 'before' })
  t.equal((await exchange()).json().user.id, ada.id)
})

t.test('an account that is going to be deleted, and one that is disabled, are not entered', async (t) => {
  const { app, exchange, fake, browser } = await withProvider(t, {
    closing: { grace: '30d' }, fake: { profile: () => ({ username: 'ada' }) },
  })
  fake.next({})
  const { access_token: token, user } = (await exchange()).json()
  t.equal((await app.inject({ method: 'DELETE', url: '/auth/me', headers: bearer(token) })).statusCode, 202)
  t.match((await exchange()).json(), { code: 'ACCOUNTS_CLOSING', closes_at: /Z$/ })
  await app.accounts.users.restore(user.id)
  await app.accounts.users.disable(user.id)
  t.equal((await exchange()).json().code, 'ACCOUNTS_CREDENTIALS_INVALID')
  const response = await browser().go()
  t.match(response.headers.location, 'error=credentials_invalid')
})

t.test('the tokens of a provider are kept sealed where that is wanted, and made anew when they are over', async (t) => {
  let life = 3600
  const { app, exchange, fake, sql } = await withProvider(t, {
    fake: {
      profile: () => ({ username: 'ada' }),
      storeTokens: true,
      alter: { tokens: (answer) => ({ ...answer, expires_in: life, scope: 'openid mail' }) },
    },
  })
  fake.next({})
  const { user } = (await exchange()).json()
  const tokens = () => app.accounts.identities.tokens(user.id, 'fake')
  const first = (await tokens())!
  t.match(first, { accessToken: String, expiresAt: Date, scope: 'openid mail' })
  const stored = await sql.get('select tokens, key_id from accounts_identities')
  t.match(stored!.tokens, /^s1\./)
  t.equal((stored!.tokens as string).split('.')[1], stored!.key_id)
  t.notMatch(stored!.tokens, first.accessToken)
  t.same(await tokens(), first, 'nobody is asked while they are good')
  t.equal(await app.accounts.identities.tokens(user.id, 'other'), null)

  life = 30
  await exchange()
  const asked = () => fake.asked.filter((path) => path === '/token').length
  const before = asked()
  life = 3600
  const all = await Promise.all([tokens(), tokens(), tokens()])
  t.equal(asked(), before + 1, 'of this process one asks at a time')
  t.equal(new Set(all.map((each) => each!.accessToken)).size, 1)
  t.same(await tokens(), all[0])

  life = 30
  await exchange()
  fake.isAway = true
  await t.rejects(tokens(), { code: 'ACCOUNTS_PROVIDER_FAILED' })
  await sql.run("update accounts_identities set tokens = 's1.AAAAAAAA.AAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAAAAAAAA'")
  await t.rejects(tokens(), { code: 'ACCOUNTS_UNAVAILABLE' }, 'by a key that is not there')
  await sql.run("update accounts_identities set tokens = 'x'")
  await t.rejects(tokens(), { code: 'ACCOUNTS_UNAVAILABLE' }, 'or damaged')
})

t.test('of two processes that find tokens over at once both have those that one has stored', async (t) => {
  const { app, exchange, fake, sql } = await withProvider(t, {
    fake: {
      profile: () => ({ username: 'ada' }),
      storeTokens: true,
      alter: {
        tokens: (answer) => ({ ...answer, expires_in: 30 }),
        response: async (url, response) => {
          if (url.pathname === '/token') await between?.()
          return response
        },
      },
    },
  })
  let between: (() => Promise<unknown>) | undefined
  fake.next({})
  const { user } = (await exchange()).json()
  const first = (await sql.get('select tokens from accounts_identities'))!.tokens as string
  await exchange()
  const second = (await sql.get('select tokens from accounts_identities'))!.tokens as string
  const put = (text: string) => sql.run(`update accounts_identities set tokens = '${text}'`)
  const good = await app.accounts.identities.tokens(user.id, 'fake')
  await put(first)
  between = () => put(second)
  t.not((await app.accounts.identities.tokens(user.id, 'fake'))!.accessToken, good!.accessToken)
  t.equal((await sql.get('select tokens from accounts_identities'))!.tokens, second, 'what others have stored stays')

  between = async () => {
    await put(first)
    throw new TypeError('fetch failed')
  }
  t.ok(await app.accounts.identities.tokens(user.id, 'fake'), 'a refusal is none where others have new ones')
  between = async () => { await sql.run('delete from accounts_identities') }
  t.ok(await app.accounts.identities.tokens(user.id, 'fake'))
})

t.test('tokens without an end or a way to others are given as they are', async (t) => {
  const { app, exchange, fake } = await withProvider(t, {
    fake: {
      profile: () => ({ username: 'ada' }),
      storeTokens: true,
      alter: { tokens: ({ expires_in: _, refresh_token: __, ...answer }) => answer },
    },
  })
  fake.next({})
  const { user } = (await exchange()).json()
  t.match(await app.accounts.identities.tokens(user.id, 'fake'), { accessToken: String, expiresAt: null, scope: null })
})

t.test('tokens that are too long for a row are not kept, and sign in all the same', async (t) => {
  const { app, exchange, fake } = await withProvider(t, {
    fake: {
      profile: () => ({ username: 'ada' }),
      storeTokens: true,
      alter: { tokens: (answer) => ({ ...answer, refresh_token: 'x'.repeat(60_000) }) },
    },
  })
  fake.next({})
  const signedIn = await exchange()
  t.equal(signedIn.statusCode, 200)
  t.equal(await app.accounts.identities.tokens(signedIn.json().user.id, 'fake'), null)
})

t.test('without the option nothing of a provider is kept', async (t) => {
  const { app, exchange, fake, sql } = await withProvider(t, { fake: { profile: () => ({ username: 'ada' }) } })
  fake.next({})
  const { user } = (await exchange()).json()
  t.equal(await app.accounts.identities.tokens(user.id, 'fake'), null)
  t.match(await sql.get('select tokens, key_id from accounts_identities'), { tokens: null, key_id: null })
})

t.test('to take an identity away asks for a fresh proof', async (t) => {
  const { app, get } = await withProvider(t)
  const ada = await app.accounts.users.create({ username: 'ada', password })
  await app.accounts.identities.link(ada.id, { provider: 'fake', subject: '1' })
  const { tokens } = await signIn(app, 'ada', { transport: 'body' })
  const [{ id }] = (await get('/auth/identities', tokens.access_token)).json().identities
  const time = clock()
  t.teardown(time.restore)
  time.advance('11m')
  const response = await app.inject({
    method: 'DELETE', url: `/auth/identities/${id}`, headers: bearer(tokens.access_token),
  })
  t.equal(response.json().code, 'ACCOUNTS_TOKEN_STALE')
})
