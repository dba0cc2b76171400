// On each database.
import { generateKeyPairSync } from 'node:crypto'
import { mock } from 'node:test'
import { test } from 'tap'
import type { AccountsOptions } from '../../../lib/index.ts'
import { build, buildOnFile, password, secret } from '../../support/build.ts'
import { buildWithMail } from '../../support/mail.ts'
import { buildEnrolled, codeOf, factorsOf, stopClock, wrongCode } from '../factors/enrolled.ts'

const other = 'mN4bV7cX1zL9kJ3hG6fD8sA2pO5iU0yT'

test('who has an authenticator app signs in by its code after the password', async (t) => {
  const { login, verify, nextCode, get, send, user } = await buildEnrolled(t)
  const half = await login()
  t.equal(half.statusCode, 403)
  t.match(half.json(), { code: 'ACCOUNTS_FACTOR_REQUIRED', expires_in: 300, factors: ['totp', 'recovery'] })
  t.notMatch(half.json(), { access_token: String })

  const whole = await verify(half.json().ticket, { code: nextCode() })
  t.equal(whole.statusCode, 200)
  t.match(whole.json().user, { id: user.id })
  const { access_token: token } = whole.json()
  t.match((await get('/guarded', token)).json().auth, { acr: 'aal2', amr: ['pwd', 'otp', 'mfa'] })
  const now = new Date().toISOString()
  t.match((await send('GET', '/factors', token)).json(), { totp: { last_used_at: now } })
})

test('to begin an enrolment gives a seed of 160 bits and stores nothing', async (t) => {
  stopClock(t)
  const built = await buildOnFile(t, { factors: { issuer: 'Example' } })
  const { send } = factorsOf(built)
  const { access_token: token } = await built.signUp()

  const answer = await send('POST', '/factors/totp', token)
  t.equal(answer.statusCode, 200)
  t.match(answer.json(), { secret: /^[A-Z2-7]{32}$/, expires_in: 600, enrolment: /^s1\./ })
  t.match(answer.json().uri, /^otpauth:\/\/totp\/Example:ada\?/)
  t.equal((await built.sql.get('select count(*) as n from accounts_totp'))!.n, 0)
  t.match((await send('GET', '/factors', token)).json(), {
    second_factor: false, required: false, totp: null, recovery_codes: null,
  })
  t.equal((await built.signIn()).token_type, 'Bearer', 'a password alone signs in as before')
})

test('apps call it as factors.issuer says, else by the host of its pages, else by the issuer of its tokens', async (t) => {
  const passkeys = { origins: ['https://shop.example.com:8443', 'https://example.org'], rpId: 'example.com' }
  const issuer = 'accounts.example'
  const named: [options: AccountsOptions, name: string][] = [
    [{ issuer, passkeys, factors: { issuer: 'Shop' } }, 'Shop'],
    [{ issuer, passkeys, factors: true }, 'shop.example.com'],
    [{ issuer, passkeys: false, factors: { ticket: '1m' } }, issuer],
  ]
  for (const [options, name] of named) {
    const built = await build(t, options)
    const { access_token: token } = await built.signUp()
    const { uri } = (await factorsOf(built).send('POST', '/factors/totp', token)).json()
    t.equal(new URL(uri).searchParams.get('issuer'), name)
  }
})

test('where users have addresses alone, an app shows the address', async (t) => {
  const built = await build(t, { factors: { issuer: 'Example' }, identifiers: ['email'] })
  const { access_token: token } = (await built.post('/auth/register', { email: 'ada@example.com', password })).json()
  const { uri } = (await factorsOf(built).send('POST', '/factors/totp', token)).json()
  t.match(decodeURIComponent(uri), /^otpauth:\/\/totp\/Example:ada@example\.com\?/)
})

