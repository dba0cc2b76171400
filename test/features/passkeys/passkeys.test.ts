// On each database.
import { test } from 'tap'
import { mock } from 'node:test'
import { softPasskey } from '../../../lib/testing.ts'
import { password } from '../../support/build.ts'
import { until } from '../../support/waiting.ts'
import { factorsOf, stopClock } from '../factors/enrolled.ts'
import { buildWithAda, buildWithPasskeys, origin, passkeys } from './with-passkeys.ts'

const strangers = '01980c1e-6f3b-7d18-8a02-c4f7e1b95d60'

test('a passkey signs its user in, as two factors at once', async (t) => {
  const { key, login, get, user, refresh } = await buildWithAda(t)
  const answer = await login(key)
  t.equal(answer.statusCode, 200)
  t.match(answer.json(), { token_type: 'Bearer', user: { id: user.id } })

  const { auth } = (await get('/guarded', answer.json().access_token)).json()
  t.match(auth, { acr: 'phr', amr: ['pop', 'user', 'mfa'] })
  const refreshed = (await refresh(answer.json().refresh_token)).json()
  t.match((await get('/guarded', refreshed.access_token)).json().auth, { acr: 'phr', amr: ['pop', 'user', 'mfa'] })
})

test('options for a login name nobody, and those for a new passkey are as WebAuthn has them', async (t) => {
  const { ask, first, user, signUp } = await buildWithPasskeys(t).then(async (built) => {
    const { access_token: first, user } = await built.signUp()
    return { ...built, first, user }
  })
  const login = await ask({ for: 'login' })
  t.same(Object.keys(login), ['options'])
  t.match(login.options, { rpId: 'example.com', timeout: 300_000, userVerification: 'required', challenge: /^[\w-]{50}$/ })
  t.notOk('allowCredentials' in login.options)

  const { options } = await ask({ for: 'registration' }, first)
  t.match(options, {
    rp: { id: 'example.com', name: 'Example' },
    user: { name: 'ada', displayName: 'ada', id: /^[\w-]{43}$/ },
    pubKeyCredParams: [-8, -7, -257].map((alg) => ({ type: 'public-key', alg })),
    attestation: 'none',
    authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
    excludeCredentials: [],
    extensions: { credProps: true },
  })
  t.notMatch(Buffer.from(options.user.id, 'base64url').toString(), user.id)
  const other = await ask({ for: 'registration' }, (await signUp('grace')).access_token)
  t.not(other.options.user.id, options.user.id)
})

test('the first passkey is a second factor: with recovery codes, this session raised, and all others over', async (t) => {
  const built = await buildWithPasskeys(t)
  const { access_token: token } = await built.signUp()
  const elsewhere = await built.signIn()
  const added = await built.add(softPasskey({ origin }), token, { name: '  Work laptop ' })

  t.equal(added.statusCode, 201)
  const body = added.json()
  t.match(body.passkey, { name: 'Work laptop', rp_id: 'example.com', last_used_at: null, synced: false, backed_up: false })
  t.equal(body.recovery_codes.length, 10)
  const { auth } = (await built.get('/guarded', body.access_token)).json()
  t.match(auth, { acr: 'phr', amr: ['pwd', 'pop', 'user', 'mfa'] })
  t.equal((await built.get('/strict', token)).json().code, 'ACCOUNTS_TOKEN_SUPERSEDED')
  t.equal((await built.get('/strict', elsewhere.access_token)).json().code, 'ACCOUNTS_TOKEN_REVOKED')
  t.match((await built.byPassword()).json(), { code: 'ACCOUNTS_FACTOR_REQUIRED', factors: ['passkey', 'recovery'] })
})

test('a further passkey gives no new codes, and ends no other session', async (t) => {
  const { add, key, login, token, get } = await buildWithAda(t)
  const elsewhere = (await login(key)).json().access_token
  const added = await add(softPasskey({ origin }), token)

  t.equal(added.statusCode, 201)
  t.notOk('recovery_codes' in added.json())
  t.equal((await get('/strict', elsewhere)).statusCode, 200)
  t.equal((await get('/strict', added.json().access_token)).statusCode, 200)
})

