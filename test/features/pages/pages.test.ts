import t, { type Test } from 'tap'
import type { AccountsOptions } from '../../../lib/index.ts'
import { build, password } from '../../support/build.ts'
import { browser } from '../../support/browser.ts'
import { buildWithMail, otherPassword } from '../../support/mail.ts'

const cookies: AccountsOptions = { transport: 'both' }
const offered: AccountsOptions = { ...cookies, email: {} }

/** An app with mails, Ada, a browser of hers, and a mail that she has asked for in it. */
async function asked (t: Test, options: AccountsOptions = cookies) {
  const built = await buildWithMail(t, options)
  await built.signUpWithMail()
  const page = browser(built.app)
  await page.post('/auth/password/forgot', { email: 'ada@example.com' })
  const mail = await built.mails.next('reset')
  const link = /http:\S+/.exec(mail.text)![0]
  return { ...built, page, mail, link, token: built.mails.token(mail), code: built.mails.code(mail) }
}

/** As a browser sends a form of a page of the app's own. */
const send = (page: ReturnType<typeof browser>, name: string, fields: Record<string, string>, site = 'same-origin') =>
  page.post(`/auth/pages/${name}`, new URLSearchParams(fields).toString(), {
    'content-type': 'application/x-www-form-urlencoded', 'sec-fetch-site': site, origin: 'null',
  })

t.test('a link leads to a page that is the same for everybody and takes nothing from elsewhere', async (t) => {
  const { page, link } = await asked(t)
  const { pathname, hash } = new URL(link)
  t.equal(pathname, '/auth/pages/reset')
  const answer = await page.get(`${pathname}${hash}`)
  t.equal(answer.statusCode, 200)
  t.match(answer.headers, {
    'content-type': 'text/html; charset=utf-8',
    'cache-control': 'no-store',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
  })
  const hashed = "'sha256-[\\w+/=]{44}'"
  t.match(String(answer.headers['content-security-policy']), new RegExp(`^default-src 'none'; script-src ${hashed}; ` +
    `style-src ${hashed}; form-action 'self'; base-uri 'none'; frame-ancestors 'none'$`))
  t.match(answer.body, /<html lang="en">.*<h1>Choose another password<\/h1>/s)
  t.equal((await page.get('/auth/pages/reset')).body, answer.body)
  t.notMatch(answer.body, /(?:src|href)=/)
})

t.test('nothing is used up by GET, HEAD or OPTIONS', async (t) => {
  const { page, token, login } = await asked(t)
  for (const method of ['GET', 'HEAD', 'OPTIONS'] as const) {
    for (const path of [`pages/reset?token=${token}`, `pages/reset%23${token}`]) {
      t.equal((await page.send(method, `/auth/${path}`)).statusCode, method === 'OPTIONS' ? 404 : 200, path)
    }
    t.equal((await page.send(method, `/auth/password/reset?token=${token}&new_password=${password}`)).statusCode, 404)
  }
  t.equal((await login('ada', password)).statusCode, 200)
  t.equal((await send(page, 'reset', { token, new_password: otherPassword })).statusCode, 200)
})

t.test('the form takes the token of the link, and signs nobody in', async (t) => {
  const { page, token, login } = await asked(t)
  const answer = await send(page, 'reset', { token, new_password: otherPassword })
  t.equal(answer.statusCode, 200)
  t.match(answer.body, /role="status">Your password is changed.*href="\/">Go on to Your app/s)
  t.notMatch(answer.body, /<form/)
  t.strictSame(answer.cookies, [])
  t.equal((await login('ada', otherPassword)).statusCode, 200)
  t.match((await send(page, 'reset', { token, new_password: otherPassword })).body, /not good any more/, 'once')
})

t.test('without JavaScript it takes the code, in the browser that asked', async (t) => {
  const { app, page, code, login } = await asked(t)
  const elsewhere = await send(browser(app), 'reset', { token: '', code, new_password: otherPassword })
  t.equal(elsewhere.statusCode, 400)
  t.match(elsewhere.body, /role="alert">A code is good in the browser in which you asked/)
  t.equal((await login('ada', password)).statusCode, 200)

  const wrong = code.replace(/\d$/, (digit) => `${(Number(digit) + 1) % 10}`)
  t.equal((await send(page, 'reset', { token: '', code: wrong, new_password: otherPassword })).statusCode, 400)
  const answer = await send(page, 'reset', { token: '', code: ` ${code.slice(0, 4)} ${code.slice(4)}`, new_password: otherPassword })
  t.equal(answer.statusCode, 200)
  t.equal((await login('ada', otherPassword)).statusCode, 200)
})

