// On each database.
import { test } from 'tap'
import { bearer, build, password } from '../../support/build.ts'
import { buildWithMail, otherPassword } from '../../support/mail.ts'
import { buildWithKeys } from './with-keys.ts'

test('another password ends all keys where that is asked for', async (t) => {
  const { ada, app, get, makeKey } = await buildWithKeys(t)
  const { key } = await makeKey()
  const change = async (payload: object, token: string) => (await app.inject({
    method: 'PUT', url: '/auth/password', headers: bearer(token), payload,
  })).json()
  const first = { current_password: password, new_password: otherPassword, revoke_keys: false }
  const { access_token: token } = await change(first, ada.access_token)
  t.equal((await get('/keyed', key)).statusCode, 200)
  await change({ current_password: otherPassword, new_password: password, revoke_keys: true }, token)
  t.match((await get('/keyed', key)).json(), { code: 'ACCOUNTS_TOKEN_REVOKED' })
})

test('and so does one that is chosen by a mail', async (t) => {
  const { app, get, mails, post, signUpWithMail } = await buildWithMail(t, { keys: true })
  app.get('/keyed', { preHandler: app.accounts.guard({ keys: true }) }, async () => 'in')
  const { user } = await signUpWithMail()
  await app.accounts.users.verifyEmail(user.id, 'ada@example.com')
  const { key } = await app.accounts.keys.create(user.id, { name: 'CI' })
  t.equal((await get('/keyed', key)).statusCode, 200)
  await post('/auth/password/forgot', { email: 'ada@example.com' })
  const token = mails.token(await mails.next('reset'))
  const reset = await post('/auth/password/reset', { token, new_password: otherPassword, revoke_keys: true })
  t.equal(reset.statusCode, 204)
  t.equal((await get('/keyed', key)).statusCode, 401)
})

test('where there are no keys nobody asks for it', async (t) => {
  const { app, signUp } = await build(t)
  const { access_token: token } = await signUp()
  const answer = await app.inject({
    method: 'PUT',
    url: '/auth/password',
    headers: bearer(token),
    payload: { current_password: password, new_password: otherPassword, revoke_keys: true },
  })
  t.match(answer.json(), { code: 'ACCOUNTS_INPUT_INVALID', message: /revoke_keys/ })
})
