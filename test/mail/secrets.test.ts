// On each database.
import { randomBytes } from 'node:crypto'
import diagnostics from 'node:diagnostics_channel'
import t, { type Test } from 'tap'
import accounts from '../../lib/index.ts'
import { createOneTimeSecrets } from '../../lib/one-time/secrets.ts'
import type { OneTimeRow } from '../../lib/one-time/rows.ts'
import type { KeptMail } from '../../lib/mail/dev-outbox.ts'
import { outbox } from '../../lib/testing.ts'
import { freshDatabase, kind, type Sql } from '../support/databases.ts'
import { Fastify } from '../support/fastify.ts'
import { otherPassword } from '../support/mail.ts'
import { cheap, client, emptyDatabase, password, secret } from '../support/build.ts'
import { buildToSend } from './with-smtp.ts'

/** What is told on these channels until the test ends. */
function listening (t: Test, types: string[]): unknown[] {
  const told: unknown[] = []
  for (const type of types) {
    const note = (event: unknown) => { told.push(type, event) }
    diagnostics.subscribe(`fastify-jwt-accounts:${type}`, note)
    t.teardown(() => diagnostics.unsubscribe(`fastify-jwt-accounts:${type}`, note))
  }
  return told
}

t.test('no table, line of the log, event, refusal or export holds what a mail, a challenge or a password opens', async (t) => {
  const told = listening(t, ['register', 'login', 'reset-asked', 'reset', 'proof-failed', 'closing', 'restored', 'reclaim'])
  const refusals: string[] = []
  const { app, post, get, sql, lines, flush, signUpWithMail } = await buildToSend(t, {
    mail: { unknown: 'tell', links: { login: '/welcome' } },
    events: { store: true },
    transport: 'both',
    closing: { grace: '7d' },
    routes: { emailLogin: true },
    csrf: { trustedOrigins: ['http://localhost'] },
  })
  const mails = outbox(app)
  const secrets = [password, otherPassword]
  const keep = (...given: (string | undefined)[]) => {
    secrets.push(...given.filter((one) => one !== undefined && one.length > 5) as string[])
  }
  const ask = async (path: string, body: object) => {
    const answer = await post(path, body)
    keep(answer.json().challenge_id, ...answer.cookies.map(({ value }) => value))
    return answer.json().challenge_id as string
  }
  const arrived = async (kind: KeptMail['kind']) => {
    const mail = await mails.next(kind)
    const [token, code] = [find(() => mails.token(mail)), find(() => mails.code(mail))]
    keep(token, token?.split('.')[1], code, code?.replace(/^..../, '$& '))
    return { token, code }
  }

  const { access_token: access, refresh_token: refresh, user } = await signUpWithMail()
  keep(access, refresh)
  await ask('/auth/password/forgot', { email: 'nobody@example.com' })
  await arrived('unknown')
  await ask('/auth/password/forgot', { username: 'a password typed in the wrong place' })
  secrets.push('in the wrong place')
  const challenge = await ask('/auth/password/forgot', { username: 'ada' })
  const { token, code } = await arrived('reset')
  const reset = (proof: object) => post('/auth/password/reset', { ...proof, new_password: otherPassword })
  for (const wrong of [
    { challenge_id: challenge, code: code!.replace(/\d$/, 'x') }, { token: `${token!.slice(0, -3)}xyz` },
    { challenge_id: challenge, code, token }, { token: [token] }, { code: Number(code), challenge_id: challenge },
  ]) refusals.push((await reset(wrong)).body)
  t.equal((await reset({ token })).statusCode, 204)
  await arrived('password-changed')

  const loginChallenge = await ask('/auth/login/email', { email: 'ada@example.com' })
  const byMail = await arrived('login')
  const answer = await post('/auth/login/email/complete', {
    challenge_id: loginChallenge, code: byMail.code, transport: 'body',
  })
  t.equal(answer.statusCode, 200)
  keep(answer.json().access_token, answer.json().refresh_token)
  await get('/auth/me', answer.json().access_token)
  const exported = (await get('/auth/me/export', answer.json().access_token)).body
  t.equal((await app.inject({
    method: 'DELETE', url: '/auth/me', headers: { authorization: `Bearer ${answer.json().access_token}` },
  })).statusCode, 202)
  const restoring = await arrived('closing')
  t.equal((await post('/auth/me/restore', { token: restoring.token })).statusCode, 204)
  await app.accounts.users.setPassword(user.id, password)
  await flush()

  const dump = JSON.stringify(await dumped(sql))
  const log = JSON.stringify(lines)
  t.match(dump, /proof-failed/)
  t.match(JSON.stringify(told), /proof-failed.*reset.*login/)
  t.match(exported, /"email":"ada@example.com"/)
  t.equal(refusals.length, 5)
  for (const [index, secret] of secrets.entries()) {
    t.notOk(dump.includes(secret), `the tables, secret ${index}`)
    t.notOk(log.includes(secret), `the log, secret ${index}`)
    t.notOk(JSON.stringify(told).includes(secret), `the events, secret ${index}`)
    t.notOk(refusals.join().includes(secret), `the refusals, secret ${index}`)
    t.notOk(exported.includes(secret), `the export, secret ${index}`)
  }
})

