// In a process of its own, for 30 s: it opens a browser.
import type { BrowserContextOptions, Page } from 'playwright-core'
import t, { type Test } from 'tap'
import type { AccountsOptions } from '../../../lib/index.ts'
import { clock, enrolTotp } from '../../../lib/testing.ts'
import { build, buildOnFile, password } from '../../support/build.ts'
import { until } from '../../support/waiting.ts'
import { checkAccess, checkWidth, desktop, openChromium, phone } from '../../whole/example/pages.ts'

let chromium: Awaited<ReturnType<typeof openChromium>>

t.before(async () => {
  chromium = await openChromium(t)
})

const whole: AccountsOptions = {
  admin: { roles: { admin: ['*'], support: ['users:read'] }, impersonation: true },
  events: { store: true, seal: '1s' },
  factors: true,
  mail: true,
  email: { verification: 'none' },
  keys: true,
  routes: { users: true, events: true, adminPage: true },
}

/** An app on a socket with a page for admins, some users, and a way to open the page. */
async function world (t: Test, options: AccountsOptions = {}) {
  const built = await buildOnFile(t, { ...whole, ...options })
  const { app } = built
  const { users } = app.accounts
  const root = await users.create({ username: 'root', password, roles: ['admin'] })
  await users.create({ username: 'help', password, roles: ['support'] })
  const ada = await users.create({ username: 'ada', email: 'ada@example.com', password })
  const api = (await app.listen({ port: 0, host: '127.0.0.1' })).replace('127.0.0.1', 'localhost')

  async function open (options: BrowserContextOptions = desktop) {
    const page = await (await chromium.openBrowser(t, options)).newPage()
    await page.goto(`${api}/auth/admin`)
    return page
  }

  async function signIn (page: Page, name = 'root', given = password) {
    await page.getByLabel('User name or e-mail').fill(name)
    await page.getByLabel('Password', { exact: true }).fill(given)
    await page.getByRole('button', { name: 'Sign in' }).click()
  }

  /** The page as somebody sees it who has signed in. */
  async function enter (options: BrowserContextOptions = desktop, name = 'root') {
    const page = await open(options)
    await signIn(page, name)
    await heading(page, 'Users').waitFor()
    return page
  }

  return { ...built, api, root, ada, open, signIn, enter }
}

const heading = (page: Page, name: string) => page.getByRole('heading', { level: 1, name })
const dialog = (page: Page) => page.getByRole('dialog')

/** Opens the page of a user. */
async function showUser (page: Page, name: string) {
  await page.getByRole('link', { name, exact: true }).click()
  await heading(page, name).waitFor()
}

/** Presses a button of a user, and then what the dialog offers. */
async function confirm (page: Page, button: string, action: string, fill: Record<string, string> = {}) {
  await page.getByRole('button', { name: button, exact: true }).click()
  for (const [label, text] of Object.entries(fill)) await dialog(page).getByLabel(label).fill(text)
  await dialog(page).getByRole('button', { name: action, exact: true }).click()
}

const told = (page: Page, text: string) => page.locator('#notice').filter({ hasText: text }).waitFor()