t.test('and in any other browser the whole link, pasted where the code goes', async (t) => {
  for (const options of [cookies, {}]) {
    const { app, link, login } = await asked(t, options)
    t.equal((await send(browser(app), 'reset', { code: ` ${link} `, new_password: otherPassword })).statusCode, 200)
    t.equal((await login('ada', otherPassword)).statusCode, 200)
  }
})

t.test('a press alone keeps no account: whoever presses types the address that the mail went to, or pastes its link', async (t) => {
  for (const isPasted of [false, true]) {
    const { app, mails, signUpWithMail, login } = await buildWithMail(t, { closing: { grace: '7d' } })
    const { access_token: token } = await signUpWithMail()
    // As if the address had been proved: nobody else is told.
    await app.accounts.orm.em.getConnection().execute('update accounts_users set email_verified_at = created_at')
    await app.inject({ method: 'DELETE', url: '/auth/me', headers: { authorization: `Bearer ${token}` } })
    const mail = await mails.next('closing')
    const [link, linked] = [/http:\S+/.exec(mail.text)![0], { token: mails.token(mail), code: '' }]
    const page = browser(app)
    t.match((await page.get(new URL(link).pathname)).body, /Link from the mail.*data-linked hidden disabled.*type="email"/s)

    for (const typed of [{}, { email: '' }, { email: 'eve@example.com' }]) {
      const answer = await send(page, 'restore', { ...linked, ...typed })
      t.equal(answer.statusCode, 400)
      t.match(answer.body, /The mail did not come to this address.*value="[\w.-]{66}".*<fieldset data-linked>\s*<label/s)
    }
    t.match((await send(page, 'restore', { code: 'nothing' })).body, /paste the whole link/)
    t.match((await login('ada', password)).json(), { code: 'ACCOUNTS_CLOSING' })
    const done = await send(page, 'restore', isPasted ? { code: link } : { ...linked, email: ' Ada@Example.com' })
    t.match(done.body, /Your account stays/)
    t.equal((await login('ada', password)).statusCode, 200)
    t.equal((await send(page, 'restore', { ...linked, email: 'ada@example.com' })).statusCode, 400, 'once')
  }
})

t.test('an address is verified by a press in the browser that asked, and in any other with the code', async (t) => {
  for (const isElsewhere of [false, true]) {
    const { app, mails } = await buildWithMail(t, offered)
    const asker = browser(app)
    await asker.post('/auth/register', { username: 'ada', email: 'ada@example.com', password, transport: 'cookie' })
    const mail = await mails.next('verify')
    const [token, code] = [mails.token(mail), mails.code(mail)]
    const isVerified = async () => (await app.accounts.users.find('ada'))!.email_verified

    const page = isElsewhere ? browser(app) : asker
    if (isElsewhere) {
      for (const typed of [{}, { code: '' }, { code: '0' }, { email: 'ada@example.com' }]) {
        const answer = await send(page, 'verify', { token, ...typed })
        t.equal(answer.statusCode, 400)
        t.match(answer.body, /role="alert">This is not the browser in which you began.*<div><label for="code">/s)
        t.notMatch(answer.body, '<fieldset')
        t.notOk(await isVerified())
      }
    }
    const answer = await send(page, 'verify', { token, ...isElsewhere && { code: ` ${code} ` } })
    t.match(answer.body, /Your address is verified/)
    t.ok(await isVerified())
  }
})

t.test('without JavaScript an address is verified by the code in the browser that asked, or by a pasted link', async (t) => {
  for (const isPasted of [false, true]) {
    const { app, mails } = await buildWithMail(t, offered)
    const page = browser(app)
    await page.post('/auth/register', { username: 'ada', email: 'ada@example.com', password, transport: 'cookie' })
    const mail = await mails.next('verify')
    const typed = isPasted ? /http:\S+/.exec(mail.text)![0] : mails.code(mail)
    t.equal((await send(isPasted ? browser(app) : page, 'verify', { token: '', code: typed })).statusCode, 200)
    t.ok((await app.accounts.users.find('ada'))!.email_verified)
  }
})

t.test('who got a mail by mistake takes the address away, and types it for that', async (t) => {
  const { app, mails, signUpWithMail } = await buildWithMail(t, { email: {} })
  await signUpWithMail()
  const mail = await mails.next('verify')
  t.match(mail.text, '/auth/pages/disown#')
  const token = mails.token(mail)
  const page = browser(app)
  t.equal((await send(page, 'disown', { token })).statusCode, 400)
  t.equal((await app.accounts.users.find('ada'))!.email, 'ada@example.com')
  t.match((await send(page, 'disown', { token, email: 'ada@example.com' })).body, /the account has your address no more/)
  t.equal((await app.accounts.users.find('ada'))!.email, null)
})

