/** Takes the pictures of the README and the docs anew: `npm run pictures`. */
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { promisify } from 'node:util'
import { TOTP } from 'otpauth'
import type { BrowserContextOptions, Page } from 'playwright-core'
import { launchChromium, startExample } from '../test/whole/example/run.ts'

const desktop = { viewport: { width: 1280, height: 925 } }
const phone = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 1.5 }
const iPhone = 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) ' +
  'Version/18.5 Mobile/15E148 Safari/604.1'

const address = 'ada@example.com'

const folder = await mkdtemp(join(tmpdir(), 'pictures-'))
const { server, printed, api } = await startExample(folder)
const browser = await launchChromium()

async function open (options: BrowserContextOptions = desktop, path = '') {
  const page = await (await browser.newContext(options)).newPage()
  await page.goto(`${api}${path}`)
  return page
}

async function send (page: Page, title: 'Create an account' | 'Log in') {
  const form = page.getByRole('form', { name: title })
  if (title === 'Create an account') await form.getByLabel('E-mail').fill(address)
  await form.getByLabel('User name').fill('ada')
  await form.getByLabel('Password').fill('correct horse battery staple')
  await form.getByRole('button').first().click()
  await page.getByRole('heading', { name: 'Hello, ada' }).waitFor()
}

const pathOf = (name: string) => join(import.meta.dirname, 'pictures', `${name}.png`)

async function take (page: Page, name: string) {
  await page.screenshot({ path: pathOf(name) })
}

/** What a page looks like in light and in dark. */
async function takeBoth (page: Page, name: string) {
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme })
    await take(page, colorScheme === 'light' ? name : `${name}-dark`)
  }
}

/** A dialog or a card alone, in light and in dark, with a little of what is around it. */
async function takePart (page: Page, selector: string, name: string) {
  await page.evaluate(() => scrollTo(0, 0))
  const { x, y, width, height } = (await page.locator(selector).boundingBox())!
  const clip = { x: x - 24, y: y - 24, width: width + 48, height: height + 48 }
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme })
    await page.screenshot({ path: pathOf(colorScheme === 'light' ? name : `${name}-dark`), clip, fullPage: true })
  }
}

/** A page of somebody who sets a second factor up, and adds passkeys. */
async function takeFactors () {
  const page = await open({ viewport: { width: 1280, height: 800 } })
  const devtools = await page.context().newCDPSession(page)
  await devtools.send('WebAuthn.enable')
  const authenticator = {
    protocol: 'ctap2', hasResidentKey: true, hasUserVerification: true, isUserVerified: true,
  } as const
  const { authenticatorId: laptop } = await devtools.send('WebAuthn.addVirtualAuthenticator', {
    options: { ...authenticator, transport: 'internal', automaticPresenceSimulation: true },
  })
  const form = page.getByRole('form', { name: 'Create an account' })
  await form.getByLabel('User name').fill('grace')
  await form.getByLabel('Password').fill('correct horse battery staple')
  await form.getByRole('button').first().click()
  await page.getByRole('button', { name: 'Set up', exact: true }).click()
  await page.locator('#enrolling[open]').waitFor()
  await takePart(page, '#enrolling', 'factor-app')
  const app = new TOTP({ secret: (await page.locator('#secret').textContent())!.replaceAll(' ', '') })
  await page.getByLabel('Code that').fill(app.generate())
  await page.keyboard.press('Enter')
  await page.locator('#recovery[open]').waitFor()
  await takePart(page, '#recovery', 'factor-recovery')
  await page.getByRole('button', { name: 'I have kept them' }).click()

  for (const [name, isLast] of [['Work laptop', false], ['Key on the key ring', true]] as const) {
    if (isLast) {
      await devtools.send('WebAuthn.removeVirtualAuthenticator', { authenticatorId: laptop })
      await devtools.send('WebAuthn.addVirtualAuthenticator', { options: { ...authenticator, transport: 'usb' } })
    }
    await page.getByLabel('Name, if you like').fill(name)
    await page.getByRole('button', { name: 'Add a passkey' }).click()
    await page.getByText(`${name} is added.`).waitFor()
  }
  await page.evaluate(() => { document.getElementById('notice')!.textContent = '' })
  await takePart(page, 'section[aria-labelledby=passkeys-title]', 'factor-passkeys')

  await page.getByRole('banner').getByRole('button', { name: 'Log out' }).click()
  await page.locator('#name').fill('grace')
  await page.locator('#password').fill('correct horse battery staple')
  await page.keyboard.press('Enter')
  await page.locator('#proving[open]').waitFor()
  await takePart(page, '#proving', 'factor-step')
}

