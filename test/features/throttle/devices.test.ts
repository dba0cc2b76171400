// On each database.
import { createHmac, generateKeyPairSync, hkdfSync } from 'node:crypto'
import { mock } from 'node:test'
import t, { type Test } from 'tap'
import type { AccountsOptions } from '../../../lib/index.ts'
import { browser, setBy } from '../../support/browser.ts'
import { build, buildOnFile, password, secret } from '../../support/build.ts'
import { buildEnrolled, codeOf, wrongCode } from '../factors/enrolled.ts'
import { address, attempts } from './attempts.ts'

const on: AccountsOptions = { transport: 'cookie', throttle: { account: 3 } }
const day = 86_400_000
const name = '__Secure-device'

/** Strangers lock the account, from networks of their own. */
async function lock (app: Parameters<typeof attempts>[0], username = 'ada') {
  const { fail } = attempts(app)
  for (let tries = 0; tries < 4; tries++) await fail(username, address(tries))
}

/** An app, and a browser in which Ada has registered. */
async function signedUp (t: Test) {
  const { app } = await build(t, on)
  const page = browser(app)
  await page.post('/auth/register', { username: 'ada', password })
  return { app, page, device: page.valueOf('device') }
}

function stopClock (t: Test) {
  mock.timers.enable({ apis: ['Date'], now: Date.now() })
  t.teardown(() => mock.timers.reset())
}

/** Signs in with that cookie, from a network that nobody has used. */
function withDevice (
  app: Parameters<typeof attempts>[0],
  value: string | undefined,
  username = 'ada',
  secretWord = password
) {
  const { send } = attempts(app)
  return send(
    'POST',
    '/auth/login',
    { username, password: secretWord },
    '198.51.100.1',
    value === undefined ? {} : { cookie: `${name}=${value}` }
  )
}

t.test('strangers lock an account, and not its owner on a known device, even when they have logged out', async (t) => {
  const { app, page } = await signedUp(t)
  await page.post('/auth/logout')
  t.same(page.names(), [name], 'a logout leaves it')
  stopClock(t)
  await lock(app)
  t.equal((await withDevice(app, undefined)).statusCode, 429)
  const answer = await page.post('/auth/login', { username: 'ada', password })
  t.equal(answer.statusCode, 200)
  t.match(setBy(answer)[name], { path: '/auth', httpOnly: true, secure: true, sameSite: 'lax', maxAge: 400 * 86400 })
  t.equal((await withDevice(app, undefined)).statusCode, 429, 'which opens nothing for strangers')
})

t.test(
  'who is signed in on a known device gives the password again and changes it, whatever strangers do',
  async (t) => {
    const { app, page } = await signedUp(t)
    stopClock(t)
    await lock(app)
    const csrf = { 'x-csrf-token': page.valueOf('csrf')!, 'sec-fetch-site': 'same-origin' }
    t.equal((await page.send('POST', '/auth/reauthenticate', { password }, csrf)).statusCode, 200)
    const change = { current_password: password, new_password: `${password}!` }
    t.equal(
      (await page.send('PUT', '/auth/password', change, { ...csrf, 'x-csrf-token': page.valueOf('csrf')! })).statusCode,
      200
    )
  }
)

t.test('a known device is throttled by itself, and guesses no more than five times', async (t) => {
  const { app, device } = await signedUp(t)
  stopClock(t)
  const statuses = []
  for (let tries = 0; tries < 8; tries++) { statuses.push((await withDevice(app, device, 'ada', 'not at all the password')).statusCode) }
  t.same(statuses, [401, 401, 401, 401, 401, 401, 429, 429])
  t.equal(
    (await attempts(app).succeed('ada', address(9))).statusCode,
    200,
    'its failures are not counted for the account'
  )
  t.equal((await withDevice(app, undefined)).statusCode, 200, 'nor for the account where it is')
})