t.test('a link of one kind of users opens nothing of another, though both have one secret and one database', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  const db = kind === 'sqlite' ? await freshDatabase(t) : await emptyDatabase(t)
  const options = { db, secret, password: cheap, throttle: false, mail: true, email: { verification: 'none' } } as const
  await app.register(accounts, options)
  await app.register(accounts, { ...options, name: 'admins', prefix: '/admin' })
  const { post } = client(app)
  for (const prefix of ['/auth', '/admin']) {
    await post(`${prefix}/register`, { username: 'ada', email: 'ada@example.com', password })
  }
  const { challenge_id: challenge } = (await post('/auth/password/forgot', { username: 'ada' })).json()
  const mail = await outbox(app).next('reset')
  const [token, code] = [outbox(app).token(mail), outbox(app).code(mail)]
  for (const proof of [{ token }, { challenge_id: challenge, code }]) {
    t.match((await post('/admin/password/reset', { ...proof, new_password: otherPassword })).json(),
      { code: 'ACCOUNTS_PROOF_INVALID' })
  }
  t.equal((await post('/auth/password/reset', { token, new_password: otherPassword })).statusCode, 204)
})

t.test('who has the tables and no key opens nothing with them', async (t) => {
  const { app, post, sql, signUpWithMail, forget } = await buildToSend(t, { mail: true })
  await signUpWithMail()
  const { challenge_id: challenge } = (await forget()).json()
  const [row] = await sql.all('select * from accounts_one_time') as [Record<string, string>]
  const sealed = {
    id: row.id!, purpose: row.purpose as OneTimeRow['purpose'], salt: row.salt!, addressKey: row.address_key!,
  }
  const reset = async (proof: object) =>
    (await post('/auth/password/reset', { ...proof, new_password: otherPassword })).json().code
  for (const key of [Buffer.alloc(0), Buffer.from(row.salt!), Buffer.from(row.challenge!, 'hex'), randomBytes(32)]) {
    const { tokenOf, codeOf } = createOneTimeSecrets([key], 8)
    t.equal(await reset({ token: tokenOf(sealed) }), 'ACCOUNTS_PROOF_INVALID')
    t.equal(await reset({ code: codeOf(sealed), challenge_id: row.challenge!.slice(0, 22) }), 'ACCOUNTS_PROOF_INVALID')
  }
  // Of another purpose, of another row, of a code: each is computed of all that it is for.
  const token = outbox(app).token(outbox(app).last('reset'))
  await sql.run("update accounts_one_time set purpose = 'login'")
  t.equal(await reset({ token }), 'ACCOUNTS_PROOF_INVALID')
  await sql.run("update accounts_one_time set purpose = 'reset', address_key = ?", 'f'.repeat(64))
  t.equal(await reset({ token }), 'ACCOUNTS_PROOF_INVALID')
  t.equal(await reset({ code: outbox(app).code(outbox(app).last()), challenge_id: challenge }), 'ACCOUNTS_PROOF_INVALID')
})

/** Every row of every table. */
async function dumped (sql: Sql) {
  const tables = await sql.all({
    sqlite: "select name from sqlite_master where type = 'table'",
    postgresql: "select table_name as name from information_schema.tables where table_schema = 'public'",
    mariadb: 'select table_name as name from information_schema.tables where table_schema = database()',
  }[kind])
  const names = tables.map(({ name }) => String(name)).filter((name) => name.startsWith('accounts'))
  return Promise.all(names.map(async (name) => [name, await sql.all(`select * from ${name}`)]))
}

function find (look: () => string): string | undefined {
  try {
    return look()
  } catch {}
}
