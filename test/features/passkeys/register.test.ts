// On each database.
import { Type } from '@sinclair/typebox'
import { test } from 'tap'
import { softPasskey } from '../../../lib/testing.ts'
import { password } from '../../support/build.ts'
import { buildWithMail, otherPassword } from '../../support/mail.ts'
import { buildWithPasskeys, origin, passkeys, passkeysOf } from './with-passkeys.ts'

/** An account without a password, and what its user has. */
async function registered (built: ReturnType<typeof passkeysOf>, names: object = { username: 'eve' }, more: object = {}) {
  const settings = { origin, verified: true }
  const key = softPasskey(settings)
  const { options, enrolment } = await built.ask({ for: 'register', ...names })
  const credential = key.create(options)
  const answer = await built.send('POST', '/register', undefined, { ...names, ...more, enrolment, credential })
  return { key, settings, options, enrolment, credential, answer, body: answer.json() }
}

test('somebody registers with a passkey in place of a password', async (t) => {
  const built = await buildWithPasskeys(t, { user: { fields: { city: Type.String() } } })
  const { key, options, answer, body } = await registered(built, { username: 'Eve' }, { city: 'Oslo' })
  t.equal(answer.statusCode, 201)
  t.match(body, { user: { username: 'Eve', city: 'Oslo' }, token_type: 'Bearer' })
  t.equal(body.recovery_codes.length, 10)
  t.match(options.user, { name: 'Eve' })
  t.match((await built.get('/guarded', body.access_token)).json().auth, { acr: 'phr', amr: ['pop', 'user', 'mfa'] })

  const again = await built.login(key)
  t.match(again.json().user, { id: body.user.id })
  t.equal((await built.byPassword('Eve')).json().code, 'ACCOUNTS_CREDENTIALS_INVALID')
  t.equal((await built.send('POST', '/login', undefined, { username: 'Eve', password: '' })).statusCode, 401)
})

test('where users have addresses alone, an address is the name of the account and of the passkey', async (t) => {
  const built = await buildWithPasskeys(t, { identifiers: ['email'] })
  const { options, answer, body } = await registered(built, { email: 'eve@example.com' })
  t.equal(answer.statusCode, 201)
  t.match(options.user, { name: 'eve@example.com' })
  t.match((await built.ask({ for: 'registration' }, body.access_token)).options.user, { name: 'eve@example.com' })
})

test('with passkeys.secondFactor off an account begins without a second factor', async (t) => {
  const built = await buildWithPasskeys(t, { passkeys: { ...passkeys, secondFactor: false } })
  const { answer, body } = await registered(built)
  t.equal(answer.statusCode, 201)
  t.notOk('recovery_codes' in body)
  t.match(await built.app.accounts.factors.of(body.user.id), { second_factor: false, passkeys: 1 })
})

test('a registration is for the id and the names that the options were made for, and counts once', async (t) => {
  const built = await buildWithPasskeys(t)
  const { enrolment, credential, body: { user: { id } } } = await registered(built)
  await built.app.accounts.users.delete(id)
  const other = await built.ask({ for: 'register', username: 'mallory' })
  const made = softPasskey({ origin }).create(other.options)
  const refused: [body: object, status: number, code: string][] = [
    [{ username: 'mallory2', enrolment: other.enrolment, credential: made }, 401, 'ACCOUNTS_PASSKEY_INVALID'],
    [{ username: 'mallory', enrolment, credential: made }, 401, 'ACCOUNTS_PASSKEY_INVALID'],
    [{ username: 'mallory', enrolment: 'x', credential: made }, 401, 'ACCOUNTS_PASSKEY_INVALID'],
    [{ username: 'eve', enrolment, credential }, 401, 'ACCOUNTS_PASSKEY_INVALID'],
    [{ username: 'mallory', credential: made }, 400, 'ACCOUNTS_INPUT_INVALID'],
    [{ username: 'mallory', enrolment: other.enrolment }, 400, 'ACCOUNTS_INPUT_INVALID'],
    [{ username: 'mallory', enrolment: other.enrolment, credential: made, password }, 400, 'ACCOUNTS_INPUT_INVALID'],
    [{ username: 'mallory' }, 400, 'ACCOUNTS_INPUT_INVALID'],
  ]
  for (const [body, statusCode, code] of refused) {
    t.match((await built.send('POST', '/register', undefined, body)).json(), { statusCode, code }, JSON.stringify(Object.keys(body)))
  }
  t.equal((await built.send('POST', '/register', undefined,
    { username: 'MALLORY', enrolment: other.enrolment, credential: made })).statusCode, 201, 'in any spelling')
})

test('a name that is taken, or none, is refused as with a password', async (t) => {
  const built = await buildWithPasskeys(t)
  await built.signUp('eve')
  t.match((await registered(built)).body, { statusCode: 409, code: 'ACCOUNTS_USER_EXISTS' })
  t.equal((await built.ask({ for: 'register' })).code, 'ACCOUNTS_INPUT_INVALID')
  t.equal((await built.ask({ for: 'register', username: 'a@b' })).code, 'ACCOUNTS_INPUT_INVALID')
  t.equal((await built.sql.get('select count(*) as n from accounts_passkeys'))!.n, 0)
})

test('a key without a PIN, or of another app, opens no account', async (t) => {
  const built = await buildWithPasskeys(t)
  for (const other of [{ origin, verified: false }, { origin: 'https://evil.example' }]) {
    const { options, enrolment } = await built.ask({ for: 'register', username: 'eve' })
    const credential = softPasskey(other).create(options)
    t.equal((await built.send('POST', '/register', undefined, { username: 'eve', enrolment, credential })).json().code,
      'ACCOUNTS_PASSKEY_INVALID')
  }
})

