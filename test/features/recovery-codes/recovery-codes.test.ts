// On each database.
import { test } from 'tap'
import { buildEnrolled, codeOf, factorsOf } from '../factors/enrolled.ts'
import { build } from '../../support/build.ts'

test('a recovery code stands in for the app, once, however it is typed', async (t) => {
  const { recoveryCodes, ticketOf, verify, get, send } = await buildEnrolled(t)
  const [code] = recoveryCodes as [string]
  const answer = await verify(await ticketOf(), { recovery_code: code.toLowerCase().replaceAll('-', ' ') })
  t.equal(answer.statusCode, 200)
  const { access_token: token } = answer.json()
  t.match((await get('/guarded', token)).json().auth, { acr: 'aal2', amr: ['pwd', 'recovery', 'mfa'] })
  t.match((await send('GET', '/factors', token)).json(), { recovery_codes: { left: 9 }, totp: { last_used_at: null } })
  t.match((await verify(await ticketOf(), { recovery_code: code })).json(), { code: 'ACCOUNTS_FACTOR_INVALID' })
})

test('an event tells how many are left', async (t) => {
  const { recoveryCodes, ticketOf, verify, sql, user } = await buildEnrolled(t, { events: { store: true } })
  await verify(await ticketOf(), { recovery_code: recoveryCodes[3] })
  const row = (await sql.get("select * from accounts_events where type = 'recovery-code-used'"))!
  t.equal(row.user_id, user.id)
  const { data } = row
  t.same(typeof data === 'string' ? JSON.parse(data) : data, { left: 9 })
})

test('a wrong code, a used one, that of somebody else and what is none are answered alike', async (t) => {
  const { recoveryCodes, ticketOf, verify, signUp, enrol } = await buildEnrolled(t)
  const { access_token: evesToken } = await signUp('eve')
  const { body: { recovery_codes: evesCodes } } = await enrol(evesToken)
  const used = recoveryCodes[0]
  await verify(await ticketOf(), { recovery_code: used })
  const bodies = new Set<string>()
  for (const code of [used, evesCodes[0], '7ZK3M-Q9XWV-0TB4H-N1D8R-6JC', 'x', '']) {
    const answer = await verify(await ticketOf(), { recovery_code: code })
    t.equal(answer.statusCode, 401)
    bodies.add(answer.body)
  }
  t.equal(bodies.size, 1)
})

test('wrong recovery codes hold nobody up but their network', async (t) => {
  const throttle = { network: 1000 }
  const { app, recoveryCodes, secret: seed, ticketOf, verify, tick } = await buildEnrolled(t, { throttle })
  const ticket = await ticketOf()
  for (let index = 0; index < 30; index++) {
    t.equal((await verify(ticket, { recovery_code: `${index}` })).statusCode, 401)
  }
  tick(30)
  t.equal((await verify(ticket, { code: codeOf(seed) })).statusCode, 200)
  t.equal((await verify(await ticketOf(), { recovery_code: recoveryCodes[0] })).statusCode, 200)
  t.equal(app.accounts.counters.attemptsThrottled, 0)
})

test('new codes void the old, and ask for a session that has just proved both factors', async (t) => {
  const { app, recoveryCodes, tokens, ticketOf, verify, send, tick, user, get } = await buildEnrolled(t)
  const answer = await send('POST', '/factors/recovery-codes', tokens.access_token)
  t.equal(answer.statusCode, 200)
  const { recovery_codes: fresh } = answer.json()
  t.equal(fresh.length, 10)
  t.equal((await get('/guarded', tokens.access_token)).statusCode, 200, 'the session goes on')
  t.equal((await verify(await ticketOf(), { recovery_code: recoveryCodes[0] })).statusCode, 401)
  t.equal((await verify(await ticketOf(), { recovery_code: fresh[0] })).statusCode, 200)

  const proved = { acr: 'aal1', authTime: new Date() } as const
  const { access_token: weak } = await app.accounts.issueTokens(user.id, proved)
  t.match((await send('POST', '/factors/recovery-codes', weak)).json(), { code: 'ACCOUNTS_TOKEN_WEAK' })
  tick(601)
  t.match((await send('POST', '/factors/recovery-codes', tokens.access_token)).json(), { code: 'ACCOUNTS_TOKEN_STALE' })
})

test('without a factor there are no recovery codes to make', async (t) => {
  const built = await build(t, { factors: true })
  const { access_token: token, user } = await built.signUp()
  const { regenerateRecoveryCodes } = built.app.accounts.factors
  t.match((await factorsOf(built).send('POST', '/factors/recovery-codes', token)).json(), {
    code: 'ACCOUNTS_FACTOR_MISSING', statusCode: 404,
  })
  await t.rejects(regenerateRecoveryCodes(user.id), { code: 'ACCOUNTS_FACTOR_MISSING' })
  await t.rejects(regenerateRecoveryCodes('nobody'), { code: 'ACCOUNTS_NOT_FOUND' })
  await t.rejects(regenerateRecoveryCodes('01980c1e-6f3a-7c52-9d41-5b0e8f2a7c13'), { code: 'ACCOUNTS_NOT_FOUND' })
  await t.rejects(regenerateRecoveryCodes(user.id, { request: {} } as object), { code: 'ACCOUNTS_OPTIONS_INVALID' })
})

test('code makes new ones too, and there are as many as the app wants', async (t) => {
  const { app, user, ticketOf, verify, recoveryCodes } = await buildEnrolled(t, { factors: { recoveryCodes: 4 } })
  t.equal(recoveryCodes.length, 4)
  const made = await app.accounts.factors.regenerateRecoveryCodes(user.id)
  t.equal(made.length, 4)
  t.equal((await verify(await ticketOf(), { recovery_code: made[3] })).statusCode, 200)
})

test('a new app brings new codes to who has used all', async (t) => {
  const { enrol, tokens, sql, tick } = await buildEnrolled(t)
  await sql.run('update accounts_recovery_codes set used_at = created_at')
  tick(30)
  const { body } = await enrol(tokens.access_token)
  t.equal(body.recovery_codes.length, 10)
  t.equal((await sql.get('select count(*) as n from accounts_recovery_codes'))!.n, 10)
})
