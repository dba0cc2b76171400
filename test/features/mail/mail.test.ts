import { Type } from '@sinclair/typebox'
import t from 'tap'
import { errors, type AccountsOptions } from '../../../lib/index.ts'
import { clock, failMail, flushMail, outbox } from '../../../lib/testing.ts'
import { bearer, build, password } from '../../support/build.ts'
import { buildWithMail, otherPassword } from '../../support/mail.ts'

const sent: AccountsOptions['mail'] = { from: 'accounts@example.com', appName: 'Example', send: async () => {} }

t.test('without the option there are no mails, no routes of theirs, and no table is read', async (t) => {
  const { app, post } = await build(t)
  t.throws(() => outbox(app), { code: 'ACCOUNTS_OPTIONS_INVALID', message: /no option mail/ })
  t.equal((await post('/auth/password/forgot', { email: 'ada@example.com' })).statusCode, 404)
  t.notOk('mails' in await app.accounts.prune())
})

t.test('a variable of the environment alone turns no mails on', async (t) => {
  process.env.ACCOUNTS_SMTP_URL = 'smtp://localhost'
  t.teardown(() => { delete process.env.ACCOUNTS_SMTP_URL })
  const { app } = await build(t)
  t.throws(() => outbox(app))
})

t.test('what cannot work is refused at the start', async (t) => {
  const wrong: [AccountsOptions, RegExp][] = [
    [{ mail: 'yes' as never }, /mail must be true, false, or its options/],
    [{ mail: true, identifiers: ['username'] }, /mail needs email among the identifiers/],
    [{ mail: { send: async () => {} } }, /mail\.from is needed to send mails; mail\.appName is needed/],
    [{ mail: { ...sent, smtp: 'smtp://localhost' } }, /two ways to one thing/],
    [{ mail: { ...sent, from: 'nobody' } }, /mail\.from must be an address/],
    [{ mail: { ...sent, from: 'A <a@b.de>, C <c@d.de>' } }, /mail\.from must be an address/],
    [{ mail: { links: { base: 'http://app.example.com' } } }, /mail\.links\.base must be/],
    [{ mail: { links: { base: 'https://app.example.com?a' } } }, /mail\.links\.base must be/],
    [{ mail: { links: { verify: '/a#b' } } }, /mail\.links\.verify must be/],
    [{ mail: { links: { base: 'app.example.com' } } }, /mail\.links\.base must be/],
    [{ mail: { smtp: 'http://localhost' } }, /mail\.smtp \(or ACCOUNTS_SMTP_URL\) must be a URL such as/],
    [{ mail: { code: { digits: 4 } } }, /mail\.code\.digits must be >= 6/],
    [{ mail: { locales: { fr: {} } } }, /mail\.locales\.fr lacks kinds\.verify/],
    [{ mail: { templates: { reset: 'x' as never } } }, /mail\.templates must be functions/],
  ]
  for (const [options, message] of wrong) {
    await t.rejects(build(t, options), { code: 'ACCOUNTS_OPTIONS_INVALID', message })
  }
  process.env.NODE_ENV = 'production'
  t.teardown(() => { delete process.env.NODE_ENV })
  await t.rejects(build(t, { mail: true }), { message: /in production; mail\.links\.base is needed in production/ })
})

t.test('a mail is in the language of the app, the user or the browser', async (t) => {
  const { app, mails, signUpWithMail } = await buildWithMail(t, {
    mail: { locale: (user) => user?.username === 'bob' ? 'de' : undefined },
  })
  for (const username of ['ada', 'bob']) await signUpWithMail(username)
  const ask = (email: string, languages: string) => app.inject({
    method: 'POST', url: '/auth/password/forgot', payload: { email }, headers: { 'accept-language': languages },
  })
  await ask('ada@example.com', 'fr;q=0.9, de-AT;q=0.8, en;q=0.1')
  t.match(await mails.next('reset'), { locale: 'de', subject: 'Ein anderes Passwort für Your app' })
})