t.test('it comes with nothing from elsewhere, stands in no frame, and is the same for everybody', async (t) => {
  const { app } = await world(t)
  const answer = await app.inject('/auth/admin')
  t.match(answer.headers['content-security-policy'], /^default-src 'none'; script-src 'sha256-\S+'; style-src 'sha256-/)
  t.match(answer.headers['content-security-policy'], /connect-src 'self'; form-action 'none'.*frame-ancestors 'none'$/)
  t.match(answer.headers, { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' })
  t.notMatch(answer.body, /https?:\/\/|&quot;support|ada/)
  t.equal((await app.inject('/auth/admin')).body, answer.body)
})

t.test('it is there only where it is asked for, and with what it needs', async (t) => {
  const { app } = await build(t, { routes: { users: true } })
  t.equal((await app.inject('/auth/admin')).statusCode, 404)
  for (const [options, message] of [
    [{ routes: { adminPage: true } }, /routes\.adminPage needs routes\.users/],
    [{ routes: { adminPage: true, users: true, login: false } }, /routes\.adminPage needs routes\.login/],
    [{ routes: { adminPage: true, users: true }, transport: 'cookie' }, /routes\.adminPage needs transport/],
  ] as const) await t.rejects(build(t, options), { code: 'ACCOUNTS_OPTIONS_INVALID', message })
  const moved = await build(t, { identifiers: ['email'], routes: { users: '/people', adminPage: '/desk' } })
  t.match((await moved.app.inject('/auth/desk')).body, /&quot;loginField&quot;:&quot;email&quot;/)
  t.match((await moved.app.inject('/auth/desk')).body, /&quot;users&quot;:&quot;\/people&quot;/)
})

t.test('whoever may look after nobody is sent away, and what is wrong is said', async (t) => {
  const { open, signIn } = await world(t)
  const page = await open()
  const alert = page.getByRole('alert')
  await signIn(page, 'root', 'not this one')
  await alert.filter({ hasText: 'That is not right.' }).waitFor()
  await checkAccess(t, page)
  await signIn(page, 'ada')
  await alert.filter({ hasText: 'This account may not look after others.' }).waitFor()
  t.ok(await page.getByLabel('User name or e-mail').isVisible())
})

t.test('the tokens are gone with the page, and nothing of it is stored', async (t) => {
  const { enter } = await world(t, { transport: 'both' })
  const page = await enter()
  const stored = await page.evaluate(() => [localStorage.length, sessionStorage.length, document.cookie])
  t.same(stored, [0, 0, ''])
  t.same(await page.context().cookies(), [])
  await page.reload()
  await heading(page, 'Sign in').waitFor()
})

t.test('a second factor is asked for, and to prove it once more', async (t) => {
  const { app, root, open, signIn } = await world(t)
  const { code, recoveryCodes } = await enrolTotp(app, root.id)
  const page = await open()
  await signIn(page)
  const field = page.locator('#sign-in').getByLabel('Code of your app, or a recovery code')
  await field.fill('000000')
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByRole('alert').filter({ hasText: 'That code is not right.' }).waitFor()
  await field.fill(code())
  await page.getByRole('button', { name: 'Sign in' }).click()
  await heading(page, 'Users').waitFor()
  await showUser(page, 'ada')
  const time = clock()
  t.teardown(time.restore)
  time.advance('11m')
  await confirm(page, 'Delete', 'Delete for good')
  const proof = page.getByRole('dialog', { name: 'Is it still you?' })
  await proof.getByLabel('Your password').fill(password)
  await page.keyboard.press('Enter')
  await proof.getByLabel('Code of your app, or a recovery code').fill(recoveryCodes[0]!)
  await page.keyboard.press('Enter')
  await told(page, 'ada is deleted.')
})

t.test('what is done to a user is said before, and told of after', async (t) => {
  const { app, ada, enter } = await world(t)
  const { users } = app.accounts
  const page = await enter()
  await showUser(page, 'ada')
  await page.getByRole('button', { name: 'Disable', exact: true }).click()
  t.match(await dialog(page).innerText(), /Every session of theirs ends at once/)
  await page.keyboard.press('Escape')
  t.equal((await users.find(ada.id))!.disabledAt, null, 'not without a yes')

  await confirm(page, 'Disable', 'Disable')
  await told(page, 'ada is disabled.')
  t.ok((await users.find(ada.id))!.disabledAt)
  await confirm(page, 'Enable', 'Enable')
  await told(page, 'ada is enabled.')
  await confirm(page, 'Change roles', 'Change roles', { 'Roles, with commas between': ' cook, , cook,waiter' })
  await told(page, 'The roles are changed.')
  t.same((await users.find(ada.id))!.roles, ['cook', 'waiter'])
  await confirm(page, 'Delete', 'Delete for good')
  await told(page, 'ada is deleted.')
  await heading(page, 'Users').waitFor()
  t.equal(await users.find(ada.id), null)
})

t.test('what the account may not do is said in the dialog', async (t) => {
  const { enter } = await world(t)
  const page = await enter(desktop, 'help')
  t.notOk(await page.getByRole('link', { name: 'Events', exact: true }).isVisible(), 'nor are views shown that it may not see')
  await showUser(page, 'ada')
  await confirm(page, 'Disable', 'Disable')
  await dialog(page).getByRole('alert').filter({ hasText: 'Your account may not do this.' }).waitFor()
  await checkAccess(t, page)
  await dialog(page).getByRole('button', { name: 'Cancel' }).click()
  t.notOk(await dialog(page).isVisible())
})

t.test('after 10 minutes the password is asked for again, and then it is done', async (t) => {
  const { app, ada, enter } = await world(t)
  const page = await enter()
  await showUser(page, 'ada')
  const time = clock()
  t.teardown(time.restore)
  time.advance('11m')
  await confirm(page, 'Delete', 'Delete for good')
  const proof = page.getByRole('dialog', { name: 'Is it still you?' })
  await proof.getByLabel('Your password').fill('not this one')
  await checkAccess(t, page)
  await proof.getByRole('button', { name: 'Go on' }).click()
  await proof.getByRole('alert').filter({ hasText: 'That is not right.' }).waitFor()
  await proof.getByLabel('Your password').fill(password)
  await proof.getByRole('button', { name: 'Go on' }).click()
  await told(page, 'ada is deleted.')
  t.equal(await app.accounts.users.find(ada.id), null)
})

t.test('a token to act as a user is shown once', async (t) => {
  const { app, enter } = await world(t)
  const page = await enter()
  await showUser(page, 'ada')
  await confirm(page, 'Act as this user', 'Get a token')
  await dialog(page).getByRole('alert').filter({ hasText: 'reason' }).waitFor()
  await dialog(page).getByLabel('Reason, for the log').fill('Ticket 1')
  await page.keyboard.press('Enter')
  const token = await page.locator('.token').innerText()
  const { user } = (await app.inject({ url: '/guarded', headers: { authorization: `Bearer ${token}` } })).json()
  t.equal(user.username, 'ada')
  await checkAccess(t, page)
  await page.getByRole('link', { name: 'Users', exact: true }).click()
  await showUser(page, 'ada')
  t.notOk(await page.locator('.token').isVisible())
})

t.test('whoever was signed out elsewhere is told, and signs in again', async (t) => {
  const { app, root, enter, signIn } = await world(t)
  const page = await enter()
  await app.accounts.sessions.revokeAll(root.id)
  await page.getByRole('link', { name: 'Events', exact: true }).click()
  await page.getByRole('alert').filter({ hasText: 'Your session is over.' }).waitFor()
  await signIn(page)
  await heading(page, 'Events').waitFor()
  await page.getByRole('button', { name: 'Sign out' }).click()
  await heading(page, 'Sign in').waitFor()
  await told(page, 'You are signed out.')
  await until(async () => (await app.accounts.sessions.list(root.id)).length === 0)
})

t.test('the keyboard goes everywhere, and back', async (t) => {
  const { open } = await world(t)
  const page = await open()
  await page.locator('#identifier:focus').waitFor()
  await page.keyboard.type('root')
  await page.keyboard.press('Tab')
  await page.keyboard.type(password)
  await page.keyboard.press('Enter')
  await heading(page, 'Users').waitFor()
  await page.getByRole('link', { name: 'ada', exact: true }).waitFor()
  t.equal(await page.evaluate(() => document.activeElement?.tagName), 'H1', 'what is read aloud begins there')
  for (const expected of ['root', 'help', 'ada'].toReversed()) {
    await page.keyboard.press('Tab')
    t.equal(await page.evaluate(() => document.activeElement?.textContent), expected)
  }
  await page.getByRole('link', { name: 'ada', exact: true }).focus()
  await page.keyboard.press('Enter')
  await heading(page, 'ada').waitFor()
  await page.goBack()
  await heading(page, 'Users').waitFor()
})

t.test('long lists come in parts', async (t) => {
  const { app, enter } = await world(t)
  for (let made = 0; made < 30; made++) await app.accounts.users.create({ username: `guest-${made}` })
  const page = await enter()
  await page.getByRole('button', { name: 'Show more' }).click()
  await page.getByRole('link', { name: 'root', exact: true }).waitFor()
  t.equal(await page.getByRole('listitem').count(), 33)
  t.notOk(await page.getByRole('button', { name: 'Show more' }).isVisible())
  t.equal(await page.evaluate(() => document.activeElement?.textContent), 'guest-4')
})

t.test('events are filtered', async (t) => {
  const { enter, ada } = await world(t)
  const page = await enter()
  await showUser(page, 'ada')
  await confirm(page, 'Disable', 'Disable')
  await told(page, 'ada is disabled.')
  await page.getByRole('link', { name: 'Events', exact: true }).click()
  await page.getByText('login', { exact: true }).first().waitFor()
  await page.getByLabel('Id of the user').fill(ada.id)
  await page.getByLabel('From').fill('2020-01-01T00:00')
  await page.getByRole('button', { name: 'Filter' }).click()
  await page.getByText('login', { exact: true }).first().waitFor({ state: 'detached' })
  await page.getByText('user-disabled').waitFor()
  await page.getByRole('link', { name: 'user', exact: true }).click()
  await heading(page, 'ada disabled').waitFor()
})

t.test('seals tell whether somebody has changed events', async (t) => {
  const { enter, sql } = await world(t)
  const page = await enter()
  const sealed = async () => (await sql.get('select seal from accounts_events where type = ?', 'login'))?.seal
  await until(async () => typeof await sealed() === 'number')
  await page.getByRole('link', { name: 'Events', exact: true }).click()
  await page.getByRole('button', { name: 'Check the chain' }).click()
  await page.getByText('The chain is whole: ').waitFor()
  await sql.run('update accounts_events set reason = ? where type = ?', 'restore', 'login')
  await page.getByRole('button', { name: 'Check the chain' }).click()
  await page.getByText(`The chain of seals is broken at seal ${await sealed()}.`).waitFor()
  await checkAccess(t, page)
})

t.test('what somebody has typed is text', async (t) => {
  const { app, enter } = await world(t)
  const evil = '<img/src=x/onerror=alert(1)>'
  await app.accounts.users.create({ username: 'eve', roles: [evil] })
  const page = await enter()
  await showUser(page, 'eve')
  t.ok(await page.getByText(evil).first().isVisible())
  t.equal(await page.locator('img').count(), 0)
})

t.test('nothing stands in the way or sticks out, wide and narrow, in light and dark', async (t) => {
  const { enter } = await world(t)
  for (const device of [desktop, phone]) {
    const page = await enter(device)
    const check = async () => {
      await checkAccess(t, page)
      await checkWidth(t, page)
    }
    await page.getByRole('link', { name: 'ada', exact: true }).waitFor()
    await check()
    await showUser(page, 'ada')
    await page.getByText('There are none.').first().waitFor()
    await check()
    await page.getByRole('button', { name: 'Act as this user' }).click()
    await check()
    await page.keyboard.press('Escape')
    await page.getByRole('link', { name: 'Events', exact: true }).click()
    await page.getByText('login', { exact: true }).first().waitFor()
    await check()
  }
})

t.test('no page has complained of anything', async (t) => {
  t.same(chromium.complaints, [])
})
