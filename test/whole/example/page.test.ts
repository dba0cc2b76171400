// In a process of its own, for 50 s: it opens a browser.
import { once } from 'node:events'
import type { BrowserContextOptions, Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { clockAhead } from '../../support/clock-ahead.ts'
import {
  checkAccess, checkWidth, desktop, isGreeted, isTold, logIn, openChromium, password, phone, proveByPassword,
  register, send, serveExample
} from './pages.ts'

const iPhone =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1'

let chromium: Awaited<ReturnType<typeof openChromium>>
let api: string

t.before(async () => {
  chromium = await openChromium(t)
  api = (await serveExample(t)).api
})

async function openPage (t: Test, options?: BrowserContextOptions, url = api) {
  const page = await (await chromium.openBrowser(t, options)).newPage()
  await page.goto(url)
  return page
}

/** From then on the page does nothing by itself any more, and what it is told to can be counted. */
const restAfter = (page: Page, refreshes: string) => page.addInitScript((refreshes) => {
  const { setInterval } = globalThis
  const isAtRest = () => document.getElementById('refreshes')!.textContent === refreshes
  globalThis.setInterval = ((act: () => void, ms: number) =>
    setInterval(() => {
      if (!isAtRest()) act()
    }, ms)) as typeof setInterval
}, refreshes)

for (const [name, options] of Object.entries({ desktop, phone })) {
  t.test(`on a ${name}, who registers is logged in, also after a reload, until they log out`, async (t) => {
    const page = await openPage(t, options)
    await checkAccess(t, page)
    await register(page, `story-${name}`)
    t.match(await page.getByRole('timer').textContent(), /^1[45]:\d\d$/)

    await page.reload()
    await isGreeted(page, `story-${name}`)
    const row = page.getByRole('listitem').filter({ hasText: 'This device' })
    t.match(await row.textContent(), /Chrome on Linux\s+This device\s+(127\.0\.0\.1|::1) · used just now/)
    await checkAccess(t, page)
    await checkWidth(t, page)

    await page.getByRole('banner').getByRole('button', { name: 'Log out' }).click()
    await isTold(page, 'You are logged out.')
    t.same(
      (await page.context().cookies()).map(({ name }) => name),
      ['__Secure-device'],
      'the browser stays known, and nothing else'
    )
    await page.reload()
    t.ok(await page.getByRole('button', { name: 'Create account' }).isVisible())
  })
}

t.test('a wrong password and a taken name are told in words, and nothing moves', async (t) => {
  const page = await openPage(t, phone)
  await register(page, 'taken')
  await page.getByRole('banner').getByRole('button', { name: 'Log out' }).click()
  await page.locator('#login').waitFor()
  const height = (await page.locator('#login').boundingBox())!.height

  await logIn(page, 'taken', 'a wrong password')
  await page
    .getByRole('alert')
    .filter({ hasText: 'The user name or the password is not right. Please try again.' })
    .waitFor()
  t.equal((await page.locator('#login').boundingBox())!.height, height)
  t.equal(await page.evaluate(() => document.activeElement!.id), 'password')
  await checkAccess(t, page)

  await page.getByRole('button', { name: 'Create an account' }).click()
  await send(page, 'Create an account', 'Taken')
  await page.getByRole('alert').filter({ hasText: 'Somebody has that name already. Please choose another.' }).waitFor()
  t.equal(await page.evaluate(() => document.activeElement!.id), 'new-name')
})

t.test('who has to wait is told how long', async (t) => {
  const page = await openPage(t)
  for (const [status, wait, said] of [
    [429, '30', 'Too many tries. Please wait 30 seconds, then try again.'],
    [429, '600', 'Too many tries. Please wait 10 minutes, then try again.'],
    [503, '1', 'The server is busy. Please wait 1 second, then try again.'],
    [503, '', 'The server is busy. Please wait a moment, then try again.'],
  ] as const) {
    await page.route(
      '**/auth/login',
      (route) => route.fulfill({ status, headers: { 'retry-after': wait }, json: {} }),
      { times: 1 }
    )
    await logIn(page, 'ada')
    await page.getByRole('alert').filter({ hasText: said }).waitFor()
  }
})

t.test('of two devices one logs the other out, and then both', async (t) => {
  const [here, there] = [await openPage(t), await openPage(t, { ...phone, userAgent: iPhone })]
  await register(here, 'both')
  await logIn(there, 'both')
  await here.getByRole('button', { name: 'Log out Safari on iPhone' }).click()
  await isTold(here, 'Safari on iPhone is logged out.')
  await isTold(there, 'You have been logged out: this session was ended, here or on another device.')
  t.equal(await here.locator('#sessions').getByRole('listitem').count(), 1)

  await logIn(there, 'both')
  await there.getByRole('button', { name: 'Log out everywhere' }).click()
  await isTold(there, 'You are logged out everywhere.')
  await isTold(here, 'You have been logged out')
})

t.test('a replayed refresh token is found, said in words, and the other tab is logged out too', async (t) => {
  const context = await chromium.openBrowser(t)
  const [page, tab] = [await context.newPage(), await context.newPage()]
  await page.goto(api)
  await register(page, 'robbed')
  await tab.goto(api)
  await isGreeted(tab, 'robbed')

  await page.bringToFront()
  await page.getByRole('button', { name: 'Replay my old refresh token' }).click()
  await page.getByRole('heading', { name: 'The theft was found, and you were logged out' }).waitFor()
  t.equal(await page.evaluate(() => document.activeElement!.id), 'found-title')
  await checkAccess(t, page)
  await isTold(tab, 'You have been logged out')

  await page.setViewportSize(phone.viewport)
  const topOf = async (role: 'form' | 'heading', name: string) =>
    (await page.getByRole(role, { name }).boundingBox())!.y
  t.ok(
    (await topOf('form', 'Log in')) < (await topOf('heading', 'A whole sign-in')),
    'on a phone the way back in comes first'
  )

  await logIn(page, 'robbed')
  await isGreeted(page, 'robbed')
})

t.test('an access token that expires is followed by the next, with one refresh for all calls', async (t) => {
  const page = await (await chromium.openBrowser(t)).newPage()
  await restAfter(page, 'Refreshed 2 times')
  await page.goto((await serveExample(t, { JWT_ACCESS_TOKEN_EXPIRES: '2s' })).api)
  const refreshes: string[] = []
  page.on('request', (request) => { if (request.url().endsWith('/auth/refresh')) refreshes.push(request.url()) })
  await register(page, 'patient')
  await page.getByText('Refreshed 2 times').waitFor()
  t.equal(refreshes.length, 2)
  await page.getByRole('button', { name: 'Refresh now' }).click()
  await page.getByText('Refreshed 3 times').waitFor()
})

t.test(
  'a call that is refused late, when the next token is there already, is sent again without another refresh',
  async (t) => {
    const context = await chromium.openBrowser(t)
    const page = await context.newPage()
    await restAfter(page, 'Refreshed once')
    // What the server answers, but the refusal of one call only when the page has the tokens that another has asked
    // for.
    await page.addInitScript(() => {
      const { fetch } = globalThis
      const isRefreshed = () => document.getElementById('refreshes')!.textContent !== ''
      globalThis.fetch = async (...request) => {
        const response = await fetch(...request)
        while (request[0] === '/auth/sessions' && response.status === 401 && !isRefreshed()) {
          await new Promise((resolve) => {
            setTimeout(resolve, 20)
          })
        }
        return response
      }
    })
    await page.goto(api)
    await register(page, 'late')
    await page.getByRole('listitem').filter({ hasText: 'This device' }).waitFor()
    const asked: string[] = []
    const again = page.waitForResponse((response) => {
      asked.push(`${new URL(response.url()).pathname} ${response.status()}`)
      return asked.includes('/auth/sessions 401') && asked.at(-1) === '/auth/sessions 200'
    })
    await context.clearCookies({ name: '__Host-access' })
    await again
    t.equal(asked.filter((one) => one.startsWith('/auth/refresh')).length, 1)
  }
)

t.test('a changed password ends the other sessions, and the old one opens nothing', async (t) => {
  const [here, there] = [await openPage(t), await openPage(t)]
  await register(here, 'changing')
  await logIn(there, 'changing')
  await isGreeted(there, 'changing')
  for (const [current, said] of [
    ['not this one', 'That is not your current password.'],
    [password, 'Your password is changed. All your other sessions have ended.'],
  ] as const) {
    await here.getByLabel('Current password').fill(current)
    await here.getByLabel('New password').fill('staple battery horse correct')
    await here.getByRole('button', { name: 'Change password' }).click()
    await isTold(here, said)
  }
  await isTold(there, 'You have been logged out')
  await logIn(there, 'changing')
  await there.getByRole('alert').filter({ hasText: 'not right' }).waitFor()
})

t.test('an account is closed with the password once more, when it was given long ago', async (t) => {
  const { api, server } = await serveExample(t, clockAhead(11))
  const page = await openPage(t, desktop, api)
  await register(page, 'leaving')
  server.kill('SIGUSR2')
  await once(server.stdout, 'data')

  await page.getByRole('button', { name: 'Close account…' }).click()
  await page.getByRole('dialog', { name: 'Close your account?' }).getByRole('button', { name: 'Close account' }).click()
  await proveByPassword(t, page)
  await isTold(page, 'Your account is closed.')
  await logIn(page, 'leaving')
  await page.getByRole('alert').filter({ hasText: 'not right' }).waitFor()
})

t.test('the keyboard alone logs in and out', async (t) => {
  const page = await openPage(t)
  await page.keyboard.type('typist')
  await page.keyboard.press('Tab')
  await page.keyboard.type(password)
  await page.keyboard.press('Enter')
  await isGreeted(page, 'typist')
  t.equal(await page.evaluate(() => document.activeElement!.id), 'hello')

  await page.keyboard.press('Shift+Tab')
  t.match(await page.evaluate(() => getComputedStyle(document.activeElement!).outlineStyle), 'solid')
  await page.keyboard.press('Enter')
  await isTold(page, 'You are logged out.')
  t.equal(await page.evaluate(() => document.activeElement!.id), 'name')
})

t.test('the API reference opens under the same policy', async (t) => {
  const page = await openPage(t, desktop, `${api}/docs`)
  await page.getByText('Sign in with a password').click()
  await page.getByRole('button', { name: 'Try it out' }).waitFor()
  t.notOk(await page.getByText('/auth/thief').count())
})

t.test('no page has complained, of the policy or of anything else', async (t) => {
  t.same(chromium.complaints, [])
})
