// On each database.
import t from 'tap'
import { clock, enrolTotp, signIn } from '../../../lib/testing.ts'
import { bearer, decode, password } from '../../support/build.ts'
import { challenge, endOf, verifier, withProvider } from './with-provider.ts'

const address = 'ada@example.com'

/** What becomes of somebody whom a provider names, by what it says of the address and what is here. */
const cases: { here: 'verified' | 'unverified' | 'none', there: 'vouched' | 'unvouched' | 'none', code: string | number }[] = [
  { here: 'verified', there: 'vouched', code: 200 },
  { here: 'verified', there: 'unvouched', code: 'ACCOUNTS_IDENTITY_UNLINKED' },
  { here: 'verified', there: 'none', code: 'new' },
  { here: 'unverified', there: 'vouched', code: 'ACCOUNTS_IDENTITY_UNLINKED' },
  { here: 'unverified', there: 'unvouched', code: 'ACCOUNTS_IDENTITY_UNLINKED' },
  { here: 'unverified', there: 'none', code: 'new' },
  { here: 'none', there: 'vouched', code: 'new' },
  { here: 'none', there: 'unvouched', code: 'new' },
  { here: 'none', there: 'none', code: 'new' },
]

t.test('an address links where both sides have proved it, and a second factor follows', async (t) => {
  const { app, exchange, fake, sql } = await withProvider(t, {
    fake: { trustEmail: true, profile: ({ nick }) => ({ username: nick }) }, factors: true, mail: true,
  })
  for (const [index, { here, there, code }] of cases.entries()) {
    for (const withFactor of [false, true]) {
      const name = `${here} here, ${there} there, ${withFactor ? 'with' : 'without'} a factor`
      const [sub, nick, email] = [`${index}${withFactor}`, `n${index}${withFactor}`, `a${index}${withFactor}@example.com`]
      const local = await app.accounts.users.create({
        username: `u${index}${withFactor}`,
        ...here !== 'none' && { email },
        ...here === 'verified' && { emailVerifiedAt: new Date() },
      })
      const totp = withFactor ? await enrolTotp(app, local) : undefined
      fake.next({ sub, nick, ...there !== 'none' && { email, email_verified: there === 'vouched' } })
      const answer = await exchange()
      const body = answer.json()
      if (code === 'new') {
        t.equal(answer.statusCode, 200, name)
        t.match(body.user, {
          username: nick, email: there === 'vouched' ? email : null, email_verified: there === 'vouched',
        }, `${name}: registered`)
      } else if (typeof code === 'string') {
        t.equal(body.code, code, name)
        t.same(await app.accounts.identities.list(local.id), [], `${name}: nothing is linked`)
        t.equal((await app.accounts.users.find(local.id))!.email_verified, here === 'verified', `${name}: nor verified`)
      } else {
        t.equal(body.code ?? answer.statusCode, totp ? 'ACCOUNTS_FACTOR_REQUIRED' : 200, name)
        t.match(await app.accounts.identities.list(local.id), [{ subject: sub, email }], `${name}: linked`)
        const again = (await exchange()).json()
        t.equal(again.code ?? again.user.id, totp ? 'ACCOUNTS_FACTOR_REQUIRED' : local.id, `${name}: known from then on`)
        if (totp) {
          const verified = await app.inject({
            method: 'POST', url: '/auth/factors/verify', payload: { ticket: again.ticket, code: totp.code() },
          })
          t.match(decode(verified.json().access_token).payload, { sub: local.id, acr: 'aal2', amr: ['fed', 'otp', 'mfa'] })
        }
      }
    }
  }
  t.equal((await sql.get("select count(*) as n from accounts_mails where kind = 'identity-linked'"))!.n, 2)
})

t.test('in a browser the second factor follows, with its ticket in a cookie', async (t) => {
  const { app, browser, fake } = await withProvider(t, { factors: true })
  const ada = await app.accounts.users.create({ username: 'ada' })
  const { code } = await enrolTotp(app, ada)
  await app.accounts.identities.link(ada.id, { provider: 'fake', subject: 'ada' })
  fake.next({})
  const page = browser()
  t.match(endOf(await page.go()), { error: 'factor_required', factors: 'totp recovery', expires_in: '300' })
  t.equal((await page.get('/guarded')).statusCode, 401)
  t.equal((await page.post('/auth/factors/verify', { code: code() })).statusCode, 200)
  t.match((await page.get('/guarded')).json().auth.claims.amr, ['fed', 'otp', 'mfa'])
})

