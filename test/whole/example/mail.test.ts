// In a process of its own, for 60 s: it opens a browser.
import { once } from 'node:events'
import type { Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { clockAhead } from '../../support/clock-ahead.ts'
import { until } from '../../support/waiting.ts'
import {
  checkAccess, checkWidth, desktop, isGreeted, isTold, logIn, openChromium, password, phone, proveByPassword,
  register, send, serveExample
} from './pages.ts'

const otherPassword = 'another battery staple horse'

let chromium: Awaited<ReturnType<typeof openChromium>>

t.before(async () => {
  chromium = await openChromium(t)
})

interface SeenMail { kind: string, to: string, code: string, links: string[] }

/** An example whose clock can be moved on, its mails, and pages of it. */
async function world (t: Test, options: object = desktop, minutes = 11) {
  const { api, server } = await serveExample(t, clockAhead(minutes))

  async function mail (kind: string, to: string): Promise<SeenMail> {
    let found: SeenMail | undefined
    await until(async () => {
      const answer = await fetch(`${api}/auth/outbox`, { headers: { accept: 'application/json' } })
      const { mails } = await answer.json() as { mails: SeenMail[] }
      found = mails.findLast((mail) => mail.kind === kind && mail.to === to)
      return found !== undefined
    })
    return found!
  }

  async function open (url = api) {
    const page = await (await chromium.openBrowser(t, options)).newPage()
    await page.goto(url)
    return page
  }

  async function letPass () {
    server.kill('SIGUSR2')
    await once(server.stdout, 'data')
  }

  return { api, mail, open, letPass }
}

const formOf = (page: Page, name: string) => page.getByRole('form', { name })

/** What the page says of who is logged in. */
const isKnownAs = (page: Page, what: string) => page.locator('#who').filter({ hasText: what }).waitFor()

/** Types a code into a form, after one that is not good. */
async function typeCode (page: Page, name: string, { code }: SeenMail) {
  const form = formOf(page, name)
  await form.getByLabel('Code').fill(code === '12345678' ? '8765 4321' : '1234 5678')
  await form.getByRole('button').first().click()
  await isTold(page, 'The code is not good.')
  await form.getByLabel('Code').fill(`${code.slice(0, 4)} ${code.slice(4)}`)
  await form.getByRole('button').first().click()
}

async function changeAddress (page: Page, to: string) {
  await formOf(page, 'Change address').getByLabel('New address').fill(to)
  await page.getByRole('button', { name: 'Change address' }).click()
}

for (const [device, options] of Object.entries({ desktop, phone })) {
  for (const colorScheme of ['light', 'dark']) {
    t.test(`on a ${device}, ${colorScheme}, an address is verified, changed, taken back, and a password forgotten`, async (t) => {
      const { api, mail, open, letPass } = await world(t, { ...options, colorScheme })
      const [mine, other] = ['ada@example.com', 'lovelace@example.com']
      const page = await open()
      await register(page, 'ada', mine)
      await isKnownAs(page, `${mine} · not verified`)
      await page.getByRole('button', { name: 'Send the mail' }).click()
      await typeCode(page, 'not verified', await mail('verify', mine))
      await isTold(page, 'Your address is verified.')
      await isKnownAs(page, `${mine} · verified`)

      await changeAddress(page, other)
      await formOf(page, 'Confirm the address').waitFor()
      await checkWidth(t, page)
      await checkAccess(t, page)
      await typeCode(page, 'Confirm the address', await mail('change', other))
      await isKnownAs(page, `${other} · verified`)

      const reader = await open((await mail('email-changed', mine)).links[0])
      await reader.getByLabel('address').fill(mine)
      await reader.getByRole('button').click()
      await reader.getByRole('status').waitFor()
      await isTold(page, 'You have been logged out')
      await logIn(page, 'ada')
      await page.getByRole('alert').filter({ hasText: 'Another password has to be chosen first.' }).waitFor()

      await letPass()
      await reader.goto((await mail('reset', mine)).links[0]!)
      await reader.getByLabel('New password').fill(otherPassword)
      await reader.getByRole('button').click()
      await reader.getByRole('link').click()
      await reader.waitForURL(`${api}/`)
      await logIn(reader, 'ada', otherPassword)
      await isKnownAs(reader, `${mine} · verified`)
    })
  }

  t.test(`on a ${device} an admin invites people, who accept on a page of the app's own`, async (t) => {
    const { api, mail, open } = await world(t, options)
    const page = await open()
    await register(page, 'admin')
    await page.getByRole('button', { name: 'Make me an admin' }).click()
    const invite = async (email: string, role: string) => {
      const form = formOf(page, 'Invitations')
      await form.getByLabel('Address').fill(email)
      await form.getByLabel('Role').selectOption(role)
      await form.getByRole('button', { name: 'Invite' }).click()
      await isTold(page, `${email} is invited.`)
      return (await mail('invite', email)).links[0]!
    }
    const link = await invite('eve@example.com', 'editor')
    await page.getByRole('listitem').filter({ hasText: 'eve@example.com editor' }).waitFor()
    await checkWidth(t, page)
    await checkAccess(t, page)

    // Who is logged in may accept for their own address alone.
    await page.goto(link)
    t.equal(page.url(), `${api}/invitation`, 'the token is in the address bar no more')
    await formOf(page, 'You are logged in as admin').getByRole('button', { name: 'Accept' }).click()
    await page.getByRole('alert').filter({ hasText: 'not for the account' }).waitFor()
    await checkWidth(t, page)
    await checkAccess(t, page)

    // As a gateway of mails may have made it.
    const guest = await open(link.replace('#', '%23'))
    t.equal(guest.url(), `${api}/invitation`)
    await guest.getByText('For eve@example.com, good until').waitFor()
    await checkWidth(t, guest)
    await checkAccess(t, guest)
    const form = formOf(guest, 'Create your account')
    await form.getByLabel('User name').fill('admin')
    await form.getByLabel('Password').fill(password)
    await form.getByRole('button').click()
    await guest.getByRole('alert').filter({ hasText: 'Somebody has that name already.' }).waitFor()
    await form.getByLabel('User name').fill('eve')
    await form.getByRole('button').click()
    await isGreeted(guest, 'eve')
    await isKnownAs(guest, 'eve@example.com · verified · editor')
    await guest.goto(link)
    await guest.getByText('This invitation is not good any more.').waitFor()

    await page.goto(api)
    await page.getByText('Nobody is invited at the moment.').waitFor()
    const withdrawn = await invite('bob@example.com', '')
    await page.getByRole('button', { name: 'Withdraw bob@example.com' }).click()
    await isTold(page, 'bob@example.com is not invited any more.')
    await guest.goto(withdrawn)
    await guest.getByText('This invitation is not good any more.').waitFor()
    await guest.goto(`${api}/invitation`)
    await guest.getByText('Open the link of the mail once more').waitFor()
  })
}

t.test('who is logged in accepts for their own address, which is verified by that', async (t) => {
  const { api, mail, open } = await world(t)
  const [page, bob] = [await open(), await open()]
  await register(page, 'admin')
  await register(bob, 'bob', 'bob@example.com')
  await page.getByRole('button', { name: 'Make me an admin' }).click()
  await formOf(page, 'Invitations').getByLabel('Address').fill('bob@example.com')
  await formOf(page, 'Invitations').getByLabel('Role').selectOption('editor')
  await page.getByRole('button', { name: 'Invite', exact: true }).click()
  await bob.goto((await mail('invite', 'bob@example.com')).links[0]!)
  await bob.getByRole('button', { name: 'Accept' }).click()
  await bob.waitForURL(`${api}/`)
  await isKnownAs(bob, 'bob@example.com · verified · editor')
})

t.test('an address is verified by the link of the mail, and the page finds out', async (t) => {
  const { mail, open } = await world(t)
  const page = await open()
  await register(page, 'ada', 'ada@example.com')
  await page.getByRole('button', { name: 'Send the mail' }).click()
  await formOf(page, 'not verified').waitFor()
  const link = await page.context().newPage()
  await link.goto((await mail('verify', 'ada@example.com')).links[0]!)
  await link.getByRole('button').click()
  await link.getByRole('status').waitFor()
  await page.bringToFront()
  await isKnownAs(page, 'ada@example.com · verified')
  t.equal(await page.getByRole('heading', { name: 'not verified' }).count(), 0)
})

t.test('who has forgotten the password chooses another one by the code, which may be sent again', async (t) => {
  const { mail, open, letPass } = await world(t, desktop, 2)
  const page = await open()
  await page.clock.install()
  await register(page, 'forgetful', 'forgetful@example.com')
  await page.getByRole('banner').getByRole('button', { name: 'Log out' }).click()
  await page.getByRole('button', { name: 'Forgot your password?' }).click()
  const form = formOf(page, 'Choose another password')
  await form.getByLabel('User name').fill('forgetful')
  await form.getByRole('button', { name: 'Send the mail' }).click()
  await form.getByRole('button', { name: /Again in \d+ s/ }).waitFor()
  await checkAccess(t, page)
  t.ok(await form.getByRole('button', { name: /Again/ }).isDisabled())
  const first = await mail('reset', 'forgetful@example.com')

  await letPass()
  await page.clock.fastForward('01:00')
  await form.getByRole('button', { name: 'Send again' }).click()
  await isTold(page, 'It is sent once more, with the same code.')
  await form.getByLabel('Code').fill(first.code)
  await form.getByLabel('Your next password').fill(otherPassword)
  await form.getByRole('button', { name: 'Change the password' }).click()
  await isTold(page, 'Your password is changed. Log in with it.')
  await send(page, 'Log in', 'forgetful', otherPassword)
  await isGreeted(page, 'forgetful')
})

t.test('another address asks for the password once more, when it was given long ago', async (t) => {
  const { mail, open, letPass } = await world(t)
  const page = await open()
  await register(page, 'ada', 'ada@example.com')
  await letPass()
  await changeAddress(page, 'lovelace@example.com')
  await proveByPassword(t, page)
  await formOf(page, 'Confirm the address').getByRole('button', { name: 'Take another' }).click()
  await changeAddress(page, 'countess@example.com')
  await typeCode(page, 'Confirm the address', await mail('change', 'countess@example.com'))
  await isKnownAs(page, 'countess@example.com · verified')
})

t.test('no page has complained, of the policy or of anything else', async (t) => {
  t.same(chromium.complaints, [])
})
