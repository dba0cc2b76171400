// In a process of its own, for 60 s: it opens a browser.
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { TOTP } from 'otpauth'
import type { BrowserContextOptions, Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { clockAhead } from '../../support/clock-ahead.ts'
import {
  checkAccess, checkWidth, desktop, isGreeted, isTold, logIn, openChromium, password, phone, register, serveExample
} from './pages.ts'

let chromium: Awaited<ReturnType<typeof openChromium>>

t.before(async () => {
  chromium = await openChromium(t)
})

/** An example whose clock goes on by eleven minutes when it is told to, so that what was proved is old. */
async function world (t: Test, options: BrowserContextOptions = desktop) {
  const { api, server } = await serveExample(t, clockAhead(11))
  let minutes = 0
  async function letPass () {
    server.kill('SIGUSR2')
    await once(server.stdout, 'data')
    minutes += 11
  }
  const context = await chromium.openBrowser(t, options)
  const page = await context.newPage()
  await page.goto(api)

  /** The codes of an app: each is of a half minute that is not used up yet. */
  function appOf (secret: string) {
    const totp = new TOTP({ secret })
    let last = 0
    return () => {
      last = Math.max(Math.floor((Date.now() / 1000 + minutes * 60) / 30), last + 1)
      return totp.generate({ timestamp: last * 30_000 })
    }
  }
  return { api, context, page, letPass, appOf }
}

const dialogOf = (page: Page, name: string) => page.getByRole('dialog', { name })
const focused = (page: Page) => page.evaluate(() => document.activeElement!.id)
const logOut = (page: Page) => page.getByRole('banner').getByRole('button', { name: 'Log out' }).click()

/** Begins to set up an app, by what the page shows as text. */
async function secretOf (page: Page, button: 'Set up' | 'Replace' = 'Set up') {
  await page.getByRole('button', { name: button, exact: true }).click()
  const dialog = dialogOf(page, 'Set up an authenticator app')
  await dialog.waitFor()
  return { dialog, secret: (await dialog.locator('#secret').textContent())!.replaceAll(' ', '') }
}

async function setUp ({ page, appOf }: Pick<Awaited<ReturnType<typeof world>>, 'page' | 'appOf'>) {
  const { dialog, secret } = await secretOf(page)
  const code = appOf(secret)
  await dialog.getByLabel('Code that').fill(code())
  await dialog.getByRole('button', { name: 'Set up' }).click()
  const shown = dialogOf(page, 'Keep these recovery codes')
  await shown.waitFor()
  const codes = await shown.getByRole('listitem').allTextContents()
  return { code, codes, shown }
}

for (const [device, options] of Object.entries({ desktop, phone })) {
  t.test(`on a ${device}, an app is set up, asked for at the login, and taken away again`, async (t) => {
    const { context, page, appOf } = await world(t, options)
    await context.grantPermissions(['clipboard-read', 'clipboard-write'])
    await register(page, 'ada')
    const { dialog, secret } = await secretOf(page)
    t.equal(await focused(page), 'first-code')
    t.ok(await dialog.getByRole('img', { name: 'QR code' }).evaluate((img: any) => img.naturalWidth > 0), 'it is drawn')
    await checkAccess(t, page)
    await checkWidth(t, page)
    const code = appOf(secret)
    await dialog.getByLabel('Code that').fill('12345')
    await dialog.getByRole('button', { name: 'Set up' }).click()
    await dialog.getByRole('alert').filter({ hasText: 'That code is not good.' }).waitFor()
    t.equal(await focused(page), 'first-code')
    await dialog.getByLabel('Code that').fill(code())
    await dialog.getByRole('button', { name: 'Set up' }).click()

    const shown = dialogOf(page, 'Keep these recovery codes')
    await shown.waitFor()
    t.equal(await focused(page), 'recovery-title')
    await checkAccess(t, page)
    await checkWidth(t, page)
    const codes = await shown.getByRole('listitem').allTextContents()
    t.equal(new Set(codes).size, 10)
    await page.keyboard.press('Escape')
    const text = codes.join('\n') + '\n'
    await shown.getByRole('button', { name: 'Copy' }).click()
    await shown.getByRole('status').filter({ hasText: 'The codes are copied.' }).waitFor()
    t.equal(await page.evaluate(() => navigator.clipboard.readText()), text)
    const [download] = await Promise.all([page.waitForEvent('download'), shown.getByRole('button', { name: 'Download' }).click()])
    t.equal(download.suggestedFilename(), 'recovery-codes.txt')
    t.equal(await readFile(await download.path(), 'utf8'), text)
    await page.emulateMedia({ media: 'print' })
    t.ok(await shown.getByRole('listitem').last().isVisible())
    t.notOk(await page.locator('#hello').isVisible(), 'nothing else is printed')
    t.notOk(await shown.getByRole('button', { name: 'Print' }).isVisible())
    await page.emulateMedia({ media: null })
    await shown.getByRole('button', { name: 'I have kept them' }).click()
    await isTold(page, 'The app is set up.')
    t.equal(await focused(page), 'factors-title')
    t.notOk((await page.content()).includes(codes[0]!), 'the page forgets them')
    await page.getByText('10 left, made just now').waitFor()
    await checkAccess(t, page)
    await checkWidth(t, page)

    await logOut(page)
    await logIn(page, 'ada')
    const step = dialogOf(page, 'One more step')
    await step.waitFor()
    t.equal(await focused(page), 'app-code')
    await checkAccess(t, page)
    await checkWidth(t, page)
    await step.getByLabel('Code of your').fill('12345')
    await step.getByRole('button', { name: 'Go on' }).click()
    await step.getByRole('alert').filter({ hasText: 'That code is not good.' }).waitFor()
    t.equal(await focused(page), 'app-code')
    await step.getByLabel('Code of your').fill(code())
    await step.getByRole('button', { name: 'Go on' }).click()
    await isGreeted(page, 'ada')
    t.equal(await focused(page), 'hello')

    await logOut(page)
    await logIn(page, 'ada')
    await step.getByRole('button', { name: 'Use a recovery code' }).click()
    t.equal(await focused(page), 'recovery-code')
    await step.getByLabel('Recovery code').fill(codes[3]!.toLowerCase().replaceAll('-', ' '))
    await checkAccess(t, page)
    await page.keyboard.press('Enter')
    await isGreeted(page, 'ada')
    await page.getByText('9 left').waitFor()

    await page.getByRole('button', { name: 'Turn it off' }).click()
    await isTold(page, 'The second factor is off.')
    t.equal(await focused(page), 'factors-title')
    await logOut(page)
    await logIn(page, 'ada')
    await isGreeted(page, 'ada')
  })
}

t.test('what was proved long ago is asked for anew, both factors of it, and then it goes on', async (t) => {
  const { page, letPass, appOf } = await world(t)
  await register(page, 'ada')
  const { code, codes, shown } = await setUp({ page, appOf })
  await shown.getByRole('button', { name: 'I have kept them' }).click()
  await letPass()

  await page.getByRole('button', { name: 'Make new ones' }).click()
  const again = dialogOf(page, 'Is it still you?')
  await again.getByRole('button', { name: 'Cancel' }).click()
  t.equal(await page.getByText('10 left').count(), 1, 'whoever cancels has changed nothing')
  t.equal(await focused(page), 'new-codes')

  await page.getByRole('button', { name: 'Make new ones' }).click()
  await again.getByLabel('Your password').fill(password)
  await page.keyboard.press('Enter')
  const step = dialogOf(page, 'One more step')
  await step.waitFor()
  t.equal(await focused(page), 'app-code')
  await step.getByLabel('Code of your').fill(code())
  await page.keyboard.press('Enter')
  await shown.waitFor()
  t.notOk(codes.includes((await shown.getByRole('listitem').allTextContents())[0]!))
  await shown.getByRole('button', { name: 'I have kept them' }).click()

  const { dialog, secret } = await secretOf(page, 'Replace')
  await dialog.getByLabel('Code that').fill(appOf(secret)())
  await dialog.getByRole('button', { name: 'Set up' }).click()
  await isTold(page, 'The app is set up.')
  await page.getByRole('button', { name: 'Remove', exact: true }).click()
  await isTold(page, 'The app is removed.')
  await page.getByText('Your password alone signs you in.').waitFor()
})

t.test('a second step that comes too late, or that somebody gives up, begins anew', async (t) => {
  const { page, letPass, appOf } = await world(t)
  await register(page, 'ada')
  const { code, shown } = await setUp({ page, appOf })
  await shown.getByRole('button', { name: 'I have kept them' }).click()
  await logOut(page)
  await logIn(page, 'ada')
  const step = dialogOf(page, 'One more step')
  await step.getByRole('button', { name: 'Cancel' }).click()
  t.ok(await page.getByRole('form', { name: 'Log in' }).isVisible())

  await logIn(page, 'ada')
  await step.waitFor()
  await letPass()
  await step.getByLabel('Code of your').fill(code())
  await page.keyboard.press('Enter')
  await page.getByRole('alert').filter({ hasText: 'That took too long. Please begin again.' }).waitFor()
  await logIn(page, 'ada')
  await step.getByLabel('Code of your').fill(code())
  await page.keyboard.press('Enter')
  await isGreeted(page, 'ada')
})

t.test('no page has complained, of the policy or of anything else', async (t) => {
  t.same(chromium.complaints, [])
})
