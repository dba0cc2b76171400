// In a process of its own, for 40 s: it opens a browser.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { FastifyServerOptions } from 'fastify'
import t, { type Test } from 'tap'
import type { AccountsOptions } from '../../../lib/index.ts'
import { build, password } from '../../support/build.ts'
import { certificateOf } from '../../support/certificate.ts'
import { freePort } from '../../support/free-port.ts'
import { openChromium } from '../../whole/example/pages.ts'

let chromium: Awaited<ReturnType<typeof openChromium>>

t.before(async () => {
  chromium = await openChromium(t)
})

/** The script of the documents, as it stands. */
const script = /```js\n([^]+?)```/.exec(
  readFileSync(join(import.meta.dirname, '..', '..', '..', 'docs', 'passkeys.md'), 'utf8'))![1]!

const html = `<!doctype html><title>App</title><input autocomplete="username webauthn" autofocus><script>${script}</script>`

/** An app with the page of the documents, and a browser with an authenticator. */
async function world (t: Test, options: (origin: string) => AccountsOptions = () => ({})) {
  const port = await freePort()
  const origin = `http://localhost:${port}`
  const built = await build(t, { transport: 'both', passkeys: { origins: [origin] }, ...options(origin) })
  built.app.get('/', (_, reply) => reply.type('text/html').send(html))
  await built.app.listen({ port, host: 'localhost' })
  return { ...built, origin, ...await visit(t, origin) }
}

/** A browser with an authenticator at a page of the documents. */
async function visit (t: Test, origin: string, { openBrowser } = chromium) {
  const page = await (await openBrowser(t)).newPage()
  const cdp = await page.context().newCDPSession(page)
  await cdp.send('WebAuthn.enable')
  const { authenticatorId } = await cdp.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  })
  await page.goto(origin)

  /** Runs a call of the script, and gives its answer or its refusal. */
  const run = (call: string) => page.evaluate(async (call) =>
    // eslint-disable-next-line no-eval
    (0, eval)(`(async () => ${call})()`).catch((error: any) => ({ code: error.code, name: error.name })), call)
  return { page, cdp, authenticatorId, run, forget: () => page.context().clearCookies() }
}

/** Ada, who has a password, and has added a passkey by the page. */
async function withAda (t: Test, options?: (origin: string) => AccountsOptions) {
  const built = await world(t, options)
  await built.run(`call('POST', '/register', { username: 'ada', password: '${password}', transport: 'cookie' })`)
  const added = await built.run("addPasskey('Laptop')")
  await built.forget()
  return { ...built, added, byPassword: `call('POST', '/login', { username: 'ada', password: '${password}', transport: 'cookie' })` }
}

t.test('a passkey is added, and signs in by a button or among the names that the browser fills in', async (t) => {
  const { added, run, forget, page } = await withAda(t)
  t.match(added, { passkey: { name: 'Laptop', transports: ['internal'] }, csrf_token: String })
  t.equal(added.recovery_codes.length, 10)
  t.match(await run('logIn()'), { user: { username: 'ada' } })
  t.match(await run("call('GET', '/me')"), { username: 'ada' })

  await forget()
  await page.reload()
  t.ok(await page.evaluate(() => PublicKeyCredential.isConditionalMediationAvailable()))
  t.match(await run("logIn({ mediation: 'conditional' })"), { user: { username: 'ada' } })
})

t.test('it is the second factor after the password, and proves once more who is signed in', async (t) => {
  const { run, byPassword } = await withAda(t)
  t.match(await run(byPassword), { code: 'ACCOUNTS_FACTOR_REQUIRED' })
  t.match(await run('proveSecondFactor()'), { user: { username: 'ada' } })
  t.match(await run('proveAgain()'), { user: { username: 'ada' } })
})