t.test('who got an invitation by mistake makes it void, and types the address for that', async (t) => {
  const { app, mails, post } = await buildWithMail(t, {
    mail: { links: { invite: '/join' } }, routes: { invitations: true },
  })
  await app.accounts.invitations.create({ email: 'ada@example.com' })
  const mail = await mails.next('invite')
  t.match(mail.text, /This was not for me:\nhttp:\/\/localhost\/auth\/pages\/disown#/)
  const token = mails.token(mail)
  const page = browser(app)
  for (const typed of [{}, { email: 'eve@example.com' }]) {
    t.equal((await send(page, 'disown', { token, ...typed })).statusCode, 400)
  }
  t.equal((await post('/auth/invitations/show', { token })).statusCode, 200)
  t.match((await send(page, 'disown', { token, email: 'ada@example.com' })).body, /the invitation is void/)
  t.equal((await post('/auth/invitations/show', { token })).statusCode, 400)
  t.match((await send(page, 'disown', { token, email: 'ada@example.com' })).body, /not good any more/)
})

t.test('another address is confirmed with its code in any browser, and taken back with the old address', async (t) => {
  const { app, mails, post, signUpWithMail } = await buildWithMail(t, { ...cookies, email: { confirmOld: true } })
  const { access_token: access } = await signUpWithMail()
  const authorization = { authorization: `Bearer ${access}` }
  const emailOf = async () => (await app.accounts.users.find('ada'))!.email
  await post('/auth/email/verify/send', {}, access)
  await post('/auth/email/verify', { token: mails.token(await mails.next('verify')) })
  await app.inject({ method: 'PUT', url: '/auth/email', payload: { email: 'ada@new.example' }, headers: authorization })

  const page = browser(app)
  const first = await mails.next('change-from')
  t.equal((await send(page, 'change', { token: mails.token(first) })).statusCode, 400)
  const half = await send(page, 'change', { token: mails.token(first), code: mails.code(first) })
  t.match(half.body, /role="status">Another mail is on its way to the new address/)
  const second = await mails.next('change')
  t.match((await send(page, 'change', { token: mails.token(second) })).body, /Your account has another address/,
    'the browser that went on is the one that asked')
  t.equal(await emailOf(), 'ada@new.example')

  const token = mails.token(await mails.next('email-changed'))
  t.equal((await send(page, 'revert', { token })).statusCode, 400)
  t.equal((await send(page, 'revert', { token, email: 'ada@new.example' })).statusCode, 400)
  await signUpWithMail('eve', 'ada@example.com')
  t.match((await send(page, 'revert', { token, email: 'ada@example.com' })).body, /Somebody else has this address/)
  await app.accounts.users.delete((await app.accounts.users.find('eve'))!.id)
  t.match((await send(page, 'revert', { token, email: 'ada@example.com' })).body, /The address is as before/)
  t.equal(await emailOf(), 'ada@example.com')
})

t.test('what is wrong is said on the page, with the status of the route, and a link stays there while it is good', async (t) => {
  const { page, token } = await asked(t)
  const short = await send(page, 'reset', { token, new_password: 'short' })
  t.equal(short.statusCode, 400)
  t.match(short.body, /role="alert">The password must have at least 15 characters\.</)
  t.match(short.body, `name="token" value="${token}"`)
  t.notMatch(short.body, /name="code"/)
  t.notMatch(short.body, /short"/)

  const bad = await send(page, 'reset', { token: `${'x'.repeat(22)}.${'y'.repeat(43)}`, new_password: otherPassword })
  t.equal(bad.statusCode, 400)
  t.match(bad.body, /name="token" value="".*name="code"/s)
  t.match((await send(page, 'reset', { token: '"><b>', new_password: '' })).body, /value="".*name="code"/s)
  t.equal((await send(page, 'reset', { token })).statusCode, 400, 'a press without a password')
  t.equal((await send(page, 'reset', { token, new_password: otherPassword })).statusCode, 200)
})

t.test('an error of the app says itself what is wrong, and any other is no page', async (t) => {
  let status = 409
  const { page, token } = await asked(t, {
    ...cookies, hooks: { onReclaim: () => { throw Object.assign(new Error('Not <now>'), { statusCode: status }) } },
  })
  const answer = await send(page, 'reset', { token, new_password: otherPassword })
  t.equal(answer.statusCode, 409)
  t.match(answer.body, 'Not &lt;now&gt;')
  status = 500
  const failed = await send(page, 'reset', { token, new_password: otherPassword })
  t.match(failed.json(), { statusCode: 500, message: 'Internal Server Error' })
})

t.test('texts of the app for errors stand on the page too, unless a function of theirs fails', async (t) => {
  let isDown = false
  const { app, page, token, code } = await asked(t, {
    ...cookies,
    messages: {
      ACCOUNTS_PROOF_INVALID: 'Ask <again>',
      ACCOUNTS_INPUT_INVALID: 'Wrong input',
      ACCOUNTS_PASSWORD_REJECTED (request, message) {
        if (isDown) throw new Error('No texts')
        return `${request.url}: ${message}`
      },
    },
  })
  const said = async (fields: Record<string, string>, from = page) =>
    /role="alert">([^<]*)</.exec((await send(from, 'reset', fields)).body)![1]
  t.equal(await said({ code: '0', new_password: otherPassword }), 'Ask &lt;again&gt;')
  t.match(await said({ token, new_password: 'short' }), /^\/auth\/pages\/reset: The password must have at least 15 characters$/)
  isDown = true
  t.match(await said({ token, new_password: 'short' }), /^The password must have at least 15 characters\.$/)
  t.match(await said({ code, new_password: otherPassword }, browser(app)), /^A code is good in the browser/,
    'what to do there, no text for programs tells')
})

t.test('a page of another origin cannot send the form, and no form goes to the routes', async (t) => {
  const { page, token, login } = await asked(t)
  for (const site of ['cross-site', 'same-site', '']) {
    const answer = await send(page, 'reset', { token, new_password: otherPassword }, site)
    t.match(answer.json(), { statusCode: 403, code: 'ACCOUNTS_CSRF_FAILED' }, site)
  }
  const named = await asked(t, { ...cookies, csrf: { trustedOrigins: ['https://app.example.com'] } })
  const old = await send(named.page, 'reset', { token: named.token, new_password: otherPassword }, '')
  t.equal(old.statusCode, 403, 'of a browser that does not say where it comes from, whatever origins are trusted')
  const form = new URLSearchParams({ token, new_password: otherPassword }).toString()
  const answer = await page.post('/auth/password/reset', form, { 'content-type': 'application/x-www-form-urlencoded' })
  t.equal(answer.statusCode, 415)
  t.equal((await login('ada', password)).statusCode, 200)
})

t.test('fields that no page has are refused', async (t) => {
  const { page, token } = await asked(t)
  t.equal((await send(page, 'reset', { token, username: 'ada' })).statusCode, 400)
})

t.test('the page speaks the language of the browser, or of the app', async (t) => {
  const { app } = await buildWithMail(t, {
    mail: { appName: 'Löwe & Co', locales: { en: { pages: { fields: { code: { label: 'The code', hint: '' } } } } } },
  })
  const get = async (languages: string) =>
    (await app.inject({ url: '/auth/pages/reset', headers: { 'accept-language': languages } })).body
  t.match(await get('de-AT, en;q=0.5'), /<html lang="de">.*<p class="app">Löwe &amp; Co.*Mindestens 15 Zeichen/s)
  t.match(await get('fr'), /<html lang="en">.*The code/s)

  const { page, token } = await asked(t, { mail: { locale: () => 'de' } })
  const refused = await send(page, 'reset', { token, new_password: 'kurz' })
  t.match(refused.body, /<html lang="de">.*role="alert">Dieses Passwort geht nicht/s)
})

/** Paths of an app that has a page for each link. */
const ownPages = Object.fromEntries(['verify', 'change', 'revert', 'reset', 'disown'].map((name) => [name, `/${name}`]))

t.test('there is no page where the app has one, its route is off, pages are, or nobody knows the name', async (t) => {
  const off: [AccountsOptions, string][] = [
    [{ mail: { links: { reset: '/reset' } } }, 'reset'],
    [{ routes: { resetPassword: false } }, 'reset'],
    [{ mail: { pages: false, links: ownPages } }, 'reset'],
    [{}, 'login'],
    [{}, 'nothing'],
    [{}, 'constructor'],
  ]
  for (const [options, name] of off) {
    const { app } = await buildWithMail(t, options)
    t.equal((await app.inject(`/auth/pages/${name}`)).statusCode, 404, name)
    t.equal((await send(browser(app), name, {})).statusCode, 404, name)
  }
})

t.test('a token that a gateway has put into the path reaches no log', async (t) => {
  const lines: string[] = []
  const { app } = await build(t, { mail: true }, { logger: { stream: { write: (line: string) => lines.push(line) } } })
  const token = `${'x'.repeat(22)}.${'y'.repeat(43)}`
  for (const name of ['reset', 'nothing']) await app.inject(`/auth/pages/${name}%23${token}`)
  await app.inject('/open')
  t.match(lines.join(''), '/open')
  t.notMatch(lines.join(''), token)
})