t.test('whoever knows the password and guesses codes does not lock an owner out on a known device', async (t) => {
  const { app, secret: seed, ticketOf, verify, tick } = await buildEnrolled(t, { transport: 'both', throttle: { factor: 2 } })
  const page = browser(app)
  const own = { 'sec-fetch-site': 'same-origin' }
  const logIn = () => page.post('/auth/login', { username: 'ada', password, transport: 'cookie' }, own)
  const prove = (code: string) => page.post('/auth/factors/verify', { code }, own)
  t.equal((await logIn()).statusCode, 403)
  tick(30)
  t.equal((await prove(codeOf(seed))).statusCode, 200)

  const guess = async () => (await verify(await ticketOf(), { code: wrongCode(seed) })).statusCode
  t.same([await guess(), await guess(), await guess(), await guess()], [401, 401, 401, 429])
  t.equal((await logIn()).statusCode, 403)
  tick(30)
  t.equal((await prove(codeOf(seed))).statusCode, 200)
})

t.test('who fails in the same network does not lock an owner out on a known device', async (t) => {
  const { app, device } = await signedUp(t)
  stopClock(t)
  for (let round = 0; round < 10; round++) {
    const stranger = await withDevice(app, undefined, 'ada', 'not at all the password')
    mock.timers.tick(Number(stranger.headers['retry-after'] ?? 0) * 1000)
  }
  t.equal((await withDevice(app, undefined)).statusCode, 429)
  t.equal((await withDevice(app, device)).statusCode, 200)
})

t.test('a value that is forged, of another user, too old or for an older password is worth nothing', async (t) => {
  const { app, sql } = await buildOnFile(t, on)
  const [ada, bob] = [browser(app), browser(app)]
  const { user } = (await ada.post('/auth/register', { username: 'ada', password })).json()
  await bob.post('/auth/register', { username: 'bob', password })
  const device = ada.valueOf('device')!
  const [nonce, issued, signature] = device.split('.')
  const { password_changed_at: changed } = (await sql.get(
    'select password_changed_at from accounts_users where id = ?',
    user.id
  ))!
  const key = Buffer.from(hkdfSync('sha256', secret, '', 'fastify-jwt-accounts/device/v1', 32))
  const csrfKey = Buffer.from(hkdfSync('sha256', secret, '', 'fastify-jwt-accounts/csrf/v1', 32))
  const sign = (stem: string, by: string | Buffer = key) =>
    `${stem}.${createHmac('sha256', by).update(`${user.id} ${changed} ${stem}`).digest('base64url')}`
  t.equal(sign(`${nonce}.${issued}`), device)

  stopClock(t)
  await lock(app)
  for (const [what, value] of Object.entries({
    'of another user': bob.valueOf('device')!,
    'of another nonce': `${'A'.repeat(22)}.${issued}.${signature}`,
    'of another time': `${nonce}.${Number(issued) + 1}.${signature}`,
    'another signature': `${nonce}.${issued}.${'A'.repeat(43)}`,
    'signed with the secret': sign(`${nonce}.${issued}`, secret),
    'signed with another key of ours': sign(`${nonce}.${issued}`, csrfKey),
    'too old': sign(`${nonce}.${Number(issued) - 401 * 86400}`),
    empty: '',
    'no value of ours': 'x',
    'in part': `${nonce}.${issued}`,
    'with more': `${device}.`,
    'a long one': 'x'.repeat(8000),
    'the value against CSRF': ada.valueOf('csrf')!,
    'a refresh token': ada.valueOf('refresh')!,
  })) t.equal((await withDevice(app, value)).statusCode, 429, what)
  t.equal((await withDevice(app, device)).statusCode, 200)
  t.equal((await withDevice(app, device, 'nobody')).statusCode, 401, 'of nobody it is worth nothing, and is no error')

  const changedPassword = `${password}!`
  await ada.send(
    'PUT',
    '/auth/password',
    { current_password: password, new_password: changedPassword },
    { 'sec-fetch-site': 'same-origin' }
  )
  t.not(ada.valueOf('device'), device)
  t.equal((await withDevice(app, device, 'ada', changedPassword)).statusCode, 429, 'for an older password')
  t.equal((await withDevice(app, ada.valueOf('device'), 'ada', changedPassword)).statusCode, 200)
})

t.test('where a key only verifies, a value that no key made is worth nothing, and no error', async (t) => {
  const { publicKey } = generateKeyPairSync('ed25519')
  const { app } = await build(t, { ...on, secret: [secret, { public: publicKey }] })
  const page = browser(app)
  await page.post('/auth/register', { username: 'ada', password })
  const [nonce, issued] = page.valueOf('device')!.split('.')
  t.equal((await withDevice(app, `${nonce}.${issued}.${'A'.repeat(43)}`)).statusCode, 200)
  await lock(app)
  t.equal((await withDevice(app, `${nonce}.${issued}.${'A'.repeat(43)}`)).statusCode, 429)
})