test('the first code sets it up: with recovery codes, this session raised, and all others over', async (t) => {
  const tick = stopClock(t)
  const built = await buildOnFile(t, { factors: true })
  const { send, enrol } = factorsOf(built)
  const { access_token: token } = await built.signUp()
  const elsewhere = await built.signIn()
  tick(5)

  const { secret: seed, answer, body } = await enrol(token)
  t.equal(answer.statusCode, 200)
  t.equal(body.recovery_codes.length, 10)
  t.match((await built.get('/guarded', body.access_token)).json().auth, { acr: 'aal2', amr: ['pwd', 'otp', 'mfa'] })
  t.match((await built.get('/guarded', token)).json(), { code: 'ACCOUNTS_TOKEN_SUPERSEDED' })
  t.match((await built.get('/guarded', elsewhere.access_token)).json(), { code: 'ACCOUNTS_TOKEN_REVOKED' })
  t.match((await built.refresh(elsewhere.refresh_token)).json(), { code: 'ACCOUNTS_TOKEN_REVOKED' })
  t.equal((await built.refresh(body.refresh_token)).statusCode, 200)
  t.match((await send('GET', '/factors', body.access_token)).json(), {
    second_factor: true, totp: { created_at: String, last_used_at: null }, recovery_codes: { left: 10 },
  })

  const stored = JSON.stringify([
    await built.sql.all('select * from accounts_totp'), await built.sql.all('select * from accounts_recovery_codes'),
  ])
  for (const shown of [seed, ...body.recovery_codes, ...body.recovery_codes.map((code: string) => code.replaceAll('-', ''))]) {
    t.notOk(stored.includes(shown), 'nothing that was shown is stored')
  }
})

test('one step is good once: by which it was set up, across tickets, and not backwards', async (t) => {
  const { secret: seed, ticketOf, verify, tick, nextCode } = await buildEnrolled(t)
  t.match((await verify(await ticketOf(), { code: codeOf(seed) })).json(), { code: 'ACCOUNTS_FACTOR_INVALID' })

  const before = codeOf(seed)
  const [first, second] = [await ticketOf(), await ticketOf()]
  const code = nextCode()
  t.equal((await verify(first, { code })).statusCode, 200)
  t.match((await verify(second, { code })).json(), { code: 'ACCOUNTS_FACTOR_INVALID' })
  t.match((await verify(second, { code: before })).json(), { code: 'ACCOUNTS_FACTOR_INVALID' })
  tick(60)
  t.equal((await verify(second, { code: codeOf(seed, Date.now() - 30_000) })).statusCode, 200, 'a step late')
  t.equal((await verify(await ticketOf(), { code: codeOf(seed, Date.now() + 30_000) })).statusCode, 200, 'a step early')
  t.match((await verify(await ticketOf(), { code: codeOf(seed) })).json(), { code: 'ACCOUNTS_FACTOR_INVALID' })
})

test('a code is taken however it is typed', async (t) => {
  const { ticketOf, verify, nextCode } = await buildEnrolled(t)
  const typings: ((code: string) => string)[] = [
    (code) => `${code.slice(0, 3)} ${code.slice(3)}`,
    (code) => `${code.slice(0, 3)}-${code.slice(3)}`,
    (code) => [...code].map((digit) => String.fromCodePoint(digit.codePointAt(0)! + 0xFEE0)).join(''),
  ]
  for (const typed of typings) t.equal((await verify(await ticketOf(), { code: typed(nextCode()) })).statusCode, 200)
})

test('a wrong, a used and a shut code, and one of somebody without an app, are answered alike', async (t) => {
  const { app, secret: seed, ticketOf, verify, nextCode, sql } = await buildEnrolled(t)
  const wrong = await verify(await ticketOf(), { code: wrongCode(seed) })
  t.equal(wrong.statusCode, 401)
  t.equal(wrong.headers['www-authenticate'], 'Bearer realm="accounts"', 'no error=: nobody is to refresh for it')
  const used = await verify(await ticketOf(), { code: codeOf(seed) })
  await sql.run('update accounts_totp set failures = 100')
  const shut = await verify(await ticketOf(), { code: nextCode() })
  const ticket = await ticketOf()
  await sql.run('delete from accounts_totp')
  const without = await verify(ticket, { code: nextCode() })
  for (const answer of [used, shut, without]) {
    t.equal(answer.statusCode, 401)
    t.equal(answer.body, wrong.body)
  }
  t.match(app.accounts.counters, { factorsRefused: 4, factorsVerified: 0 })
})

test('100 wrong codes in a row shut it, told once, and a recovery code opens it again', async (t) => {
  const events = { store: true }
  const { secret: seed, ticketOf, verify, nextCode, sql, recoveryCodes } = await buildEnrolled(t, { events })
  await sql.run('update accounts_totp set failures = 98')
  const ticket = await ticketOf()
  const told = async () => (await sql.get("select count(*) as n from accounts_events where type = 'factor-shut'"))!.n
  await verify(ticket, { code: wrongCode(seed) })
  t.equal(await told(), 0)
  await verify(ticket, { code: wrongCode(seed) })
  t.equal(await told(), 1)
  t.equal((await verify(ticket, { code: nextCode() })).statusCode, 401, 'the right one too')
  await verify(ticket, { code: wrongCode(seed) })
  t.equal(await told(), 1)

  t.equal((await verify(ticket, { recovery_code: recoveryCodes[0] })).statusCode, 200)
  t.equal((await verify(await ticketOf(), { code: nextCode() })).statusCode, 200)
})

