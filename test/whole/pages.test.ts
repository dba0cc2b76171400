// In a process of its own, for 40 s: it opens a browser.
import type { BrowserContextOptions, Page } from 'playwright-core'
import t, { type Test } from 'tap'
import type { AccountsOptions } from '../../lib/index.ts'
import { password } from '../support/build.ts'
import { buildWithMail, otherPassword } from '../support/mail.ts'
import { checkAccess, checkWidth, openChromium } from './example/pages.ts'

let chromium: Awaited<ReturnType<typeof openChromium>>

t.before(async () => {
  chromium = await openChromium(t)
})

/** An app on a socket with a page of its own, and Ada, whose browser has asked for the mails that she gets. */
async function world (t: Test, options: AccountsOptions = {}) {
  const built = await buildWithMail(t, { transport: 'both', email: {}, closing: { grace: '7d' }, ...options })
  const { app, mails } = built
  app.get('/', (_, reply) => reply.type('text/html').send('<!doctype html><title>App</title>'))
  const api = (await app.listen({ port: 0, host: '127.0.0.1' })).replace('127.0.0.1', 'localhost')

  const open = async (options: BrowserContextOptions = {}) =>
    (await chromium.openBrowser(t, options)).newPage()
  const ask = (page: Page, path: string, body: object, method = 'POST') => page.evaluate(async (given) => {
    const { path, body, method } = given
    const headers = { 'content-type': 'application/json' }
    const answer = await fetch(path, { method, headers, body: JSON.stringify(body) })
    return answer.status
  }, { path, body, method })

  const asker = await open()
  await asker.goto(api)
  await ask(asker, '/auth/register', { username: 'ada', email: 'ada@example.com', password, transport: 'cookie' })
  const linkOf = async (kind: Parameters<typeof mails.next>[0]) => /http:\S+/.exec((await mails.next(kind)).text)![0]
  return { ...built, api, open, asker, ask, linkOf }
}

type World = Awaited<ReturnType<typeof world>>

async function choose (page: Page, password = otherPassword) {
  await page.getByLabel('New password').fill(password)
  await page.getByRole('button', { name: 'Change password' }).click()
}

t.test('a password is chosen by a link, which is in the address bar no more and posts only when it is told to', async (t) => {
  const { ask, asker, open, linkOf, login } = await world(t)
  await ask(asker, '/auth/password/forgot', { email: 'ada@example.com' })
  const link = await linkOf('reset')
  for (const given of [link, link.replace('#', '%23'), link.replace('#', '?token=')]) {
    const page = await open()
    await page.goto(given)
    t.equal(page.url(), new URL('/auth/pages/reset', link).href)
    t.notOk(await page.getByLabel('Code from the mail').isVisible())
    await page.getByLabel('New password').fill('short')
    await page.getByRole('button').click()
    t.equal((await login('ada', password)).statusCode, 200, 'nothing has happened')
  }
  const page = await open()
  await page.goto(link)
  await choose(page)
  await page.getByRole('status').filter({ hasText: 'Your password is changed' }).waitFor()
  t.equal((await login('ada', otherPassword)).statusCode, 200)
  t.notMatch(await page.content(), link.split('#')[1]!)
})

t.test('without JavaScript a password is chosen by the code, where the mail was asked for', async (t) => {
  const { api, ask, asker, open, mails, login } = await world(t)
  await ask(asker, '/auth/password/forgot', { email: 'ada@example.com' })
  const code = mails.code(await mails.next('reset'))
  const page = await open({ javaScriptEnabled: false, storageState: await asker.context().storageState() })
  await page.goto(`${api}/auth/pages/reset`)
  await page.getByLabel('Code from the mail').fill(code)
  await choose(page)
  await page.getByRole('status').filter({ hasText: 'Your password is changed' }).waitFor()
  t.equal((await login('ada', otherPassword)).statusCode, 200)
})

t.test('an address is verified by a press where it was given, and elsewhere with the code', async (t) => {
  for (const isElsewhere of [false, true]) {
    const { app, asker, open, linkOf, mails } = await world(t)
    const page = isElsewhere ? await open() : asker
    await page.goto(await linkOf('verify'))
    await page.getByRole('button', { name: 'Verify address' }).click()
    if (isElsewhere) {
      await page.getByRole('alert').filter({ hasText: 'not the browser in which you began' }).waitFor()
      await page.getByLabel('Code from the mail').fill(mails.code(mails.last('verify')))
      await page.getByRole('button').click()
    }
    await page.getByRole('status').filter({ hasText: 'is verified' }).waitFor()
    t.ok((await app.accounts.users.find('ada'))!.email_verified)
  }
})

