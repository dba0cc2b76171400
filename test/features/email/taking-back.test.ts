// On each database.
import t, { type Test } from 'tap'
import type { AccountsOptions } from '../../../lib/index.ts'
import { enrolTotp, outbox, softPasskey } from '../../../lib/testing.ts'
import { bearer, buildOnFile, password } from '../../support/build.ts'
import { otherPassword } from '../../support/mail.ts'
import { origin, passkeys, passkeysOf } from '../passkeys/with-passkeys.ts'

const before = 'ada@example.com'
const next = 'eve@example.com'

/** Ada, whose address is proved, and whoever has her session. */
async function buildAda (t: Test, options: AccountsOptions = {}) {
  const built = await buildOnFile(t, {
    mail: true, email: { verification: 'none' }, factors: true, passkeys, throttle: false, ...options,
  })
  const { app, post, signUp } = built
  const { access_token: token, user } = await signUp()
  await app.accounts.users.update(user.id, { email: before })
  await app.accounts.users.verifyEmail(user.id, before)
  const mails = outbox(app)
  return {
    ...built,
    ...passkeysOf(app),
    mails,
    token,
    user,
    /** Gives the account another address, and the link by which the old one takes it back. */
    async move (with_ = token) {
      await app.inject({ method: 'PUT', url: '/auth/email', headers: bearer(with_), payload: { email: next } })
      await post('/auth/email/change', { token: mails.token(await mails.next('change', { to: next })) })
      return mails.token(await mails.next('email-changed', { to: before }))
    },
    revert: (link: string) => post('/auth/email/revert', { token: link }),
    /** Chooses another password by the mail that the way back sends. */
    async reset () {
      const link = mails.token(await mails.next('reset', { to: before }))
      return post('/auth/password/reset', { token: link, new_password: otherPassword })
    },
  }
}

t.test('the address of before takes away the ways in that were added since it was changed', async (t) => {
  const { app, post, sql, add, move, revert, reset, login, mails } = await buildAda(t)
  const link = await move()
  const { access_token: token } = (await post('/auth/login', { username: 'ada', password })).json()
  const key = softPasskey({ origin })
  t.equal((await add(key, token)).statusCode, 201)
  await enrolTotp(app, 'ada')
  t.equal((await revert(link)).statusCode, 204)

  for (const table of ['passkeys', 'totp', 'recovery_codes']) {
    t.equal((await sql.get(`select count(*) as n from accounts_${table}`))!.n, 0, table)
  }
  t.equal((await login(key)).json().code, 'ACCOUNTS_PASSKEY_UNKNOWN')
  t.equal((await mails.next('factors-changed', { to: before })).to.address, before)
  t.equal((await reset()).statusCode, 204)
  t.match((await post('/auth/login', { username: 'ada', password: otherPassword })).json(), { token_type: 'Bearer' },
    'no second factor of a stranger is asked for')
})

t.test('what was there before stays, and is asked for as ever', async (t) => {
  const { app, post, sql, move, revert, reset, user } = await buildAda(t)
  const { code } = await enrolTotp(app, 'ada')
  for (const table of ['totp', 'recovery_codes']) {
    await sql.run(`update accounts_${table} set created_at = ?`, new Date('2026-01-01'))
  }
  const { access_token: strong } = await app.accounts.issueTokens(user.id, { acr: 'aal2', authTime: new Date() })
  t.equal((await revert(await move(strong))).statusCode, 204)
  t.equal((await reset()).statusCode, 204)
  const { ticket } = (await post('/auth/login', { username: 'ada', password: otherPassword })).json()
  t.equal((await post('/auth/factors/verify', { ticket, code: code() })).statusCode, 200)
})

t.test('of who needs a factor the one of a stranger goes too, and the ways back are told by whom', async (t) => {
  const { app, sql, move, revert } = await buildAda(t, { factors: { requireFor: ['staff'] } })
  const link = await move()
  await enrolTotp(app, 'ada')
  await sql.exec("update accounts_users set roles = '[\"staff\"]'")
  const told: unknown[] = []
  const { subscribe, unsubscribe } = await import('node:diagnostics_channel')
  const note = (event: unknown) => { told.push(event) }
  subscribe('fastify-jwt-accounts:factors-reset', note)
  t.teardown(() => unsubscribe('fastify-jwt-accounts:factors-reset', note))
  t.equal((await revert(link)).statusCode, 204)
  t.match(told, [{ reason: 'address' }])
  t.equal((await sql.get('select count(*) as n from accounts_totp'))!.n, 0)
})