test('a right code takes the wrong ones back', async (t) => {
  const { secret: seed, ticketOf, verify, nextCode, sql } = await buildEnrolled(t)
  const failures = async () => (await sql.get('select failures from accounts_totp'))!.failures
  await verify(await ticketOf(), { code: wrongCode(seed) })
  t.equal(await failures(), 1)
  t.equal((await verify(await ticketOf(), { code: nextCode() })).statusCode, 200)
  t.equal(await failures(), 0)
})

test('another password opens what wrong codes have shut', async (t) => {
  const { app, user, login, post, secret: seed, verify, nextCode, sql, tick } = await buildEnrolled(t)
  await verify((await login()).json().ticket, { code: wrongCode(seed) })
  await sql.run('update accounts_totp set failures = 101')
  tick(1)
  await app.accounts.users.setPassword(user.id, 'another horse battery staple')
  const half = await post('/auth/login', { username: 'ada', password: 'another horse battery staple' })
  t.match(half.json(), { code: 'ACCOUNTS_FACTOR_REQUIRED' }, 'and leaves the factor as it is')
  t.equal((await verify(half.json().ticket, { code: nextCode() })).statusCode, 200)
})

test('another password opens them too on a server whose clock was ahead when they were tried', async (t) => {
  const { app, user, login, post, secret: seed, verify, nextCode, sql, tick } = await buildEnrolled(t)
  tick(3600)
  await verify((await login()).json().ticket, { code: wrongCode(seed) })
  await sql.run('update accounts_totp set failures = 101')
  mock.timers.setTime(Date.now() - 3_500_000)
  await app.accounts.users.setPassword(user.id, 'another horse battery staple')
  const half = await post('/auth/login', { username: 'ada', password: 'another horse battery staple' })
  t.equal((await verify(half.json().ticket, { code: nextCode() })).statusCode, 200)
})

test('an enrolment is of one session, for ten minutes, and of one user', async (t) => {
  const tick = stopClock(t)
  const built = await build(t, { factors: true })
  const { send } = factorsOf(built)
  const { access_token: token } = await built.signUp()
  const { access_token: elsewhere } = await built.signIn()
  const { access_token: foreign } = await built.signUp('eve')
  const { enrolment, secret: seed } = (await send('POST', '/factors/totp', token)).json()
  const confirm = (bearer: string, text = enrolment) =>
    send('PUT', '/factors/totp', bearer, { enrolment: text, code: codeOf(seed) })

  for (const bearer of [elsewhere, foreign]) {
    t.match((await confirm(bearer)).json(), { code: 'ACCOUNTS_PROOF_INVALID', statusCode: 400 })
  }
  for (const text of ['', 'x', `${enrolment}x`, enrolment.replace(/^s1\.[^.]+/, 's1.00000000'), 's1.a.b.c']) {
    t.match((await confirm(token, text)).json(), { code: 'ACCOUNTS_PROOF_INVALID', statusCode: 400 })
  }
  t.match((await send('PUT', '/factors/totp', token, { enrolment, code: wrongCode(seed) })).json(), {
    code: 'ACCOUNTS_FACTOR_INVALID',
  })
  tick(600)
  t.equal((await confirm(token)).statusCode, 400)
})

test('an app takes the place of another without a gap, and no enrolment that began before that is confirmed', async (t) => {
  const { send, enrol, tokens, secret: old, ticketOf, verify, tick, login } = await buildEnrolled(t)
  const begin = async () => (await send('POST', '/factors/totp', tokens.access_token)).json()
  const [first, second] = [await begin(), await begin()]
  tick(30)
  const confirm = (token: string, { enrolment, secret: seed }: { enrolment: string, secret: string }) =>
    send('PUT', '/factors/totp', token, { enrolment, code: codeOf(seed) })
  const answer = await confirm(tokens.access_token, first)
  t.equal(answer.statusCode, 200)
  t.notOk('recovery_codes' in answer.json(), 'the recovery codes of before stay')
  t.match((await confirm(answer.json().access_token, second)).json(), { code: 'ACCOUNTS_FACTOR_EXISTS', statusCode: 409 })

  tick(30)
  t.equal((await verify(await ticketOf(), { code: codeOf(old) })).statusCode, 401)
  t.equal((await verify(await ticketOf(), { code: codeOf(first.secret) })).statusCode, 200)
  const again = await enrol(answer.json().access_token)
  t.equal(again.answer.statusCode, 200, 'the session goes on')
  t.equal((await login()).statusCode, 403)
})