test('a passkey may be a convenience alone: the password still signs in', async (t) => {
  const built = await buildWithPasskeys(t)
  const { access_token: token } = await built.signUp()
  const key = softPasskey({ origin })
  const added = (await built.add(key, token, { second_factor: false })).json()

  t.notOk('recovery_codes' in added)
  t.equal((await built.byPassword()).statusCode, 200)
  t.equal((await built.login(key)).statusCode, 200)
  t.match((await built.get('/guarded', added.access_token)).json().auth, { acr: 'aal1', amr: ['pwd'] })

  const second = await built.add(softPasskey({ origin }), added.access_token, { second_factor: true })
  t.equal(second.json().recovery_codes.length, 10)
  t.equal((await built.byPassword()).json().code, 'ACCOUNTS_FACTOR_REQUIRED')
})

test('a convenience stays one while an authenticator app comes and goes', async (t) => {
  const tick = stopClock(t)
  const built = await buildWithPasskeys(t, { factors: { requireFor: ['boss'] } })
  const { app, byPassword, login, send, signUp, sql } = built
  const { access_token: token, user } = await signUp()
  const key = softPasskey({ origin })
  const added = (await built.add(key, token, { second_factor: false })).json()
  const { body } = await factorsOf(built).enrol(added.access_token)
  t.match((await byPassword()).json(), { code: 'ACCOUNTS_FACTOR_REQUIRED', factors: ['totp', 'passkey', 'recovery'] })
  tick(30)
  t.equal((await send('DELETE', '/factors/totp', body.access_token)).statusCode, 200)
  t.equal((await byPassword()).statusCode, 200)
  t.equal((await sql.get('select count(*) as n from accounts_recovery_codes'))!.n, 0)

  const strong = (await login(key)).json().access_token
  t.equal((await built.add(softPasskey({ origin }), strong)).statusCode, 201)
  t.equal((await byPassword()).statusCode, 403, 'another one is a second factor')
  const { access_token: stronger } = (await login(key)).json()
  t.equal((await send('DELETE', '/factors', stronger)).statusCode, 200)
  t.equal((await byPassword()).statusCode, 200, 'until they are turned off: then it is a convenience too')
  const again = await factorsOf(built).enrol((await login(key)).json().access_token)
  t.equal((await send('DELETE', '/factors/totp', again.body.access_token)).statusCode, 200)
  t.equal((await byPassword()).statusCode, 200)

  await app.accounts.users.setRoles(user.id, ['boss'])
  t.match((await byPassword()).json(), { code: 'ACCOUNTS_FACTOR_REQUIRED' }, 'where the app asks for one, any is one')
  const last = await factorsOf(built).enrol((await login(key)).json().access_token)
  t.equal((await send('DELETE', '/factors/totp', last.body.access_token)).statusCode, 200)
  t.match((await byPassword()).json(), { code: 'ACCOUNTS_FACTOR_REQUIRED', factors: ['passkey'] })
})

test('passkeys.secondFactor says what a passkey is that does not say it', async (t) => {
  const { byPassword, add, signUp } = await buildWithPasskeys(t, { passkeys: { ...passkeys, secondFactor: false } })
  await add(softPasskey({ origin }), (await signUp()).access_token)
  t.equal((await byPassword()).statusCode, 200)
})

test('a passkey is the second step after a password, also one that is touched alone', async (t) => {
  for (const verified of [true, false]) {
    const { assertion, byPassword, verify, get, add, signUp } = await buildWithPasskeys(t)
    const settings = { origin, verified: true }
    const key = softPasskey(settings)
    await add(key, (await signUp()).access_token)
    settings.verified = verified
    const { ticket } = (await byPassword()).json()
    const answer = await verify(ticket, { credential: await assertion(key, { for: 'factor', ticket }) })

    t.equal(answer.statusCode, 200)
    const { auth } = (await get('/guarded', answer.json().access_token)).json()
    t.match(auth, { acr: 'phr', amr: verified ? ['pwd', 'pop', 'user', 'mfa'] : ['pwd', 'pop', 'mfa'] })
  }
})