t.test('texts and whole mails can be those of the app', async (t) => {
  const end: string[] = []
  const { mails, post, signUpWithMail } = await buildWithMail(t, {
    mail: {
      appName: 'R&D',
      locales: { en: { kinds: { reset: { subject: 'For {app}', what: ['{app} & {link-life} <{b}'], action: 'Go', end } } } },
      templates: {
        'password-changed': ({ address, at }) => ({ subject: `a\r\nBcc: b${at.getTime() > 0}`, text: address, html: '' }),
      },
    },
  })
  await signUpWithMail()
  await post('/auth/password/forgot', { username: 'ada' })
  const mail = await mails.next('reset')
  t.match(mail, { subject: 'For R&D', text: /^R&D & an hour <\{b\}\n\nGo:\nhttp:\/\/localhost\/auth\/pages\/reset#/ })
  t.match(mail.html, /<p>R&amp;D &amp; an hour &lt;\{b\}<\/p>/)
  await post('/auth/password/reset', { token: mails.token(mail), new_password: otherPassword })
  t.match(await mails.next('password-changed'), { subject: 'a Bcc: btrue', text: 'ada@example.com' })
})

t.test('links begin as the settings say, whatever a request says', async (t) => {
  const { app, mails, signUpWithMail } = await buildWithMail(t, {
    mail: { links: { base: 'https://app.example.com/app', reset: '/new-password', style: 'query' } },
  })
  await signUpWithMail()
  await app.inject({
    method: 'POST',
    url: '/auth/password/forgot',
    payload: { username: 'ada' },
    headers: { host: 'evil.example', 'x-forwarded-host': 'evil.example' },
  })
  const { text, html } = await mails.next('reset')
  t.match(text, /^https:\/\/app\.example\.com\/app\/new-password\?token=[\w-]{22}\.[\w-]{43}$/m)
  t.notMatch(text + html, /evil/)
})

t.test('a mail that fails is sent again later, with the same id, link and code, and no answer changes', async (t) => {
  const { app, mails, flush, post, signUpWithMail } = await buildWithMail(t)
  await signUpWithMail()
  failMail(app, Object.assign(new Error('Greylisted'), { code: 'EENVELOPE', responseCode: 450 }), 2)
  t.equal((await post('/auth/password/forgot', { username: 'ada' })).statusCode, 202)
  await flush()
  t.same(mails.mails, [])
  const time = clock()
  t.teardown(time.restore)
  for (const wait of ['40s', '80s'] as const) {
    time.advance(wait)
    await flush()
  }
  t.equal(mails.mails.length, 1)
  t.equal((await post('/auth/password/reset', { token: mails.token(mails.last()), new_password: otherPassword }))
    .statusCode, 204)
})

t.test('a mail that is refused for good is given up, and that is told', async (t) => {
  const told: unknown[] = []
  const { subscribe, unsubscribe } = await import('node:diagnostics_channel')
  const note = (event: unknown) => { told.push(event) }
  subscribe('fastify-jwt-accounts:mail-failed', note)
  t.teardown(() => unsubscribe('fastify-jwt-accounts:mail-failed', note))

  const { app, mails, flush, post, signUpWithMail } = await buildWithMail(t)
  await signUpWithMail()
  failMail(app, Object.assign(new Error('550 ada@example.com unknown'), { permanent: true, code: 'EENVELOPE' }))
  await post('/auth/password/forgot', { username: 'ada' })
  await flush()
  const time = clock()
  t.teardown(time.restore)
  time.advance('50m')
  await flush()
  t.same(mails.mails, [])
  t.match(told, [{ data: { kind: 'reset', error: 'EENVELOPE' }, userId: /./ }])
  t.notMatch(JSON.stringify(told), /example\.com/)
})

t.test('a transaction of the app that is rolled back mails nothing, and one that is committed does', async (t) => {
  const { app, mails, flush, signUpWithMail } = await buildWithMail(t)
  const { user } = await signUpWithMail()
  const { orm, users } = app.accounts
  const change = (isGood: boolean) => orm.em.fork().transactional(async (em) => {
    await users.setPassword(user.id, `${otherPassword} ${isGood}`, { em })
    if (!isGood) throw new Error('Not so')
  })
  await t.rejects(change(false), { message: 'Not so' })
  await flush()
  t.same(mails.mails, [])
  await change(true)
  await flush()
  t.match(mails.mails, [{ kind: 'password-changed' }])
})

t.test('the kit says what there is not', async (t) => {
  const { app, mails } = await buildWithMail(t)
  t.throws(() => mails.last(), { message: 'There is no mail' })
  t.throws(() => mails.last('reset', 'ada@example.com'), { message: /no mail of the kind reset to ada@example.com/ })
  await t.rejects(mails.next('reset', { within: 1 }), { message: 'There came no mail of the kind reset' })
  t.throws(() => mails.code({ text: '' }), { message: 'There is not a code in this mail' })
  t.throws(() => outbox(app, { name: 'others' }), errors.OptionsInvalid)
  const real = await build(t, { mail: sent })
  t.throws(() => failMail(real.app, new Error('x')), { message: /really send their mails/ })
  await flushMail(real.app)
  mails.clear()
})

t.test('a mail says for how long its link is good, in words of its language', async (t) => {
  const end: string[] = []
  const closing = { subject: 'x', what: ['<{link-life}>'], action: 'x', end }
  const lives = {
    en: { '1m': 'a minute', '90m': '90 minutes', '1h': 'an hour', '5h': '5 hours', '1d': 'a day', '3d': '3 days' },
    de: {
      '1m': 'eine Minute', '90m': '90 Minuten', '1h': 'eine Stunde', '5h': '5 Stunden', '1d': 'einen Tag', '3d': '3 Tage',
    },
  }
  const cases = Object.entries(lives).flatMap(([locale, words]) =>
    Object.entries(words).map(([grace, life]) => ({ locale, grace: grace as '1m', life })))
  for (const { locale, grace, life } of cases) {
    const { app, mails, signUpWithMail } = await buildWithMail(t, {
      closing: { grace }, mail: { locale: () => locale, locales: { [locale]: { kinds: { closing } } } },
    })
    const { access_token: token } = await signUpWithMail()
    await app.accounts.orm.em.getConnection().execute('update accounts_users set email_verified_at = created_at')
    await app.inject({ method: 'DELETE', url: '/auth/me', headers: bearer(token) })
    t.match((await mails.next('closing')).text.split('\n')[0], `<${life}>`)
  }
})

t.test('a notice for somebody who is deleted before it is sent reaches nobody', async (t) => {
  const { app, mails, flush, signUpWithMail } = await buildWithMail(t, { mail: { worker: false } })
  const { user } = await signUpWithMail()
  const { users } = app.accounts
  await users.setPassword(user.id, otherPassword)
  await users.delete(user.id)
  await flush()
  t.same(mails.mails, [])
})

t.test('an address without an account is told so as often as it would get mails, and then no more', async (t) => {
  const { mails, flush, post } = await buildWithMail(t, {
    mail: { unknown: 'tell' }, throttle: { mail: { address: 2, network: 100 } },
  })
  const ask = () => post('/auth/password/forgot', { email: 'nobody@example.com' })
  await ask()
  await ask()
  await flush()
  t.equal(mails.mails.length, 1, 'one a minute')
  const time = clock()
  t.teardown(time.restore)
  time.advance('61s')
  await flush()
  t.equal(mails.mails.length, 2)
  time.advance('61s')
  await ask()
  await flush()
  time.advance('61s')
  await flush()
  t.equal(mails.mails.length, 2)
})

t.test('mails are deleted a month after they came, and what they prove once it is over', async (t) => {
  const { app, post, flush, signUpWithMail } = await buildWithMail(t)
  await signUpWithMail()
  await post('/auth/password/forgot', { username: 'ada' })
  await flush()
  const { prune, mail } = app.accounts
  t.match(await prune(), { mails: 0, oneTime: 0 })
  const time = clock()
  t.teardown(time.restore)
  time.advance('3h')
  t.match(await prune(), { mails: 0, oneTime: 1 })
  time.advance('29d')
  t.match(await prune(), { mails: 0, oneTime: 0 })
  t.equal((await mail.list()).mails.length, 1)
  time.advance('1d')
  t.match(await prune(), { mails: 1, oneTime: 0 })
  t.same((await mail.list()).mails, [])
})

t.test('nothing that somebody typed is in a mail, but for what who may invite writes', async (t) => {
  const { app, mails, flush } = await buildWithMail(t, {
    user: { fields: { displayName: Type.String() } },
    mail: { unknown: 'tell', links: { login: '/welcome', invite: '/join' } },
    email: { verification: 'offered' },
    routes: { emailLogin: true, invitations: true },
    closing: { grace: '7d' },
  })
  const evil = 'evil.example'
  const headers = { 'user-agent': `Win at ${evil} Firefox/140`, 'accept-language': `de, ${evil}` }
  const say = (method: 'POST' | 'PUT' | 'DELETE', url: string, payload?: object, token?: string) =>
    app.inject({ method, url, headers: { ...headers, ...bearer(token) }, ...payload && { payload } })
  const ada = { username: `win-${evil}`, email: 'ada@example.com', password, displayName: `http://${evil}` }
  const { access_token: token, user } = (await say('POST', '/auth/register', ada)).json()
  await say('POST', '/auth/email/verify', { token: mails.token(await mails.next('verify')) })
  await say('PUT', '/auth/email', { email: 'ada@new.example' }, token)
  await say('POST', '/auth/email/change', { token: mails.token(await mails.next('change')) })
  await say('POST', '/auth/password/forgot', { username: ada.username })
  await say('POST', '/auth/password/forgot', { email: 'nobody@example.com' })
  await say('POST', '/auth/login/email', { email: 'ada@new.example' })
  await say('POST', '/auth/login', { username: ada.username, password })
  await app.accounts.users.setRoles(user.id, ['admin'])
  const { access_token: own } = (await say('POST', '/auth/login', { username: ada.username, password })).json()
  await say('POST', '/auth/invitations', { email: 'eve@example.com', data: { note: evil, public: evil } }, own)
  await flush()
  await app.accounts.users.setRoles(user.id, [])
  await say('DELETE', '/auth/me', undefined, own)
  await flush()
  t.ok(new Set(mails.mails.map(({ kind }) => kind)).size >= 7, mails.mails.map(({ kind }) => kind).join())
  for (const { kind, subject, text, html, headers } of mails.mails) {
    t.notMatch(JSON.stringify([subject, text, html, headers]), evil, kind)
  }
})