test('of two confirmations at once one alone sets an app up', async (t) => {
  const { send, tokens, tick, sql } = await buildEnrolled(t)
  const begun = await Promise.all([1, 2].map(() => send('POST', '/factors/totp', tokens.access_token)))
  tick(30)
  const answers = await Promise.all(begun.map((answer) => {
    const { enrolment, secret: seed } = answer.json()
    return send('PUT', '/factors/totp', tokens.access_token, { enrolment, code: codeOf(seed) })
  }))
  t.equal(answers.filter(({ statusCode }) => statusCode === 200).length, 1)
  const lost = answers.find(({ statusCode }) => statusCode !== 200)!
  t.match(lost.json().code, /^ACCOUNTS_(FACTOR_EXISTS|TOKEN_SUPERSEDED)$/, 'by whichever it met first')
  t.equal((await sql.get('select count(*) as n from accounts_totp'))!.n, 1)
})

test('an app that is taken away is asked for no longer, and the recovery codes go with it', async (t) => {
  const { send, tokens, login, sql, ticketOf, verify, nextCode } = await buildEnrolled(t)
  const ticket = await ticketOf()
  const elsewhere = (await verify(await ticketOf(), { code: nextCode() })).json()
  const answer = await send('DELETE', '/factors/totp', elsewhere.access_token)
  t.equal(answer.statusCode, 200)
  t.equal((await login()).statusCode, 200)
  t.equal((await sql.get('select count(*) as n from accounts_recovery_codes'))!.n, 0)
  t.match((await send('GET', '/factors', answer.json().access_token)).json(), { second_factor: false, totp: null })
  t.match((await send('GET', '/factors', tokens.access_token)).json(), { code: 'ACCOUNTS_TOKEN_REVOKED' })
  t.match((await verify(ticket, { code: nextCode() })).json(), { code: 'ACCOUNTS_TOKEN_REVOKED' })
  t.match((await send('DELETE', '/factors/totp', answer.json().access_token)).json(), {
    code: 'ACCOUNTS_FACTOR_MISSING', statusCode: 404,
  })
})

test('a seed of an older key opens, and is sealed anew at the next success', async (t) => {
  const { db, sql, secret: seed, tick, user } = await buildEnrolled(t, { encryptionKey: other })
  const sealed = async () => await sql.get('select sealed, key_id from accounts_totp') as { sealed: string, key_id: string }
  const before = await sealed()
  const rotated = await build(t, { db, factors: true, encryptionKey: [secret, other] })
  const { ticketOf, verify } = factorsOf(rotated)

  await verify(await ticketOf(), { code: wrongCode(seed) })
  t.same(await sealed(), before, 'not by a wrong code')
  tick(30)
  t.equal((await verify(await ticketOf(), { code: codeOf(seed) })).statusCode, 200)
  const after = await sealed()
  t.not(after.key_id, before.key_id)
  t.ok(after.sealed.startsWith(`s1.${after.key_id}.`))

  const later = await build(t, { db, factors: true, encryptionKey: secret })
  tick(30)
  const { ticketOf: nextTicket, verify: verifyThere } = factorsOf(later)
  t.match((await verifyThere(await nextTicket(), { code: codeOf(seed) })).json(), { user: { id: user.id } })
})

test('without the key of a seed nobody gets in by a code, and a recovery code does', async (t) => {
  const { db, sql, secret: seed, recoveryCodes, tick } = await buildEnrolled(t, { encryptionKey: other })
  const { key_id: keyId } = (await sql.get('select key_id from accounts_totp'))!
  const lines: string[] = []
  const stream = { write: (line: string) => { lines.push(line) } }
  const bereft = await build(t, { db, factors: true }, { logger: { stream } })
  const { ticketOf, verify } = factorsOf(bereft)
  tick(30)
  for (const code of [codeOf(seed), wrongCode(seed)]) {
    t.match((await verify(await ticketOf(), { code })).json(), { code: 'ACCOUNTS_UNAVAILABLE', statusCode: 503 })
  }
  t.ok(lines.some((line) => line.includes(String(keyId))), 'the log names the key')
  t.notOk(lines.some((line) => line.includes(seed)))
  t.equal((await sql.get('select failures from accounts_totp'))!.failures, 0)
  t.equal((await verify(await ticketOf(), { recovery_code: recoveryCodes[0] })).statusCode, 200)
})