/** What is asked for by who has an account, and what comes of it. */
function account (world: World) {
  const { app, ask, asker, login } = world
  return {
    signIn: () => ask(asker, '/auth/login', { username: 'ada', password, transport: 'cookie' }),
    send: (path: string, body: object, method = 'POST') => ask(asker, path, body, method),
    user: async () => (await app.accounts.users.find('ada'))!,
    codeOfLogin: async (given: string) => (await login('ada', given)).json().code,
  }
}

for (const width of [1280, 390]) {
  for (const colorScheme of ['light', 'dark'] as const) {
    const look = { viewport: { width, height: 844 }, colorScheme }

    t.test(`at ${width} px, ${colorScheme}, links change an address, take it back, and keep an account`, async (t) => {
      const built = await world(t)
      const { open, linkOf } = built
      const { send, signIn, user, codeOfLogin } = account(built)
      const page = await open({ ...look, storageState: await built.asker.context().storageState() })
      const isDone = async (page: Page, text: string) => {
        await page.getByRole('status').filter({ hasText: text }).waitFor()
        await checkWidth(t, page)
        await checkAccess(t, page)
      }
      const press = (page: Page) => page.getByRole('button').click()
      await page.goto(await linkOf('verify'))
      await press(page)
      await isDone(page, 'is verified')

      t.equal(await send('/auth/email', { email: 'lovelace@example.com' }, 'PUT'), 202)
      await page.context().addCookies(await built.asker.context().cookies())
      await page.goto(await linkOf('change'))
      t.equal((await user()).email, 'ada@example.com', 'a page changes nothing')
      await press(page)
      await isDone(page, 'address')
      t.match(await user(), { email: 'lovelace@example.com', email_verified: true })

      const elsewhere = await open(look)
      await elsewhere.goto(await linkOf('email-changed'))
      await elsewhere.getByLabel('address').fill('lovelace@example.com')
      await press(elsewhere)
      await elsewhere.getByRole('alert').waitFor()
      await elsewhere.getByLabel('address').fill('ada@example.com')
      await press(elsewhere)
      await isDone(elsewhere, 'address')
      t.match(await user(), { email: 'ada@example.com', email_verified: true })
      t.equal(await send('/auth/sessions', {}, 'DELETE'), 401, 'every session is over')
      t.equal(await codeOfLogin(password), 'ACCOUNTS_PASSWORD_RESET_REQUIRED')

      await elsewhere.goto(await linkOf('reset'))
      await choose(elsewhere, password)
      await isDone(elsewhere, 'Your password is changed')
      t.equal(await signIn(), 200)

      t.equal(await send('/auth/me', {}, 'DELETE'), 202)
      t.equal(await codeOfLogin(password), 'ACCOUNTS_CLOSING')
      await elsewhere.goto(await linkOf('closing'))
      await elsewhere.getByLabel('address').fill('ada@example.com')
      await press(elsewhere)
      await isDone(elsewhere, 'account')
      t.equal(await signIn(), 200)
    })

    t.test(`at ${width} px, ${colorScheme}, without JavaScript codes and pasted links do as much`, async (t) => {
      const built = await world(t)
      const { api, asker, mails, open, linkOf } = built
      const { send, signIn, user } = account(built)
      const page = await open({ ...look, javaScriptEnabled: false })
      /** In the browser that has asked for the mail, whose cookie binds the code. */
      const type = async (name: string, text: string, fill?: () => Promise<void>) => {
        await page.context().addCookies(await asker.context().cookies())
        await page.goto(`${api}/auth/pages/${name}`)
        await page.getByRole('textbox').first().fill(text)
        await fill?.()
        t.ok((await page.locator('main').boundingBox())!.width <= width, 'nothing sticks out')
        await page.getByRole('button').click()
        await page.getByRole('status').waitFor()
      }
      await type('verify', mails.code(await mails.next('verify')))
      t.ok((await user()).email_verified)

      await send('/auth/email', { email: 'lovelace@example.com' }, 'PUT')
      await type('change', mails.code(await mails.next('change')))
      t.match(await user(), { email: 'lovelace@example.com', email_verified: true })

      await type('revert', await linkOf('email-changed'))
      t.equal((await user()).email, 'ada@example.com')

      await send('/auth/password/forgot', { username: 'ada' })
      await mails.next('reset')
      await type('reset', mails.code(await mails.next('reset')), () =>
        page.getByLabel('New password').fill(password))
      t.equal(await signIn(), 200)

      t.equal(await send('/auth/me', {}, 'DELETE'), 202)
      await type('restore', await linkOf('closing'))
      t.equal(await signIn(), 200)
    })
  }
}