test('options for the second step name the passkeys of the user', async (t) => {
  const { key, ask, byPassword } = await buildWithAda(t)
  const { ticket } = (await byPassword()).json()
  const { options } = await ask({ for: 'factor', ticket })
  t.match(options, { userVerification: 'preferred', allowCredentials: [{ type: 'public-key', transports: ['internal'] }] })
  t.equal(options.allowCredentials[0].id, key.get(options).id)
  t.equal((await ask({ for: 'factor' })).code, 'ACCOUNTS_TOKEN_MISSING')
  t.equal((await ask({ for: 'factor', ticket: 'x' })).code, 'ACCOUNTS_TOKEN_INVALID')
})

test('user verification is demanded by the server at login and registration, whatever the options said', async (t) => {
  const settings = { origin, verified: true }
  const { key, login, add, assertion, token, send } = await buildWithAda(t, {}, softPasskey(settings))
  settings.verified = false
  t.match((await login(key)).json(), { statusCode: 401, code: 'ACCOUNTS_PASSKEY_INVALID' })
  t.match((await add(softPasskey({ origin, verified: false }), token)).json(), { code: 'ACCOUNTS_PASSKEY_INVALID' })
  const credential = await assertion(key, { for: 'reauthenticate' }, token)
  t.equal((await send('POST', '/reauthenticate', token, { credential })).json().code, 'ACCOUNTS_PASSKEY_INVALID')
})

test('a passkey proves once more who is signed in', async (t) => {
  const { key, assertion, send, get, user, app } = await buildWithAda(t)
  const { access_token: weak } = await app.accounts.issueTokens(user, { acr: 'aal2', authTime: new Date(0) })
  const credential = await assertion(key, { for: 'reauthenticate' }, weak)
  const answer = await send('POST', '/reauthenticate', weak, { credential })

  t.equal(answer.statusCode, 200)
  t.match((await get('/guarded', answer.json().access_token)).json().auth, { acr: 'phr', amr: ['pop', 'user', 'mfa'], fresh: true })
  t.equal((await get('/strict', weak)).json().code, 'ACCOUNTS_TOKEN_SUPERSEDED')
  t.equal((await send('POST', '/reauthenticate', answer.json().access_token, { credential })).json().code,
    'ACCOUNTS_PASSKEY_INVALID', 'a signature that was used')
  for (const body of [{}, { credential, password }]) {
    t.equal((await send('POST', '/reauthenticate', answer.json().access_token, body)).statusCode, 400)
  }
})

test('an assertion works once, whether its key counts or not', async (t) => {
  for (const options of [{ counts: false }, { counts: true }, { synced: true }]) {
    const { send, assertion, key } = await buildWithAda(t, {}, softPasskey({ origin, ...options }))
    const credential = await assertion(key, { for: 'login' })
    t.equal((await send('POST', '/passkeys/login', undefined, { credential })).statusCode, 200)
    t.match((await send('POST', '/passkeys/login', undefined, { credential })).json(), { code: 'ACCOUNTS_PASSKEY_INVALID' })
  }
})

test('that a key may have been copied is kept, though all else of the request is undone', async (t) => {
  const built = await buildWithPasskeys(t, { events: { store: true } })
  const { access_token: token, user } = await built.signUp()
  const key = softPasskey({ origin, counts: true })
  await built.add(key, token)
  const copied = await built.assertion(key, { for: 'login' })
  await built.login(key)
  const counts = async () => (await built.sql.all("select user_id from accounts_events where type = 'passkey-suspicious'"))
  t.same(await counts(), [])
  t.equal((await built.send('POST', '/passkeys/login', undefined, { credential: copied })).statusCode, 401)
  await until(async () => (await counts()).length > 0)
  t.match(await counts(), [{ user_id: user.id }])
})

