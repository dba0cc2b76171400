import t, { type Test } from 'tap'
import type { AccountsOptions } from '../../../lib/index.ts'
import { flushMail, outbox, signIn } from '../../../lib/testing.ts'
import { build } from '../../support/build.ts'
import { lending } from './support.ts'

const ada = { username: 'ada', email: 'ada@example.com', emailVerifiedAt: new Date() }

/** Ada, who has an address, was borrowed: gives the kinds of the mails. */
async function mailed (t: Test, options: AccountsOptions) {
  const { app } = await build(t, { ...lending, mail: true, ...options })
  await app.accounts.users.create(ada)
  await app.accounts.users.create({ username: 'root', email: 'root@example.com', roles: ['support'] })
  await signIn(app, 'ada', { actor: 'root' })
  await flushMail(app)
  return outbox(app).mails
}

t.test('the user is told by a mail, which says nothing of who it was and why', async (t) => {
  const [mail, ...others] = await mailed(t, {})
  t.match(mail, { kind: 'impersonated', to: { address: 'ada@example.com' }, subject: /account/ })
  t.notMatch(`${mail!.text}${mail!.html}`, /root|A test|127\.0\.0\.1/)
  t.strictSame(others, [])
})

t.test('with notify: false, or without the notice, nobody is', async (t) => {
  t.strictSame(await mailed(t, { admin: { ...lending.admin, impersonation: { notify: false } } }), [])
  t.strictSame(await mailed(t, { mail: { notices: { impersonated: false } } }), [])
})

t.test('in German too', async (t) => {
  const [mail] = await mailed(t, { mail: { locale: () => 'de' } })
  t.match(mail!.subject, /^Jemand von .* sieht Ihr Konto an$/)
})

t.test('where an admin was in their place the user has not been', async (t) => {
  const { app, signUp } = await build(t, { ...lending, mail: true, email: { verification: 'none' } })
  const { user } = await signUp()
  await app.accounts.users.update(user.id, { email: 'ada@example.com' })
  await app.accounts.users.verifyEmail(user.id, 'ada@example.com')
  const root = await signIn(app, { username: 'root', roles: ['support'] })
  const from = { remoteAddress: '203.0.113.9', headers: { ...root.headers, 'user-agent': 'Lynx/3' } }
  const url = `/auth/users/${user.id}/impersonate`
  t.equal((await app.inject({ method: 'POST', url, payload: { reason: 'x' }, ...from })).statusCode, 200)
  const body = { username: 'ada', password: 'correct horse battery staple' }
  t.equal((await app.inject({ method: 'POST', url: '/auth/login', payload: body, ...from })).statusCode, 200)
  t.match(await outbox(app).next('new-device'), { to: { address: 'ada@example.com' } })
})