t.test('a scanner of mails, which opens each link and presses each button, uses up nothing', async (t) => {
  const { app, ask, asker, open, mails, linkOf, login, post } = await world(t)
  await ask(asker, '/auth/password/forgot', { email: 'ada@example.com' })
  const [verify, reset] = [await mails.next('verify'), await linkOf('reset')]
  const links = [...verify.text.match(/http:\S+/g)!, reset]
  t.equal(links.length, 3, 'verify, disown and reset')

  const before = await app.accounts.users.find('ada')
  const scanner = await open()
  for (const link of links) {
    for (const form of [link, link.replace('#', '%23')]) {
      await scanner.request.head(form)
      await scanner.goto(form)
      // Once more on what comes of the first press.
      for (let press = 0; press < 2; press++) {
        for (const button of await scanner.getByRole('button').all()) await button.click()
        await scanner.waitForLoadState()
      }
    }
  }
  t.strictSame(await app.accounts.users.find('ada'), before)
  t.strictSame(await scanner.context().cookies(), [])
  t.equal((await login('ada', password)).statusCode, 200)
  t.equal((await post('/auth/email/verify', { token: mails.token(verify) })).statusCode, 204, 'still good')
  const chosen = await post('/auth/password/reset', { token: reset.split('#')[1]!, new_password: otherPassword })
  t.equal(chosen.statusCode, 204)
})

t.test('the pages stand in nobody\'s way, in light and dark, on a desk and a phone', async (t) => {
  const { open, linkOf } = await world(t)
  const link = await linkOf('verify')
  for (const width of [1280, 390]) {
    const page = await open({ viewport: { width, height: 844 } })
    for (const name of ['reset', 'verify', 'change', 'disown', 'revert', 'restore']) {
      for (const hash of ['', `#${link.split('#')[1]}`]) {
        await page.goto('about:blank')
        await page.goto(`${new URL(`/auth/pages/${name}`, link).href}${hash}`)
        await checkWidth(t, page)
        if (width === 1280) await checkAccess(t, page)
      }
    }
  }
})

t.test('mails read well in light and dark, in programs that run nothing', async (t) => {
  const { app, ask, asker, mails, open } = await world(t, { closing: {} })
  await app.accounts.users.setPassword((await app.accounts.users.find('ada'))!.id, otherPassword)
  await ask(asker, '/auth/password/forgot', { username: 'ada' })
  const page = await open({ viewport: { width: 390, height: 844 } })
  for (const kind of ['verify', 'password-changed', 'reset'] as const) {
    await page.setContent((await mails.next(kind)).html)
    await checkWidth(t, page)
    await checkAccess(t, page, { runOnly: ['wcag2a', 'wcag2aa'] })
    await page.emulateMedia({ colorScheme: 'dark' })
    t.equal(await page.evaluate(() => getComputedStyle(document.body).color), 'rgb(233, 236, 240)')
    await page.emulateMedia({ colorScheme: null })
  }
})

t.test('the outbox shows a mail as it looks, in a frame that can do nothing', async (t) => {
  const html = '<p style="color: red">Hi<script>top.stop()</script><img src="http://tracker.test/a.png"></p>'
  const { api, mails } = await world(t, { mail: { templates: { verify: () => ({ subject: 'Hello', text: '', html }) } } })
  await mails.next('verify')
  const page = await (await chromium.openBrowser(t)).newPage()
  const asked: string[] = []
  page.on('requestfinished', (request) => asked.push(new URL(request.url()).hostname))
  await page.goto(`${api}/auth/outbox`)
  const written = page.frameLocator('iframe').getByText('Hi')
  t.equal(await written.evaluate((element) => getComputedStyle(element).color), 'rgb(255, 0, 0)')
  t.notOk(asked.includes('tracker.test'))
})

t.test('no page has complained', (t) => {
  // But for the script and the image of the mail in the outbox.
  t.strictSame(chromium.complaints.filter((text) => !/about:srcdoc|tracker\.test/.test(text)), [])
  t.end()
})
