// On each database.
import { test, type Test } from 'tap'
import type { AccountsOptions } from '../../../lib/index.ts'
import { clock } from '../../../lib/testing.ts'
import { bearer } from '../../support/build.ts'
import { buildWithMail, otherPassword } from '../../support/mail.ts'

/** An app with mails and keys, and Ada. */
async function buildWithBoth (t: Test, options: AccountsOptions = {}) {
  const built = await buildWithMail(t, { keys: true, ...options })
  const { app, get } = built
  app.get('/keyed', { preHandler: app.accounts.guard({ keys: true }) }, async () => 'in')
  const { access_token: token, user } = await built.signUpWithMail()
  return {
    ...built,
    token,
    user,
    make: async () => (await app.accounts.keys.create(user.id, { name: 'CI' })).key,
    statusOf: async (key: string) => (await get('/keyed', key)).statusCode,
  }
}

test('whoever proves an address that nobody had proved has no keys of a stranger', async (t) => {
  const { make, mails, post, statusOf } = await buildWithBoth(t)
  const key = await make()
  t.equal(await statusOf(key), 200)
  await post('/auth/password/forgot', { email: 'ada@example.com' })
  const token = mails.token(await mails.next('reset'))
  t.equal((await post('/auth/password/reset', { token, new_password: otherPassword })).statusCode, 204)
  t.equal(await statusOf(key), 401)

  const later = await make()
  await post('/auth/password/forgot', { email: 'ada@example.com' })
  const second = mails.token(await mails.next('reset'))
  t.equal((await post('/auth/password/reset', { token: second, new_password: otherPassword })).statusCode, 204)
  t.equal(await statusOf(later), 200, 'but those of who had proved it stay')
})

test('and so it is with who signs in by a mail', async (t) => {
  const { make, mails, post, statusOf } = await buildWithBoth(t, {
    routes: { emailLogin: true }, mail: { links: { login: '/login' } },
  })
  const key = await make()
  const { challenge_id: challenge } = (await post('/auth/login/email', { email: 'ada@example.com' })).json()
  const code = mails.code(await mails.next('login'))
  const done = await post('/auth/login/email/complete', { challenge_id: challenge, code })
  t.equal(done.statusCode, 200)
  t.equal(await statusOf(key), 401)
})

test('who takes an address back ends the keys that were made since it was changed', async (t) => {
  const time = clock()
  t.teardown(time.restore)
  const { app, make, mails, post, statusOf, user, token } = await buildWithBoth(t)
  await app.accounts.users.verifyEmail(user.id, 'ada@example.com')
  const before = await make()
  time.advance('5m')
  await app.inject({
    method: 'PUT', url: '/auth/email', headers: bearer(token), payload: { email: 'eve@example.com' },
  })
  await post('/auth/email/change', { token: mails.token(await mails.next('change')) })
  time.advance('5m')
  const since = await make()
  for (const key of [before, since]) t.equal(await statusOf(key), 200)
  const link = mails.token(await mails.next('email-changed'))
  t.equal((await post('/auth/email/revert', { token: link })).statusCode, 204)
  t.equal(await statusOf(since), 401)
  t.equal(await statusOf(before), 200)
})