test('where addresses are proved first a registration takes a password alone', async (t) => {
  const { app } = await buildWithMail(t, { passkeys, mail: { links: { register: '/register' } }, email: { verification: 'first' } })
  const { send, ask } = passkeysOf(app)
  t.match(await ask({ for: 'register', email: 'eve@example.com' }), { statusCode: 400, code: 'ACCOUNTS_INPUT_INVALID' })
  t.equal((await send('POST', '/register', undefined, { email: 'eve@example.com', enrolment: 'x', credential: {} })).statusCode, 400)
})

test('without the route register nobody is given options for it', async (t) => {
  const { ask } = await buildWithPasskeys(t, { routes: { register: false } })
  t.equal((await ask({ for: 'register', username: 'eve' })).statusCode, 400)
})

test('the last way in stays', async (t) => {
  const built = await buildWithPasskeys(t)
  const { body } = await registered(built)
  const { passkeys: [only] } = (await built.send('GET', '/passkeys', body.access_token)).json()
  const remove = (id: string, token: string) => built.send('DELETE', `/passkeys/${id}`, token)
  t.match((await remove(only.id, body.access_token)).json(), { statusCode: 409, code: 'ACCOUNTS_LAST_CREDENTIAL' })
  await t.rejects(built.app.accounts.passkeys.delete(body.user.id, only.id), { code: 'ACCOUNTS_LAST_CREDENTIAL' })
  await t.rejects(built.app.accounts.factors.reset(body.user.id, { passkeys: true }), { code: 'ACCOUNTS_LAST_CREDENTIAL' })
  t.equal((await built.get('/strict', body.access_token)).statusCode, 200, 'and nothing else has changed')

  const added = (await built.add(softPasskey({ origin }), body.access_token)).json()
  const removed = await remove(only.id, added.access_token)
  t.equal(removed.statusCode, 200)
  await built.app.accounts.users.setPassword(body.user.id, password)
  const { user } = (await built.byPassword('eve')).json()
  t.notOk(user, 'and a password alone opens nothing')
})

test('who removes two passkeys at once keeps one of them', async (t) => {
  const built = await buildWithPasskeys(t)
  const { body } = await registered(built)
  await built.add(softPasskey({ origin }), body.access_token)
  const ids = (await built.app.accounts.passkeys.list(body.user.id)).map(({ id }) => id)
  const outcomes = await Promise.allSettled(ids.map((id) => built.app.accounts.passkeys.delete(body.user.id, id)))
  t.same(outcomes.map(({ status }) => status).sort(), ['fulfilled', 'rejected'])
  t.equal((await built.app.accounts.passkeys.list(body.user.id)).length, 1)
})

test('a passkey of a stranger goes when the owner of the address proves it', async (t) => {
  const { app, post, mails } = await buildWithMail(t, { passkeys })
  const built = passkeysOf(app)
  const { key, body } = await registered(built, { username: 'mallory', email: 'victim@example.com' })
  t.equal((await built.login(key)).statusCode, 200)
  await post('/auth/password/forgot', { email: 'victim@example.com' })
  const token = mails.token(await mails.next('reset'))
  t.equal((await post('/auth/password/reset', { token, new_password: otherPassword })).statusCode, 204)

  t.equal((await built.login(key)).json().code, 'ACCOUNTS_PASSKEY_UNKNOWN')
  const answer = await post('/auth/login', { username: 'mallory', password: otherPassword })
  t.equal(answer.statusCode, 200, 'nothing asks for a factor that is gone')
  t.match(await app.accounts.factors.of(body.user.id), { second_factor: false, passkeys: 0, recovery_codes: null })
})

test('whoever has no proved address adds no passkey to an account', async (t) => {
  const { app, signUpWithMail } = await buildWithMail(t, { passkeys })
  const { access_token: token } = await signUpWithMail()
  t.match(await passkeysOf(app).ask({ for: 'registration' }, token), { statusCode: 403, code: 'ACCOUNTS_EMAIL_UNVERIFIED' })
})

test('whoever has no passkey loses no factor when the owner of the address proves it', async (t) => {
  const { app, post, mails, signUpWithMail, login } = await buildWithMail(t, { passkeys })
  const { user } = await signUpWithMail()
  await post('/auth/password/forgot', { email: 'ada@example.com' })
  const token = mails.token(await mails.next('reset'))
  t.equal((await post('/auth/password/reset', { token, new_password: otherPassword })).statusCode, 204)
  t.equal((await login('ada', otherPassword)).statusCode, 200)
  t.match(await app.accounts.factors.of(user.id), { second_factor: false, passkeys: 0 })
})

test('who has given a wrong address goes on by their passkey once its owner has disowned it, and gives another', async (t) => {
  const { app, post, mails } = await buildWithMail(t, { factors: true, passkeys, identifiers: ['email'], email: {} })
  const built = passkeysOf(app)
  const { key, body: { user } } = await registered(built, { email: 'typo@example.com' })
  await post('/auth/email/disown', { token: mails.token(await mails.next('verify')) })
  const { access_token: token } = (await built.login(key)).json()
  t.match((await built.send('GET', '/me', token)).json(), { id: user.id, email: null })
  t.match((await built.ask({ for: 'registration' }, token)).options.user, { name: user.id })
  t.match((await built.send('POST', '/factors/totp', token)).json(), { uri: `otpauth://totp/app.example.com:${user.id}?` })
  t.equal((await built.send('PUT', '/email', token, { email: 'right@example.com' })).statusCode, 202)
  const link = mails.token(await mails.next('change'))
  t.equal((await post('/auth/email/change', { token: link })).statusCode, 204)
  t.match(await app.accounts.users.find(user.id), { email: 'right@example.com', email_verified: true })
})