t.test('a provider whose word counts for two factors is asked for none more', async (t) => {
  const { app, exchange, fake } = await withProvider(t, {
    factors: true, fake: { acr: ({ acr }) => acr === 'mfa' ? 'aal2' : undefined },
  })
  const ada = await app.accounts.users.create({ username: 'ada' })
  await enrolTotp(app, ada)
  await app.accounts.identities.link(ada.id, { provider: 'fake', subject: 'ada' })
  fake.next({ acr: 'mfa' })
  t.match(decode((await exchange()).json().access_token).payload, { acr: 'aal2', amr: ['fed', 'mfa'] })
  fake.next({ acr: 'pwd' })
  t.equal((await exchange()).json().code, 'ACCOUNTS_FACTOR_REQUIRED')
})

t.test('whoever is signed in links an identity, whatever its address, and is told of it', async (t) => {
  const told: unknown[] = []
  const { app, browser, exchange, fake, linked, signUp, sql } = await withProvider(t, {
    events: { store: true },
    hooks: { onIdentityLinked: (user, linked, source) => { told.push([user.username, linked, typeof source?.ip]) } },
  })
  const { access_token: token, user } = await signUp('ada')
  await app.accounts.users.create({ username: 'bob', email: 'other@example.com', emailVerifiedAt: new Date() })
  fake.next({ sub: '1', email: 'other@example.com' })
  t.equal((await linked(token)).statusCode, 204)
  t.match(await app.accounts.identities.list(user.id), [{ provider: 'fake', subject: '1', email: 'other@example.com' }])
  t.same(told, [['ada', { provider: 'fake', email: 'other@example.com' }, 'string']])
  t.equal((await linked(token)).statusCode, 204, 'once more changes nothing')
  t.equal((await app.accounts.identities.list(user.id)).length, 1)
  t.equal((await exchange()).json().user.id, user.id)

  const { access_token: other } = await signUp('eve')
  t.equal((await linked(other)).json().code, 'ACCOUNTS_IDENTITY_TAKEN')
  const page = browser()
  await page.post('/auth/login', { username: 'eve', password, transport: 'cookie' })
  t.equal(endOf(await page.go({ for: 'link' })).error, 'identity_taken')
  fake.next({ sub: '2' })
  t.same(endOf(await page.go({ for: 'link', return_to: '/profile' })), { page: 'https://app.example.com/profile' })
  const events = await sql.all("select reason from accounts_events where type = 'identity-linked'")
  t.same(events.map(({ reason }) => reason), ['fake', 'fake'])
})

t.test('nothing is linked to a session that is over by then, or to nobody', async (t) => {
  const { app, authorize, fake, post, signUp } = await withProvider(t)
  fake.next({})
  const begin = async (token: string) => {
    const begun = await authorize({ for: 'link', code_challenge: challenge }, bearer(token))
    const { authorization_url: url } = begun.json()
    return endOf(await app.inject({ url: fake.approve(url) })).code
  }
  const finish = async (code: string | undefined) =>
    (await post('/auth/providers/exchange', { code, code_verifier: verifier })).json().code
  const { access_token: token, user: { id } } = await signUp()
  const code = await begin(token)
  await post('/auth/logout', {}, token)
  t.equal(await finish(code), 'ACCOUNTS_TOKEN_REVOKED')
  const second = (await signIn(app, 'ada', { transport: 'body' })).tokens.access_token
  const other = await begin(second)
  await app.accounts.users.delete(id)
  t.equal(await finish(other), 'ACCOUNTS_TOKEN_REVOKED')
})

t.test('to link asks for a fresh proof, of both factors where there are two', async (t) => {
  const { app, authorize } = await withProvider(t, { factors: true })
  const ada = await app.accounts.users.create({ username: 'ada' })
  const { tokens } = await signIn(app, 'ada', { transport: 'body' })
  const asked = async (token: string) =>
    (await authorize({ for: 'link', code_challenge: challenge }, bearer(token))).json().code
  t.equal(await asked(tokens.access_token), undefined)
  await enrolTotp(app, ada)
  const strong = await signIn(app, 'ada', { transport: 'body', acr: 'aal2' })
  t.equal(await asked(strong.tokens.access_token), undefined)
  const time = clock()
  t.teardown(time.restore)
  time.advance('11m')
  t.equal(await asked(strong.tokens.access_token), 'ACCOUNTS_TOKEN_STALE')
})