t.test('somebody registers without a password, adds another passkey, and removes one', async (t) => {
  const { run, cdp, authenticatorId } = await world(t)
  const made = await run("register('eve')")
  t.match(made, { user: { username: 'eve' } })
  t.equal(made.recovery_codes.length, 10)
  t.match(await run("addPasskey('Again')"), { name: 'InvalidStateError' }, 'the browser knows that it has one')
  const { passkeys: [first] } = await run("call('GET', '/passkeys')")
  t.match(await run(`removePasskey('${first.id}')`), { code: 'ACCOUNTS_LAST_CREDENTIAL' })

  const { authenticatorId: other } = await cdp.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'usb',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  })
  await cdp.send('WebAuthn.setAutomaticPresenceSimulation', { authenticatorId, enabled: false })
  t.match(await run("addPasskey('Key')"), { passkey: { name: 'Key', transports: ['usb'] } })
  t.match(await run(`removePasskey('${first.id}')`), null)
  t.equal((await run("call('GET', '/passkeys')")).passkeys.length, 1)
  t.equal((await cdp.send('WebAuthn.getCredentials', { authenticatorId: other })).credentials.length, 1)
})

t.test('without user verification a passkey is a second factor, and no login', async (t) => {
  const { run, cdp, authenticatorId, byPassword, forget } = await withAda(t)
  await cdp.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: false })
  t.match(await run('logIn()'), { name: 'NotAllowedError' }, 'the browser insists')
  const lazily = (asked: string, path: string) => `(async () => {
    const { options } = await call('POST', '/passkeys/options', { for: '${asked}' })
    const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON({ ...options, userVerification: 'discouraged' })
    const credential = (await navigator.credentials.get({ publicKey })).toJSON()
    return call('POST', '${path}', { credential })
  })()`
  t.match(await run(lazily('login', '/passkeys/login')), { code: 'ACCOUNTS_PASSKEY_INVALID' }, 'and so does the server')
  await forget()
  await run(byPassword)
  t.match(await run(lazily('factor', '/factors/verify')), { user: { username: 'ada' } })
})

t.test('a copy of a key, whose counter is behind, lets nobody in', async (t) => {
  const { run, cdp, authenticatorId, forget } = await withAda(t)
  const { credentials: [copy] } = await cdp.send('WebAuthn.getCredentials', { authenticatorId })
  for (let times = 0; times < 3; times++) t.match(await run('logIn()'), { user: { username: 'ada' } })
  await forget()
  await cdp.send('WebAuthn.clearCredentials', { authenticatorId })
  await cdp.send('WebAuthn.addCredential', { authenticatorId, credential: { ...copy!, signCount: 0 } })
  t.match(await run('logIn()'), { code: 'ACCOUNTS_PASSKEY_INVALID' })
})

t.test('a page on another port is another origin', async (t) => {
  const { run } = await world(t, () => ({ passkeys: { origins: ['http://localhost:1'] } }))
  t.match(await run("register('eve')"), { code: 'ACCOUNTS_PASSKEY_INVALID' })
})

t.test('a passkey of one origin signs in at the others of the list, on another domain too, and nowhere else', async (t) => {
  const origins = ['https://app.test', 'https://www.app.test', 'https://shop.test']
  const built = await build(t, { transport: 'both', passkeys: { origins, rpId: 'app.test' } }, {
    https: await certificateOf(['app.test']),
  } as FastifyServerOptions)
  built.app.get('/', (_, reply) => reply.type('text/html').send(html))
  const https = await freePort()
  await built.app.listen({ port: https, host: '127.0.0.1' })

  const there = await openChromium(t, { https })
  const { page, run, forget } = await visit(t, origins[0]!, there)
  t.match(await run("register('eve')"), { user: { username: 'eve' } })
  for (const origin of origins) {
    await forget()
    await page.goto(origin)
    t.match(await run('logIn()'), { user: { username: 'eve' } }, origin)
  }
  t.match(await run("addPasskey('Of the shop')"), { name: 'InvalidStateError' }, 'it is one and the same')

  await page.goto('https://evil.test')
  t.match(await run('logIn()'), { name: 'SecurityError' })
  t.same(there.complaints, [])
})

t.test('no page has complained', async (t) => {
  t.same(chromium.complaints, [])
})