test('a seed that is moved to the row of somebody else opens nothing', async (t) => {
  const { sql, secret: seed, signUp, enrol, ticketOf, verify, tick, user } = await buildEnrolled(t)
  const { access_token: token } = await signUp('eve')
  const { secret: evesSeed } = await enrol(token)
  const { sealed } = (await sql.get('select sealed from accounts_totp where user_id <> ?', user.id))!
  await sql.run('update accounts_totp set sealed = ? where user_id = ?', sealed, user.id)
  tick(30)
  for (const code of [codeOf(evesSeed), codeOf(seed)]) {
    t.equal((await verify(await ticketOf(), { code })).statusCode, 503)
  }
})

test('a factor is set up by who has proved their address, where mails are on', async (t) => {
  stopClock(t)
  const built = await build(t, { factors: true, mail: { from: 'accounts@example.com', appName: 'Example' } })
  const { send } = factorsOf(built)
  const { app } = built
  for (const [username, email, verifiedAt, status] of [
    ['ada', 'ada@example.com', undefined, 403], ['bob', 'bob@example.com', new Date(0), 200], ['eve', undefined, undefined, 200],
  ] as const) {
    const user = await app.accounts.users.create({
      username, ...email && { email }, ...verifiedAt && { emailVerifiedAt: verifiedAt },
    })
    const { access_token: token } = await app.accounts.issueTokens(user.id, { authTime: new Date() })
    const answer = await send('POST', '/factors/totp', token)
    t.equal(answer.statusCode, status, username)
    if (status === 403) t.match(answer.json(), { code: 'ACCOUNTS_EMAIL_UNVERIFIED' })
  }
})

test('who has to set a factor up proves their address with the same ticket, whenever they registered', async (t) => {
  const built = await buildWithMail(t, { factors: { requireFor: () => true } })
  const { mails, post, signUpWithMail, login } = built
  const { send, enrol } = factorsOf(built)
  await signUpWithMail()
  const { ticket } = (await login('ada', password)).json()
  t.match((await send('POST', '/factors/totp', undefined, { ticket })).json(), { code: 'ACCOUNTS_EMAIL_UNVERIFIED' })
  t.equal((await post('/auth/email/verify/send', {})).statusCode, 401)
  t.match((await post('/auth/email/verify/send', { ticket: 'x' })).json(), { code: 'ACCOUNTS_TOKEN_INVALID' })
  const challenge = await post('/auth/email/verify/send', { ticket })
  t.equal(challenge.statusCode, 202)
  const code = mails.code(await mails.next('verify'))
  t.equal((await post('/auth/email/verify', { challenge_id: challenge.json().challenge_id, code })).statusCode, 204)
  t.equal((await post('/auth/email/verify/send', { ticket })).statusCode, 204)
  const { answer } = await enrol(undefined, ticket)
  t.match(answer.json(), { user: { username: 'ada', email_verified: true } })
})

test('pairs of keys alone cannot seal a seed, which the app says when it starts', async (t) => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const pair = { private: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string }
  await t.rejects(build(t, { factors: true, secret: pair }), {
    code: 'ACCOUNTS_OPTIONS_INVALID', message: /factors needs encryptionKey \(or ACCOUNTS_ENCRYPTION_KEY\)/,
  })
  stopClock(t)
  const built = await build(t, { factors: true, secret: pair, encryptionKey: other })
  const { enrol, login } = factorsOf(built)
  const { access_token: token } = await built.signUp()
  t.equal((await enrol(token)).answer.statusCode, 200)
  t.equal((await login()).statusCode, 403)
})

test('a process that only verifies tokens has no routes of factors', async (t) => {
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const built = await build(t, { factors: true, secret: { public: publicKey.export({ type: 'spki', format: 'pem' }) as string } })
  t.equal((await factorsOf(built).send('GET', '/factors')).statusCode, 404)
})