t.test('a user proves once more who they are, by an identity of their own', async (t) => {
  const { app, browser, exchange, fake, post } = await withProvider(t)
  const ada = await app.accounts.users.create({ username: 'ada' })
  await app.accounts.identities.link(ada.id, { provider: 'fake', subject: 'ada' })
  fake.next({})
  const before = (await exchange()).json()
  const authenticated = await exchange({ for: 'reauthenticate' }, bearer(before.access_token))
  t.equal(authenticated.statusCode, 200, authenticated.body)
  t.equal(decode(authenticated.json().access_token).payload.sid, decode(before.access_token).payload.sid)
  t.equal((await post('/guarded', {}, before.access_token)).json().code, 'ACCOUNTS_TOKEN_SUPERSEDED')

  const token = authenticated.json().access_token
  fake.next({ sub: 'other' })
  t.equal((await exchange({ for: 'reauthenticate' }, bearer(token))).json().code, 'ACCOUNTS_IDENTITY_UNLINKED')
  const bob = await app.accounts.users.create({ username: 'bob' })
  await app.accounts.identities.link(bob.id, { provider: 'fake', subject: 'other' })
  t.equal((await exchange({ for: 'reauthenticate' }, bearer(token))).json().code, 'ACCOUNTS_IDENTITY_TAKEN')

  fake.next({})
  const page = browser()
  await page.go()
  const url = new URL(await page.leave({ for: 'reauthenticate' })).searchParams
  t.match(Object.fromEntries(url), { prompt: 'login', max_age: '300' })
  t.same(endOf(await page.go({ for: 'reauthenticate' })), { page: 'https://app.example.com/' })
  t.equal((await page.get('/guarded')).statusCode, 200)
})

t.test('a provider that has asked nobody for long proves nothing anew', async (t) => {
  const old = Math.floor(Date.now() / 1000) - 3600
  const { app, exchange, fake } = await withProvider(t, {
    fake: {
      alter: {
        tokens: (answer, { header, claims, sign }) =>
          ({ ...answer, id_token: sign(header, { ...claims, auth_time: old }) }),
      }
    }
  })
  const ada = await app.accounts.users.create({ username: 'ada' })
  await app.accounts.identities.link(ada.id, { provider: 'fake', subject: 'ada' })
  fake.next({})
  const { access_token: token } = (await exchange()).json()
  t.equal((await exchange({ for: 'reauthenticate' }, bearer(token))).json().code, 'ACCOUNTS_PROVIDER_FAILED')
})

t.test('whoever has a second factor proves it too when they prove once more who they are', async (t) => {
  const { app, exchange, fake, sql } = await withProvider(t, { factors: true })
  const ada = await app.accounts.users.create({ username: 'ada' })
  const { code } = await enrolTotp(app, ada)
  await app.accounts.identities.link(ada.id, { provider: 'fake', subject: 'ada' })
  fake.next({})
  const { tokens } = await signIn(app, 'ada', { transport: 'body', acr: 'aal2' })
  const refused = (await exchange({ for: 'reauthenticate' }, bearer(tokens.access_token))).json()
  t.equal(refused.code, 'ACCOUNTS_FACTOR_REQUIRED')
  t.equal((await sql.get('select count(*) as n from accounts_spent'))!.n, 1, 'the flow is used up')
  const verified = await app.inject({
    method: 'POST', url: '/auth/factors/verify', payload: { ticket: refused.ticket, code: code() },
  })
  t.match(decode(verified.json().access_token).payload, { acr: 'aal2', sid: decode(tokens.access_token).payload.sid })
})

t.test('no address links where only who is signed in does', async (t) => {
  const { app, exchange, fake } = await withProvider(t, { linking: 'signed-in', fake: { trustEmail: true } })
  await app.accounts.users.create({ username: 'ada', email: address, emailVerifiedAt: new Date() })
  fake.next({ email: address })
  t.equal((await exchange()).json().code, 'ACCOUNTS_IDENTITY_UNLINKED')
})

t.test('where addresses are no names they neither link nor are kept', async (t) => {
  const { exchange, fake } = await withProvider(t, {
    identifiers: ['username'], fake: { trustEmail: true, profile: () => ({ username: 'ada' }) },
  })
  fake.next({ email: address })
  t.match((await exchange()).json().user, { username: 'ada', email: null })
})