t.test('a key pair makes it by its private number, today and in later versions', async (t) => {
  const { privateKey } = generateKeyPairSync('ed25519')
  const { app, sql } = await buildOnFile(t, { ...on, secret: { private: privateKey } })
  const page = browser(app)
  const { user: { id } } = (await page.post('/auth/register', { username: 'ada', password })).json()
  const [, stem, signature] = /^(.+)\.(.+)$/.exec(page.valueOf('device')!)!
  const { password_changed_at: changed } = (await sql.get('select password_changed_at from accounts_users'))!
  const number = Buffer.from(privateKey.export({ format: 'jwk' }).d!, 'base64url')
  const key = Buffer.from(hkdfSync('sha256', number, '', 'fastify-jwt-accounts/device/v1', 32))
  t.equal(signature, createHmac('sha256', key).update(`${id} ${changed} ${stem}`).digest('base64url'))
})

t.test('it lasts 400 days', async (t) => {
  const { app, device } = await signedUp(t)
  mock.timers.enable({ apis: ['Date'], now: Date.now() + 399 * day })
  t.teardown(() => mock.timers.reset())
  await lock(app)
  t.equal((await withDevice(app, device)).statusCode, 200)
  mock.timers.tick(2 * day)
  await lock(app)
  t.equal((await withDevice(app, device)).statusCode, 429)
})

t.test(
  'keys may be changed: the first makes values, all check them, and that of a retired one is worth nothing',
  async (t) => {
    const pair = () => ({ private: generateKeyPairSync('ed25519').privateKey })
    for (const [old, next] of [
      ['x7Kp2mQ9vLw4RtYb8NjHc3FsZ1DgA6uE', secret],
      [pair(), pair()],
    ]) {
      const { app, db } = await buildOnFile(t, { ...on, secret: old! })
      const page = browser(app)
      await page.post('/auth/register', { username: 'ada', password })
      const device = page.valueOf('device')
      stopClock(t)
      await lock(app)

      const rotated = await build(t, { ...on, db, secret: [next!, old!] })
      const answer = await withDevice(rotated.app, device)
      t.equal(answer.statusCode, 200)
      const retired = await build(t, { ...on, db, secret: next! })
      await lock(retired.app)
      t.equal((await withDevice(retired.app, device)).statusCode, 429)
      t.equal((await withDevice(retired.app, setBy(answer)[name]!.value)).statusCode, 200)
      mock.timers.reset()
    }
  }
)

t.test(
  'where tokens travel in bodies there is none, nor where the app throttles itself, nor at a refresh',
  async (t) => {
    const { app } = await build(t, { ...on, transport: 'both' })
    const { send } = attempts(app)
    await send('POST', '/auth/register', { username: 'ada', password }, address(1))
    t.same(setBy(await send('POST', '/auth/login', { username: 'ada', password }, address(1))), {})
    const page = browser(app)
    const answer = await page.post('/auth/login', { username: 'ada', password, transport: 'cookie', remember: false })
    t.equal(setBy(answer)[name]!.maxAge, undefined, 'a browser that is not to remember forgets it')
    t.notOk(setBy(await page.post('/auth/refresh'))[name])

    const without = await build(t, { transport: 'cookie', throttle: false })
    t.notOk(setBy(await browser(without.app).post('/auth/register', { username: 'ada', password }))[name])
  }
)

t.test('it has a name and a path like the other cookies', async (t) => {
  const { app } = await build(t, { ...on, cookies: { device: { name: '__Host-known', path: '/' } } })
  const answer = await browser(app).post('/auth/register', { username: 'ada', password })
  t.match(setBy(answer)['__Host-known'], { path: '/' })
  await t.rejects(build(t, { ...on, cookies: { device: { name: '__Secure-refresh' } } }), {
    message: /cookies must have different names/,
  })
  await t.rejects(build(t, { ...on, cookies: { device: { name: '__Host-device' } } }), {
    message: /cookies\.device\.name __Host-device/,
  })
})
