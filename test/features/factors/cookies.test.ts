import { mock } from 'node:test'
import { test, type Test } from 'tap'
import type { AccountsOptions } from '../../../lib/index.ts'
import { build, password } from '../../support/build.ts'
import { browser } from '../../support/browser.ts'
import { codeOf, stopClock } from './enrolled.ts'

/** Ada in a browser, whose role needs a second factor, and who has an app after `enrol`. */
async function buildInBrowser (t: Test, options: AccountsOptions = {}) {
  const tick = stopClock(t)
  const built = await build(t, { factors: true, transport: 'cookie', ...options })
  await built.app.accounts.users.create({ username: 'ada', password })
  const { post, send, names, valueOf } = browser(built.app)
  const origin = { 'sec-fetch-site': 'same-origin' }
  const login = () => post('/auth/login', { username: 'ada', password })
  async function enrol () {
    const { enrolment, secret } = (await post('/auth/factors/totp')).json()
    const answer = await send('PUT', '/auth/factors/totp', { enrolment, code: codeOf(secret) }, origin)
    return { answer, secret: secret as string }
  }
  return { ...built, post, names, valueOf, tick, login, enrol }
}

test('the ticket of an enrolment is in a cookie too, which a token goes before', async (t) => {
  const told: string[] = []
  const { login, enrol, names, app, valueOf } = await buildInBrowser(t, {
    factors: { requireFor: () => true }, hooks: { onLogin: ({ username }) => { told.push(username!) } },
  })
  t.equal((await login()).json().code, 'ACCOUNTS_FACTOR_ENROLMENT_REQUIRED')
  const ticket = valueOf('ticket')!
  const cookies = { '__Secure-ticket': ticket, '__Host-access': 'x' }
  const shown = await app.inject({
    method: 'POST', url: '/auth/factors/totp', cookies, headers: { 'sec-fetch-site': 'same-origin' },
  })
  t.equal(shown.json().code, 'ACCOUNTS_TOKEN_INVALID')
  const twice = await app.inject({
    method: 'POST', url: '/auth/factors/totp', cookies: { '__Secure-ticket': ticket }, headers: { authorization: 'Bearer a b' },
  })
  t.equal(twice.statusCode, 400, 'and one that is none does, too')

  t.equal((await enrol()).answer.statusCode, 200)
  t.notOk(names().includes('__Secure-ticket'))
  t.same(told, ['ada'])
})

test('a browser forgets a ticket that is void, and keeps one that is late or met a fault of the app', async (t) => {
  let isBroken = false
  const { login, enrol, post, names, app, tick } = await buildInBrowser(t, {
    claims () {
      if (isBroken) throw new Error('of the app')
      return {}
    },
  })
  await login()
  const { secret } = await enrol()
  const hasTicket = () => names().includes('__Secure-ticket')
  const verify = () => {
    tick(30)
    return post('/auth/factors/verify', { code: codeOf(secret) })
  }

  await login()
  isBroken = true
  t.equal((await verify()).statusCode, 500)
  t.ok(hasTicket())
  isBroken = false
  mock.timers.tick(301_000)
  t.equal((await verify()).json().code, 'ACCOUNTS_TOKEN_EXPIRED')
  t.ok(hasTicket())
  await login()
  await app.accounts.sessions.revokeAll((await app.accounts.users.find('ada'))!.id)
  t.equal((await verify()).json().code, 'ACCOUNTS_TOKEN_REVOKED')
  t.notOk(hasTicket())
})

test('a body asks for no browser to be remembered where the app does not say for how long', async (t) => {
  const { login, enrol, post, tick } = await buildInBrowser(t)
  await login()
  const { secret } = await enrol()
  await login()
  tick(30)
  t.equal((await post('/auth/factors/verify', { code: codeOf(secret), remember_device: true })).statusCode, 400)
})

test('who needs a second factor is remembered in no browser, which the options say', async (t) => {
  for (const requireFor of [['admin'], () => true]) {
    await t.rejects(build(t, { factors: { remember: '30d', requireFor } }), {
      code: 'ACCOUNTS_OPTIONS_INVALID', message: /factors\.remember does not go with factors\.requireFor/,
    })
  }
})
