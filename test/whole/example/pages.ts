import axe from 'axe-core'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import type { Test } from 'tap'
import { launchChromium, startExample } from './run.ts'

export const password = 'correct horse battery staple'
export const desktop = { viewport: { width: 1280, height: 800 } }
export const phone = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true }

/** No test depends on how fast a machine is: this only names what never comes. */
const mostMs = 300_000

/** Opens a Chromium for the tests of a file, whose last one looks at what pages have complained of. */
export async function openChromium (t: Test, options: Parameters<typeof launchChromium>[0] = {}) {
  const chromium: Browser = await launchChromium(options)
  t.teardown(() => chromium.close())

  /** Breaks of the policy, say, or errors of scripts. */
  const complaints: string[] = []

  /** A browser of its own. */
  async function openBrowser (t: Test, options: BrowserContextOptions = desktop) {
    const context = await chromium.newContext(options)
    t.teardown(() => context.close())
    context.setDefaultTimeout(mostMs)
    context.on('weberror', (error) => complaints.push(`${t.name}: ${error.error().message}`))
    context.on('console', (message) => {
      // Chromium notes every answer that is a refusal, which is what the routes are there for.
      const { url } = message.location()
      const isRefusal = /status of (400|401|403|409|429|503)/.test(message.text()) && url.includes('/auth/')
      // And it asks for an icon, which an app of a test has not.
      if (message.type() === 'error' && !isRefusal && !url.endsWith('/favicon.ico')) complaints.push(`${t.name}: ${message.text()}`)
    })
    return context
  }

  return { openBrowser, complaints }
}

/** Starts the example in an empty folder, and gives where it is. */
export async function serveExample (t: Test, env: NodeJS.ProcessEnv = {}) {
  const { api, server } = await startExample(t.testdir({}), env)
  t.teardown(() => server.kill())
  return { api, server }
}

/** Fills in and sends one of the forms for strangers. */
export async function send (page: Page, title: 'Create an account' | 'Log in', name: string, word = password) {
  const form = page.getByRole('form', { name: title })
  await form.getByLabel('User name').fill(name)
  await form.getByLabel('Password').fill(word)
  await form.getByRole('button').first().click()
}

/** Opens an account, with an address where one is given, and waits until it is there. */
export async function register (page: Page, name: string, email = '') {
  await page.getByRole('form', { name: 'Create an account' }).getByLabel('E-mail').fill(email)
  await send(page, 'Create an account', name)
  await isGreeted(page, name)
}

export async function logIn (page: Page, name: string, word = password) {
  const other = page.getByRole('form', { name: 'Create an account' }).getByRole('button', { name: 'Log in' })
  if (await other.isVisible()) await other.click()
  await send(page, 'Log in', name, word)
}

/** Gives the password once more, after one that is wrong, to the dialog that asks for it. */
export async function proveByPassword (t: Test, page: Page) {
  const dialog = page.getByRole('dialog', { name: 'Is it still you?' })
  const field = dialog.getByLabel('Your password, once more')
  await field.fill('not this one')
  await checkAccess(t, page)
  await field.press('Enter')
  await dialog.getByRole('alert').filter({ hasText: 'That is not your password.' }).waitFor()
  await field.fill(password)
  await field.press('Enter')
}

export const isGreeted = (page: Page, name: string) =>
  page.getByRole('heading', { name: `Hello, ${name}` }).waitFor()

export const isTold = (page: Page, what: string) => page.getByRole('status').filter({ hasText: what }).waitFor()

/** What axe finds in light, and of the contrasts in dark. Run as an expression, since the policy lets no script in. */
export async function checkAccess (t: Test, page: Page, all: axe.RunOptions = {}) {
  await page.evaluate(axe.source)
  for (const [colorScheme, options] of [['light', all], ['dark', { runOnly: ['color-contrast'] }]] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
    const { violations } = await page.evaluate(
      (options) => (globalThis as unknown as { axe: typeof axe }).axe.run(options),
      options as axe.RunOptions
    )
    t.same(
      violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)]),
      [],
      `nothing stands in the way, in ${colorScheme}`
    )
  }
  await page.emulateMedia({ colorScheme: null, reducedMotion: null })
}

/** Nothing is wider than the screen. */
export async function checkWidth (t: Test, page: Page) {
  t.equal(await page.evaluate(() => document.documentElement.scrollWidth), page.viewportSize()!.width,
    'nothing sticks out')
}