interface SeenMail { kind: string, to: string, code: string, links: string[], html: string }

/** The newest mail of a kind, once it is there. */
async function mail (kind: string): Promise<SeenMail> {
  for (;;) {
    const answer = await fetch(`${api}/auth/outbox`, { headers: { accept: 'application/json' } })
    const { mails } = await answer.json() as { mails: SeenMail[] }
    const found = mails.findLast((mail) => mail.kind === kind && mail.to === address)
    if (found) return found
    await setTimeout(100)
  }
}

/** A mail as a mail program shows it, as high as it is. */
async function takeMail (kind: string) {
  const page = await (await browser.newContext({ viewport: { width: 640, height: 100 } })).newPage()
  await page.setContent((await mail(kind)).html)
  const height = await page.evaluate(() => document.documentElement.scrollHeight)
  await page.setViewportSize({ width: 640, height })
  await takeBoth(page, `mail-${kind}`)
}

/** What the tour prints, as a terminal shows it: tokens and ids are shortened, and the port is the usual one. */
async function terminalPage () {
  const { stdout } = await promisify(execFile)('sh', ['-c', printed.slice(printed.indexOf('api='))])
  const lines = stdout
    .replaceAll(api, 'http://localhost:3000')
    .replace(/([0-9a-f]{8})-[0-9a-f-]{27}/g, '$1…')
    .replace(/eyJ[\w-]+\.[\w-]+\.[\w-]+/g, 'eyJhbGciOi…')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replace(/^(\d{3}) (.+)$/gm, '<b class="of$1">$1</b> <i>$2</i>\n')
    .replace(/\n{3,}/g, '\n\n')
  return `<!doctype html><style>
    body { margin: 0; background: #14171c; color: #d5dae1; font: 14px/1.5 'DejaVu Sans Mono', monospace }
    pre { margin: 0; padding: 24px 28px; font: inherit; white-space: pre-wrap; overflow-wrap: anywhere }
    i { color: #8b95a3; font-style: normal } b { color: #7ee2a0 } .of401 { color: #ff9d94 }
  </style><pre><i>$</i> sh tour.sh\n${lines.trimEnd()}</pre>`
}

try {
  const page = await open()
  await send(page, 'Create an account')
  await page.getByRole('button', { name: 'Send the mail' }).click()
  await page.getByLabel('Code').locator('visible=true').fill((await mail('verify')).code)
  await page.getByRole('button', { name: 'Verify address' }).click()
  await page.getByText('· verified').waitFor()
  await page.getByRole('button', { name: 'Make me an admin' }).click()

  const small = await open({ ...phone, userAgent: iPhone })
  await small.getByRole('button', { name: 'Log in' }).click()
  await send(small, 'Log in')
  await small.getByText('Chrome on Linux').waitFor()
  await take(small, 'phone')
  await takeMail('new-device')

  await page.reload()
  await page.getByText('Safari on iPhone').waitFor()
  await takeBoth(page, 'signed-in')

  await page.emulateMedia({ colorScheme: 'light' })
  await page.getByRole('button', { name: 'Replay my old refresh token' }).click()
  await page.getByRole('heading', { name: 'The theft was found' }).waitFor()
  await page.setViewportSize({ width: 1280, height: 850 })
  await take(page, 'theft')

  // An address gets one mail in a minute.
  await page.evaluate(() => fetch('/auth/password/forgot', {
    method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"username":"ada"}',
  }))
  await takeMail('reset')
  const { links: [link] } = await mail('reset')
  for (const [name, viewport] of [['page-reset', { width: 1280, height: 470 }], ['page-reset-phone', { width: 390, height: 520 }]] as const) {
    const reset = await open({ viewport }, new URL(link!).pathname + new URL(link!).hash)
    await reset.getByLabel('New password').waitFor()
    await takeBoth(reset, name)
  }

  await takeFactors()

  const reference = await open({ viewport: { width: 1280, height: 920 } }, '/docs')
  await reference.getByText('Sign in with a password').waitFor()
  await take(reference, 'reference')

  const terminal = await browser.newPage({ viewport: { width: 1120, height: 100 } })
  await terminal.setContent(await terminalPage())
  await terminal.locator('pre').screenshot({ path: pathOf('tour') })
} finally {
  await browser.close()
  server.kill()
  await rm(folder, { recursive: true })
}