test('a challenge serves its purpose, its ticket, its session and its user alone', async (t) => {
  const { key, ask, byPassword, send, verify, user, app, token, signUp } = await buildWithAda(t)
  const tickets = [(await byPassword()).json().ticket, (await byPassword()).json().ticket]
  const { access_token: other } = await app.accounts.issueTokens(user, { acr: 'phr', authTime: new Date() })
  const signed = async (asking: Parameters<typeof ask>[0], token?: string) =>
    key.get({ ...(await ask(asking, token)).options, allowCredentials: [] })
  const [login, factor, step] = [
    await signed({ for: 'login' }), await signed({ for: 'factor', ticket: tickets[0] }),
    await signed({ for: 'reauthenticate' }, token),
  ]
  const refused = async (answer: ReturnType<typeof send>, name: string) => {
    t.match((await answer).json(), { statusCode: 401, code: 'ACCOUNTS_PASSKEY_INVALID' }, name)
  }

  for (const [name, credential] of Object.entries({ factor, step })) {
    await refused(send('POST', '/passkeys/login', undefined, { credential }), `${name} at a login`)
  }
  for (const [name, credential] of Object.entries({ login, step })) {
    await refused(verify(tickets[0], { credential }), `${name} as a factor`)
  }
  for (const [name, credential] of Object.entries({ login, factor })) {
    await refused(send('POST', '/reauthenticate', token, { credential }), `${name} as a step up`)
  }
  await refused(verify(tickets[1], { credential: factor }), 'of another ticket')
  await refused(send('POST', '/reauthenticate', other, { credential: step }), 'of another session')

  const made = softPasskey({ origin }).create((await ask({ for: 'registration' }, token)).options)
  await refused(send('POST', '/passkeys', other, { credential: made }), 'a registration of another session')
  const { access_token: grace } = await signUp('grace')
  await refused(send('POST', '/passkeys', grace, { credential: made }), 'a registration of another user')
  t.equal((await verify(tickets[0], { credential: factor })).statusCode, 200, 'where it belongs')
})

test('a challenge is over after five minutes', async (t) => {
  const { key, assertion, send } = await buildWithAda(t)
  const credential = await assertion(key, { for: 'login' })
  mock.timers.enable({ apis: ['Date'], now: Date.now() + 301_000 })
  t.teardown(() => mock.timers.reset())
  t.equal((await send('POST', '/passkeys/login', undefined, { credential })).json().code, 'ACCOUNTS_PASSKEY_INVALID')
})

test('a passkey of nobody is unknown, and so is another user’s where somebody is named', async (t) => {
  const { key, ask, byPassword, send, verify, token, signUp, add, assertion } = await buildWithAda(t)
  const foreign = softPasskey({ origin })
  const { access_token: grace } = await signUp('grace')
  t.equal((await add(foreign, grace)).statusCode, 201)
  const lost = softPasskey({ origin })
  lost.create({ ...(await ask({ for: 'registration' }, token)).options })

  t.match((await send('POST', '/passkeys/login', undefined, { credential: await assertion(lost, { for: 'login' }) })).json(), {
    statusCode: 401, code: 'ACCOUNTS_PASSKEY_UNKNOWN',
  })
  const { ticket } = (await byPassword()).json()
  const asFactor = foreign.get({ ...(await ask({ for: 'factor', ticket })).options, allowCredentials: [] })
  t.equal((await verify(ticket, { credential: asFactor })).json().code, 'ACCOUNTS_PASSKEY_UNKNOWN')
  const asStep = foreign.get({ ...(await ask({ for: 'reauthenticate' }, token)).options, allowCredentials: [] })
  t.equal((await send('POST', '/reauthenticate', token, { credential: asStep })).json().code, 'ACCOUNTS_PASSKEY_UNKNOWN')

  const answer = key.get((await ask({ for: 'login' })).options)
  for (const userHandle of [foreign.get((await ask({ for: 'login' })).options).response.userHandle, '', null, undefined]) {
    const credential = { ...answer, response: { ...answer.response, userHandle } }
    t.equal((await send('POST', '/passkeys/login', undefined, { credential })).json().code, 'ACCOUNTS_PASSKEY_INVALID',
      `the handle ${userHandle}`)
  }
})

