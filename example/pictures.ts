/** Takes the pictures of the README anew: `npm run pictures`. */
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { BrowserContextOptions, Page } from 'playwright-core'
import { launchChromium, startExample } from '../test/whole/example/run.ts'

const desktop = { viewport: { width: 1280, height: 920 } }
const phone = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 1.5 }
const iPhone = 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) ' +
  'Version/18.5 Mobile/15E148 Safari/604.1'

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
  await form.getByLabel('User name').fill('ada')
  await form.getByLabel('Password').fill('correct horse battery staple')
  await form.getByRole('button').first().click()
  await page.getByRole('heading', { name: 'Hello, ada' }).waitFor()
}

async function take (page: Page, name: string) {
  await page.screenshot({ path: join(import.meta.dirname, 'pictures', `${name}.png`) })
}

/** What the tour prints, as a terminal shows it: tokens are shortened, and the port is the usual one. */
async function terminalPage () {
  const { stdout } = await promisify(execFile)('sh', ['-c', printed.slice(printed.indexOf('api='))])
  const lines = stdout
    .replaceAll(api, 'http://localhost:3000')
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

  const small = await open({ ...phone, userAgent: iPhone })
  await small.getByRole('button', { name: 'Log in' }).click()
  await send(small, 'Log in')
  await small.getByText('Chrome on Linux').waitFor()
  await take(small, 'phone')

  await page.getByText('Safari on iPhone').waitFor()
  await take(page, 'signed-in')
  await page.emulateMedia({ colorScheme: 'dark' })
  await take(page, 'signed-in-dark')

  await page.emulateMedia({ colorScheme: 'light' })
  await page.getByRole('button', { name: 'Replay my old refresh token' }).click()
  await page.getByRole('heading', { name: 'The theft was found' }).waitFor()
  await take(page, 'theft')

  const reference = await open(desktop, '/docs')
  await reference.getByText('Sign in with a password').waitFor()
  await take(reference, 'reference')

  const terminal = await browser.newPage({ viewport: { width: 1120, height: 100 } })
  await terminal.setContent(await terminalPage())
  await terminal.locator('pre').screenshot({ path: join(import.meta.dirname, 'pictures', 'tour.png') })
} finally {
  await browser.close()
  server.kill()
  await rm(folder, { recursive: true })
}
