// In a process of its own, for 20 s: it opens a browser.
import axe from 'axe-core'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import t, { type Test } from 'tap'
import type { AccountsOptions } from '../../lib/index.ts'
import { password } from '../support/build.ts'
import { buildWithMail, otherPassword } from '../support/mail.ts'
import { launchChromium } from './example/run.ts'

let chromium: Browser

/** What pages complained of, such as a break of the policy. The last test looks at it. */
const complaints: string[] = []

t.before(async () => {
  chromium = await launchChromium()
  t.teardown(() => chromium.close())
})

/** An app on a socket with a page of its own, and Ada, whose browser has asked for the mails that she gets. */
async function world (t: Test, options: AccountsOptions = {}) {
  const built = await buildWithMail(t, { transport: 'both', email: {}, closing: { grace: '7d' }, ...options })
  const { app, mails } = built
  app.get('/', (_, reply) => reply.type('text/html').send('<!doctype html><title>App</title>'))
  const api = (await app.listen({ port: 0, host: '127.0.0.1' })).replace('127.0.0.1', 'localhost')

  async function open (options: BrowserContextOptions = {}) {
    const context = await chromium.newContext(options)
    t.teardown(() => context.close())
    context.setDefaultTimeout(300_000)
    const page = await context.newPage()
    page.on('console', (message) => {
      if (/Content.Security|Refused/i.test(message.text())) complaints.push(message.text())
    })
    page.on('pageerror', (error) => complaints.push(error.message))
    return page
  }
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

async function choose (page: Page) {
  await page.getByLabel('New password').fill(otherPassword)
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
        t.equal(await page.evaluate(() => document.documentElement.scrollWidth), width, 'nothing sticks out')
        if (width === 390) continue
        await page.evaluate(axe.source)
        for (const colorScheme of ['light', 'dark'] as const) {
          await page.emulateMedia({ colorScheme })
          const { violations } = await page.evaluate(() => (globalThis as unknown as { axe: typeof axe }).axe.run())
          const found = violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])
          t.strictSame(found, [], `${name} ${colorScheme}`)
        }
      }
    }
  }
})

t.test('the outbox shows a mail as it looks, in a frame that can do nothing', async (t) => {
  const html = '<p style="color: red">Hi<script>top.stop()</script><img src="http://tracker.test/a.png"></p>'
  const { api, mails } = await world(t, { mail: { templates: { verify: () => ({ subject: 'Hello', text: '', html }) } } })
  await mails.next('verify')
  const context = await chromium.newContext()
  t.teardown(() => context.close())
  const page = await context.newPage()
  const asked: string[] = []
  page.on('requestfinished', (request) => asked.push(new URL(request.url()).hostname))
  await page.goto(`${api}/auth/outbox`)
  const written = page.frameLocator('iframe').getByText('Hi')
  t.equal(await written.evaluate((element) => getComputedStyle(element).color), 'rgb(255, 0, 0)')
  t.notOk(asked.includes('tracker.test'))
})

t.test('no page has complained', (t) => {
  t.strictSame(complaints, [])
  t.end()
})
