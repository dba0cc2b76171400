// In a process of its own, for 60 s: it opens a browser.
import { once } from 'node:events'
import type { BrowserContextOptions, Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { clockAhead } from '../../support/clock-ahead.ts'
import {
  checkAccess, checkWidth, desktop, isGreeted, isTold, logIn, openChromium, phone, register, serveExample
} from './pages.ts'

let chromium: Awaited<ReturnType<typeof openChromium>>

t.before(async () => {
  chromium = await openChromium(t)
})

/** An example whose clock can be moved on, and a page of it on a device that makes passkeys. */
async function world (t: Test, options: BrowserContextOptions = desktop) {
  const { api, server } = await serveExample(t, clockAhead(11))
  const page = await (await chromium.openBrowser(t, options)).newPage()
  const devtools = await page.context().newCDPSession(page)
  await devtools.send('WebAuthn.enable')
  const { authenticatorId } = await devtools.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  })
  await page.goto(api)
  return {
    page,
    /** Whether its user is there, who takes what it offers. */
    attend: (enabled: boolean) =>
      devtools.send('WebAuthn.setAutomaticPresenceSimulation', { authenticatorId, enabled }),
    credentials: async () => (await devtools.send('WebAuthn.getCredentials', { authenticatorId })).credentials,
    async letPass () {
      server.kill('SIGUSR2')
      await once(server.stdout, 'data')
    },
  }
}

const dialogOf = (page: Page, name: string) => page.getByRole('dialog', { name })
const focused = (page: Page) => page.evaluate(() => document.activeElement!.id)
const logOut = (page: Page) => page.getByRole('banner').getByRole('button', { name: 'Log out' }).click()

async function keepCodes (page: Page) {
  const codes = await dialogOf(page, 'Keep these recovery codes').getByRole('listitem').allTextContents()
  await page.getByRole('button', { name: 'I have kept them' }).click()
  return codes
}

async function add (page: Page, name: string) {
  await page.getByLabel('Name, if you like').fill(name)
  await page.getByRole('button', { name: 'Add a passkey' }).click()
}

for (const [device, options] of Object.entries({ desktop, phone })) {
  t.test(`on a ${device} a passkey is added, signs in by button and by autofill, is renamed and removed`, async (t) => {
    const { page, attend, credentials } = await world(t, options)
    await register(page, 'ada')
    await add(page, 'Laptop')
    await dialogOf(page, 'Keep these recovery codes').waitFor()
    t.equal((await keepCodes(page)).length, 10)
    await isTold(page, 'Laptop is added.')
    t.equal(await focused(page), 'passkeys-title')
    await page.getByRole('listitem').filter({ hasText: 'Laptop' }).getByText('not used yet').waitFor()
    await checkAccess(t, page)
    await checkWidth(t, page)
    await add(page, 'Again')
    await isTold(page, 'This device has a passkey of this account already.')

    await attend(false)
    await logOut(page)
    await page.getByRole('form', { name: 'Log in' }).waitFor()
    await checkAccess(t, page)
    await checkWidth(t, page)
    await attend(true)
    await page.getByRole('button', { name: 'Sign in with a passkey' }).click()
    await isGreeted(page, 'ada')
    t.equal(await focused(page), 'hello')
    await page.getByText('Used just now', { exact: true }).waitFor()

    // Whoever is there takes what is offered among the names.
    await Promise.all([page.waitForResponse(/\/auth\/passkeys\/login$/), logOut(page)])
    await isGreeted(page, 'ada')

    await page.getByRole('button', { name: 'Rename Laptop' }).click()
    t.equal(await focused(page), 'passkey-name')
    await checkAccess(t, page)
    await dialogOf(page, 'Rename the passkey').getByLabel('Name').fill('Work laptop')
    await page.keyboard.press('Enter')
    await page.getByRole('button', { name: 'Remove Work laptop' }).click()
    await isTold(page, 'Work laptop is removed.')
    t.equal(await focused(page), 'passkeys-title')
    await page.getByText('Your password alone signs you in.').waitFor()
    t.same(await credentials(), [], 'the device has been told')
  })

  t.test(`on a ${device} a passkey is the second factor, and proves once more who it is`, async (t) => {
    const { page, attend, letPass } = await world(t, options)
    await register(page, 'ada')
    await add(page, '')
    await dialogOf(page, 'Keep these recovery codes').waitFor()
    const [code] = await keepCodes(page)
    await attend(false)
    await logOut(page)
    await logIn(page, 'ada')
    const step = dialogOf(page, 'One more step')
    await step.waitFor()
    t.equal(await focused(page), 'step-by-passkey')
    t.notOk(await step.getByLabel('Code of your').isVisible())
    await checkAccess(t, page)
    await checkWidth(t, page)
    await step.getByRole('button', { name: 'Use a recovery code' }).click()
    await step.getByRole('button', { name: 'I have no recovery code at hand' }).click()
    await attend(true)
    await step.getByRole('button', { name: 'Use a passkey' }).click()
    await isGreeted(page, 'ada')

    await letPass()
    await page.getByRole('button', { name: 'Make new ones' }).click()
    const again = dialogOf(page, 'Is it still you?')
    await again.waitFor()
    await checkAccess(t, page)
    await checkWidth(t, page)
    await again.getByRole('button', { name: 'Use a passkey' }).click()
    await dialogOf(page, 'Keep these recovery codes').waitFor()
    t.not((await keepCodes(page))[0], code)
  })
}

t.test('somebody registers with a passkey and no password, and cannot take their last way in away', async (t) => {
  const { page, attend } = await world(t, phone)
  await page.getByRole('button', { name: 'Use a passkey, and no password' }).click()
  t.equal(await focused(page), 'new-name', 'a name is needed')
  await page.getByRole('form', { name: 'Create an account' }).getByLabel('User name').fill('eve')
  await page.getByRole('button', { name: 'Use a passkey, and no password' }).click()
  await dialogOf(page, 'Keep these recovery codes').waitFor()
  t.equal((await keepCodes(page)).length, 10)
  await isGreeted(page, 'eve')
  await page.getByRole('button', { name: 'Remove Passkey' }).click()
  await isTold(page, 'Without it you could not sign in any more.')

  await attend(false)
  await logOut(page)
  await page.getByRole('button', { name: 'Create an account' }).click()
  await attend(true)
  await page.getByRole('form', { name: 'Create an account' }).getByLabel('User name').fill('Eve')
  await page.getByRole('button', { name: 'Use a passkey, and no password' }).click()
  await page.getByRole('alert').filter({ hasText: 'Somebody has that name already.' }).waitFor()
  t.equal(await focused(page), 'new-name')
})

t.test('a device that offers the passkey of an account that is gone is told so', async (t) => {
  const { page, attend, credentials } = await world(t)
  await register(page, 'ada')
  await add(page, 'Laptop')
  await dialogOf(page, 'Keep these recovery codes').waitFor()
  await keepCodes(page)
  await attend(false)
  await page.getByRole('button', { name: 'Close account…' }).click()
  await page.getByRole('button', { name: 'Close account', exact: true }).click()
  await isTold(page, 'Your account is closed.')
  await attend(true)
  await page.getByRole('button', { name: 'Sign in with a passkey' }).click()
  await page.getByRole('alert').filter({ hasText: 'That passkey is of no account here.' }).waitFor()
  t.same(await credentials(), [])
})

t.test('no page has complained, of the policy or of anything else', async (t) => {
  t.same(chromium.complaints, [])
})