test('whoever is disabled is not let in by a passkey, and nothing is used up', async (t) => {
  const { key, assertion, send, user, app } = await buildWithAda(t)
  const credential = await assertion(key, { for: 'login' })
  await app.accounts.users.disable(user.id)
  t.equal((await send('POST', '/passkeys/login', undefined, { credential })).json().code, 'ACCOUNTS_PASSKEY_INVALID')
  await app.accounts.users.enable(user.id)
  t.equal((await send('POST', '/passkeys/login', undefined, { credential })).statusCode, 200)
})

test('ids of other users’ passkeys are not found, as those of nobody', async (t) => {
  const { body, send, signUp, add } = await buildWithAda(t)
  const { access_token: first } = await signUp('grace')
  const { access_token: grace } = (await add(softPasskey({ origin }), first)).json()
  const answers = []
  for (const id of [body.passkey.id, strangers, 'x', "' or 1=1 --", '\u{0}']) {
    const url = `/passkeys/${encodeURIComponent(id)}`
    answers.push(await send('PATCH', url, grace, { name: 'Mine' }), await send('DELETE', url, grace))
  }
  for (const answer of answers) t.equal(answer.statusCode, 404)
  t.equal(new Set(answers.map((answer) => answer.body)).size, 1)
})

test('a user sees and names their passkeys', async (t) => {
  const { body, send, token, key, login } = await buildWithAda(t)
  const id = body.passkey.id
  t.match((await send('GET', '/passkeys', token)).json(), {
    passkeys: [{
      id,
      name: 'Passkey',
      created_at: String,
      last_used_at: null,
      backed_up: false,
      synced: false,
      transports: ['internal'],
      aaguid: '00000000-0000-0000-0000-000000000000',
      rp_id: 'example.com',
    }]
  })
  const renamed = await send('PATCH', `/passkeys/${id}`, token, { name: ' Ada’s phone 📱' })
  t.match(renamed.json(), { id, name: 'Ada’s phone 📱' })
  for (const name of ['', ' ', 'a\u{0}b', 'a\nb', 'x'.repeat(65), '\u{202e}x', 7, null]) {
    t.equal((await send('PATCH', `/passkeys/${id}`, token, { name })).statusCode, 400, JSON.stringify(name))
  }
  await login(key)
  t.match((await send('GET', '/passkeys', token)).json().passkeys, [{ name: 'Ada’s phone 📱', last_used_at: String }])
  t.match((await send('GET', '/factors', token)).json(), { second_factor: true, passkeys: 1, recovery_codes: { left: 10 } })
})

test('a passkey that goes tells browsers which are left; the last one takes the second factor along', async (t) => {
  const { body, key, add, send, token, login, byPassword, get } = await buildWithAda(t)
  const second = softPasskey({ origin })
  const { access_token: now, passkey } = (await add(second, token)).json()
  const elsewhere = (await login(key)).json().access_token
  const removed = await send('DELETE', `/passkeys/${body.passkey.id}`, now)

  t.equal(removed.statusCode, 200)
  t.match(removed.json(), { rp_id: 'example.com', user_handle: /^[\w-]{43}$/, access_token: String })
  t.equal(removed.json().accepted_credential_ids.length, 1)
  t.equal((await get('/strict', elsewhere)).json().code, 'ACCOUNTS_TOKEN_REVOKED')
  t.equal((await login(key)).json().code, 'ACCOUNTS_PASSKEY_UNKNOWN')
  t.equal((await byPassword()).json().code, 'ACCOUNTS_FACTOR_REQUIRED')

  const last = await send('DELETE', `/passkeys/${passkey.id}`, removed.json().access_token)
  t.equal(last.statusCode, 200)
  t.same(last.json().accepted_credential_ids, [])
  t.equal((await byPassword()).statusCode, 200)
  t.match((await send('GET', '/factors', last.json().access_token)).json(), { second_factor: false, recovery_codes: null })
})

test('to add and to remove a passkey asks for all factors, proved of late', async (t) => {
  const { app, ask, body, send, token, user } = await buildWithAda(t)
  const credential = softPasskey({ origin }).create((await ask({ for: 'registration' }, token)).options)
  const authTime = new Date(Date.now() - 700_000)
  const { access_token: stale } = await app.accounts.issueTokens(user, { acr: 'phr', authTime })
  t.equal((await ask({ for: 'registration' }, stale)).code, 'ACCOUNTS_TOKEN_STALE')
  t.equal((await send('POST', '/passkeys', stale, { credential })).json().code, 'ACCOUNTS_TOKEN_STALE')
  t.equal((await send('DELETE', `/passkeys/${body.passkey.id}`, stale)).json().code, 'ACCOUNTS_TOKEN_STALE')
})

test('a credential is one user’s alone, and a user has no more passkeys than allowed', async (t) => {
  const { ask, send, key, token, add, signUp } = await buildWithAda(t, { passkeys: { ...passkeys, max: 2 } })
  const { access_token: grace } = await signUp('grace')
  const { options } = await ask({ for: 'registration' }, token)
  t.throws(() => key.create(options), /InvalidStateError/, 'browsers are told which they have')
  const foreign = softPasskey({ origin })
  const credential = foreign.create((await ask({ for: 'registration' }, grace)).options)
  const now = (await send('POST', '/passkeys', grace, { credential })).json().access_token
  const other = softPasskey({ origin }).create((await ask({ for: 'registration' }, token)).options)
  // Nothing of a new key is signed: whoever knows it may show it with a challenge of their own.
  const again = { ...credential, response: { ...credential.response, clientDataJSON: other.response.clientDataJSON } }
  t.match((await send('POST', '/passkeys', token, { credential: again })).json(), { statusCode: 409, code: 'ACCOUNTS_FACTOR_EXISTS' })
  t.ok(now)

  const { access_token: second } = (await add(softPasskey({ origin }), token)).json()
  t.match((await ask({ for: 'registration' }, second)), { statusCode: 409, code: 'ACCOUNTS_PASSKEYS_FULL' })
})

test('who needs a second factor sets a passkey up with the ticket of the login', async (t) => {
  const { ask, byPassword, add, signUp, login, get, app } = await buildWithPasskeys(t, { factors: { requireFor: ['staff'] } })
  const { user } = await signUp()
  await app.accounts.users.setRoles(user.id, ['staff'])
  const half = (await byPassword()).json()
  t.match(half, { code: 'ACCOUNTS_FACTOR_ENROLMENT_REQUIRED', may_enrol: ['totp', 'passkey'] })
  const key = softPasskey({ origin })
  const added = await add(key, undefined, { ticket: half.ticket, second_factor: false })

  t.equal(added.statusCode, 201)
  t.equal(added.json().recovery_codes.length, 10)
  t.match((await get('/guarded', added.json().access_token)).json().auth, { acr: 'phr', amr: ['pwd', 'pop', 'user', 'mfa'] })
  t.equal((await ask({ for: 'registration', ticket: half.ticket })).code, 'ACCOUNTS_TOKEN_REVOKED')
  t.equal((await login(key)).statusCode, 200)
  const removed = await app.inject({
    method: 'DELETE',
    url: `/auth/passkeys/${added.json().passkey.id}`,
    headers: { authorization: `Bearer ${added.json().access_token}` },
  })
  t.match(removed.json(), { statusCode: 409, code: 'ACCOUNTS_LAST_CREDENTIAL' }, 'the last factor of who needs one')
})
