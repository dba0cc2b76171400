// On each database.
import t from 'tap'
import { clock, failMail, outbox } from '../../../lib/testing.ts'
import { otherPassword } from '../../support/mail.ts'
import { build, password } from '../../support/build.ts'
import { kind as databaseKind } from '../../support/databases.ts'
import { buildToSend } from '../../mail/with-smtp.ts'
import type { MailTemplates } from '../../../types/index.ts'

const welcome: MailTemplates['welcome'] = ({ appName, address, data, kind }) => (
  { subject: `${kind} to ${appName}`, text: `${address} ${data?.plan}`, html: '' })

async function buildWithServices (t: Parameters<typeof build>[0], options: Parameters<typeof buildToSend>[1] = {}) {
  const built = await buildToSend(t, { ...options, mail: { templates: { welcome }, ...Object(options.mail) } })
  const { access_token: token, user } = await built.signUpWithMail()
  await built.flush()
  const mails = outbox(built.app)
  mails.clear()
  // Those that the test has heard, and not the service.
  return { ...built, ...built.app.accounts, events: built.events, mails, user, token }
}

t.test('without mail every call says that it is needed', async (t) => {
  const { app } = await build(t)
  const { mail, proofs } = app.accounts
  const calls: Promise<unknown>[] = [mail.send('reset', 'x'), mail.retry('x'), mail.failed({ address: 'x' }), mail.find('x')]
  for (const call of [...calls, mail.list(), proofs.make('x', 'x'), proofs.use('x', 'x')]) {
    await t.rejects(call, { code: 'ACCOUNTS_OPTIONS_INVALID', message: /\(\) needs the option mail/ })
  }
})

t.test('code sends a mail of its own to a user, with what it gives', async (t) => {
  const { mail, mails, flush, user } = await buildWithServices(t)
  const { id } = await mail.send('welcome', user.id, { plan: 'small' })
  await mail.send('welcome', { id: user.id })
  await flush()
  t.match(mails.mails, [
    { id, kind: 'welcome', subject: 'welcome to Your app', text: 'ada@example.com small' },
    { text: 'ada@example.com undefined' },
  ])
})

t.test('code sends a mail by which another password is chosen', async (t) => {
  const { mail, mails, flush, post, user } = await buildWithServices(t)
  await mail.send('reset', user.id)
  await flush()
  const token = mails.token(mails.last('reset'))
  const answer = await post('/auth/password/reset', { token, new_password: otherPassword })
  t.equal(answer.statusCode, 204)
  t.throws(() => mails.code(mails.last('reset')), 'nobody asked, so there is no challenge for a code')
})

t.test('nobody gets a mail who is not there, and nobody one that there is not', async (t) => {
  const { mail, users, mails, flush, user } = await buildWithServices(t, { mail: { worker: false } })
  await t.rejects(mail.send('welcome', '01a228c1-67c1-7366-adb1-e9f8f41409e0'), { code: 'ACCOUNTS_NOT_FOUND' })
  await t.rejects(mail.send('welcome', 'ada'), { code: 'ACCOUNTS_NOT_FOUND' })
  for (const kind of ['another', 'login', 'password-changed', 'toString']) {
    await t.rejects(mail.send(kind, user.id), { code: 'ACCOUNTS_OPTIONS_INVALID', message: /knows no kind/ })
  }
  await t.rejects(mail.send('welcome', user.id, {}, { m: 1 } as never), { message: /m is not an option of mail\.send/ })
  await mail.send('welcome', user.id)
  await users.disable(user.id)
  await flush()
  t.same(mails.mails, [])
})

t.test('in a transaction of the app a mail is sent with it, or never was', async (t) => {
  const { mail, mails, orm, flush, user } = await buildWithServices(t)
  const act = (isGood: boolean) => orm.em.fork().transactional(async (em) => {
    const { id } = await mail.send('welcome', user.id, {}, { em })
    t.match(await mail.find(id, { em }), { id, state: 'due' })
    t.equal((await mail.list({ state: 'due', em })).mails.length, 1)
    await mail.retry(id, { em })
    await mail.failed({ address: 'nobody@example.com' }, { em })
    if (!isGood) throw new Error('Not so')
  })
  await t.rejects(act(false), { message: 'Not so' })
  await flush()
  t.same(mails.mails, [])
  await act(true)
  await flush()
  t.equal(mails.mails.length, 1)
})

t.test('mails are listed by their state, the newest first, without what opens anything', async (t) => {
  const { app, mail, flush, user } = await buildWithServices(t)
  await mail.send('welcome', user.id, { plan: 'secret plan' })
  await flush()
  failMail(app, Object.assign(new Error('No'), { permanent: true, code: 'EENVELOPE' }))
  await mail.send('welcome', user.id)
  await flush()
  await mail.send('welcome', user.id)
  await flush()
  const { mails, next } = await mail.list({ limit: 1, state: 'sent' })
  t.match(mails, [{ kind: 'welcome', state: 'sent', tries: 1, userId: user.id, dueAt: null, failedAt: null }])
  t.equal((await mail.list({ after: next!, state: 'sent' })).mails.some(({ id }) => id === mails[0]!.id), false)
  const failed = await mail.list({ state: 'failed' })
  t.match(failed, { mails: [{ error: 'EENVELOPE', failedAt: Date }], next: null })
  t.same(await mail.find(failed.mails[0]!.id), failed.mails[0])
  t.notMatch(JSON.stringify(await mail.list()), /secret plan|challenge|claim|salt/)
  t.equal(await mail.find('nothing'), null)
  for (const wrong of [{ limit: 0 }, { state: 'lost' }, { after: 'x' }]) {
    await t.rejects(mail.list(wrong as never), { code: 'ACCOUNTS_INPUT_INVALID' })
  }
})

t.test('a mail that was given up is sent when code says so', async (t) => {
  const { app, mail, mails, flush, user } = await buildWithServices(t)
  failMail(app, Object.assign(new Error('No'), { permanent: true }))
  const { id } = await mail.send('welcome', user.id)
  await flush()
  t.same(mails.mails, [])
  await mail.retry(id)
  await flush()
  t.match(mails.mails, [{ id }])
  for (const gone of [id, 'nothing', user.id]) await t.rejects(mail.retry(gone), { code: 'ACCOUNTS_NOT_FOUND' })
})

t.test('a link that is over is another one by then', async (t) => {
  const { app, mail, mails, flush, post, sql, user } = await buildWithServices(t)
  failMail(app, Object.assign(new Error('No'), { permanent: true }))
  const { id } = await mail.send('reset', user.id)
  await flush()
  const time = clock()
  t.teardown(time.restore)
  time.advance('2h')
  await mail.retry(id)
  await flush()
  const token = mails.token(mails.last('reset'))
  t.equal((await post('/auth/password/reset', { token, new_password: otherPassword })).statusCode, 204)

  // One whose link nobody can make again is over.
  await sql.run("update accounts_mails set kind = 'closing', sent_at = null")
  await t.rejects(mail.retry(id), { code: 'ACCOUNTS_NOT_FOUND' })
})

t.test('an address that takes no mails gets no notices, until it is proved again', async (t) => {
  const { mail, mails, users, events, flush, forget, post, user } = await buildWithServices(t)
  await mail.failed({ address: 'ADA@example.com', kind: 'complaint' })
  await mail.failed({ address: 'nobody@example.com' })
  t.match(events, [{ userId: user.id, data: { kind: 'complaint', error: 'returned' } }])
  await users.setPassword(user.id, `${otherPassword}!`)
  await mail.send('welcome', user.id)
  await flush()
  t.same(mails.mails, [])
  await forget()
  await post('/auth/password/reset', { token: mails.token(mails.last('reset')), new_password: otherPassword })
  await users.setPassword(user.id, `${otherPassword}?`)
  await mail.send('welcome', user.id)
  await flush()
  t.equal(mails.mails.filter((sent) => sent.kind === 'welcome').length, 1)
  for (const wrong of [{}, { address: 1 }, { address: 'a@b.de', kind: 'x' }, { address: 'a@b.de', x: 1 }]) {
    await t.rejects(mail.failed(wrong as never), { code: 'ACCOUNTS_INPUT_INVALID' })
  }
})

t.test('check tells how mails lie', async (t) => {
  const { app, check, mail, flush, user } = await buildWithServices(t, { mail: { worker: false } })
  t.match(await check(), { healthy: true, mails: { due: 0, oldestMs: 0, failed: 0 } })
  await mail.send('welcome', user.id)
  await mail.send('welcome', user.id)
  const { mails } = await check()
  t.equal(mails!.due, 2)
  t.ok(mails!.oldestMs >= 0)
  failMail(app, Object.assign(new Error('No'), { permanent: true }))
  await flush()
  t.match(await check(), { mails: { due: 0, failed: 1 } })
  const off = await build(t)
  t.notOk('mails' in await off.app.accounts.check())
})

t.test('a proof of the app is good once, for its purpose and its user', async (t) => {
  const { proofs, user } = await buildWithServices(t)
  const { token, expiresAt } = await proofs.make('join-team', user.id, { data: { team: 7 }, expiresIn: '2d' })
  t.match(token, /^[\w-]{22}\.[\w-]{43}$/)
  t.ok(Math.abs(expiresAt.getTime() - Date.now() - 2 * 86_400_000) < 60_000)
  await t.rejects(proofs.use('leave-team', token), { code: 'ACCOUNTS_PROOF_INVALID' })
  t.same(await proofs.use('join-team', token), { userId: user.id, data: { team: 7 } })
  for (const wrong of [token, 'x', `${token.slice(0, -2)}xx`]) {
    await t.rejects(proofs.use('join-team', wrong), { code: 'ACCOUNTS_PROOF_INVALID' })
  }
})

t.test('many uses of one proof at once have one winner, and its others go with it', async (t) => {
  const { proofs, user } = await buildWithServices(t)
  const [first, second] = [await proofs.make('join', { id: user.id }), await proofs.make('join', user.id)]
  const uses = await Promise.allSettled(Array.from({ length: 20 }, () => proofs.use('join', second.token)))
  t.equal(uses.filter(({ status }) => status === 'fulfilled').length, 1)
  await t.rejects(proofs.use('join', first.token), { code: 'ACCOUNTS_PROOF_INVALID' })
})

t.test('a proof of the app is void with the sessions and the address of its user', async (t) => {
  const { proofs, users, user, sql } = await buildWithServices(t)
  const ends: (() => Promise<unknown>)[] = [
    () => users.setPassword(user.id, otherPassword),
    () => sql.run('update accounts_users set email = ?, email_key = ?', 'eve@example.com', 'e'.repeat(64)),
    () => users.disable(user.id),
  ]
  for (const end of ends) {
    const { token } = await proofs.make('join', user.id)
    await end()
    await t.rejects(proofs.use('join', token), { code: 'ACCOUNTS_PROOF_INVALID' })
  }
  await t.rejects(proofs.make('join', user.id), { code: 'ACCOUNTS_NOT_FOUND' })
})

t.test('in a transaction of the app a proof is made and used with it', async (t) => {
  const { proofs, orm, user } = await buildWithServices(t)
  const em = orm.em.fork()
  const token = await em.transactional(async (em) => {
    const made = await proofs.make('join', user.id, { em })
    await proofs.use('join', made.token, { em })
    return (await proofs.make('join', user.id, { em })).token
  })
  await t.rejects(em.transactional(async (em) => {
    await proofs.use('join', token, { em })
    throw new Error('Not so')
  }), { message: 'Not so' })
  t.match(await proofs.use('join', token), { userId: user.id, data: {} })
})

t.test('purposes of ours, and what is none, are refused', async (t) => {
  const { proofs, user } = await buildWithServices(t)
  for (const purpose of ['reset', 'restore', 'login', '', 'A', 'a'.repeat(17), '1a', 'a b']) {
    await t.rejects(proofs.make(purpose, user.id), { code: 'ACCOUNTS_OPTIONS_INVALID' })
    await t.rejects(proofs.use(purpose, 'x'), { code: 'ACCOUNTS_OPTIONS_INVALID' })
  }
  for (const expiresIn of ['31d', 0, 'soon']) {
    await t.rejects(proofs.make('join', user.id, { expiresIn: expiresIn as never }), { message: /expiresIn/ })
  }
  await t.rejects(proofs.make('join', user.id, { x: 1 } as never), { message: /x is not an option of proofs\.make/ })
})

t.test('a proof of the app needs no address, and is void once there is one', async (t) => {
  const { proofs, post, users } = await buildWithServices(t)
  const { user } = (await post('/auth/register', { username: 'bob', password })).json()
  const [first, second] = [await proofs.make('join', user.id), await proofs.make('join', user.id)]
  t.match(await proofs.use('join', first.token), { userId: user.id })
  await t.rejects(proofs.use('join', second.token), { code: 'ACCOUNTS_PROOF_INVALID' })
  const { token } = await proofs.make('join', user.id)
  await users.update(user.id, { email: 'bob@example.com' })
  await t.rejects(proofs.use('join', token), { code: 'ACCOUNTS_PROOF_INVALID' })
})

t.test('two mails that code sends at once arrive a minute apart', async (t) => {
  const { mail, mails, flush, later, user } = await buildWithServices(t, { throttle: {} })
  await mail.send('reset', user.id)
  await mail.send('reset', user.id)
  await flush()
  t.equal(mails.mails.length, 1)
  await later('1m')
  t.equal(mails.mails.length, 2)
})

t.test('a mail that is tried again is dropped where its link was made void meanwhile', async (t) => {
  const { app, mail, mails, post, later, flush, user } = await buildWithServices(t)
  failMail(app, new Error('Not now'))
  const { id } = await mail.send('reset', user.id)
  await flush()
  t.match(await mail.find(id), { state: 'due', tries: 1, address: 'ada@example.com' })
  await mail.send('reset', user.id)
  await flush()
  const token = mails.token(mails.last('reset'))
  t.equal((await post('/auth/password/reset', { token, new_password: otherPassword })).statusCode, 204)
  await later('1m')
  t.equal(await mail.find(id), null)
  t.equal(mails.mails.filter(({ kind }) => kind === 'reset').length, 1)
})

t.test('a mail that is tried again is dropped where its user is another one by then', async (t) => {
  const { app, mail, mails, later, flush, users, sql, user } = await buildWithServices(t)
  const ends: Record<string, () => Promise<unknown>> = {
    'signed out everywhere': () => app.accounts.sessions.revokeAll(user.id),
    'with another password': () => users.setPassword(user.id, otherPassword),
    'with another address': () => users.update(user.id, { email: 'lovelace@example.com' }),
    'about to be deleted': () => sql.run('update accounts_users set closes_at = created_at'),
    disabled: () => users.disable(user.id),
  }
  for (const [what, end] of Object.entries(ends)) {
    failMail(app, new Error('Not now'))
    const { id } = await mail.send('reset', user.id)
    await flush()
    t.match(await mail.find(id), { state: 'due', tries: 1 }, what)
    await end()
    await later('1m')
    t.equal(await mail.find(id), null, what)
    t.notOk(mails.mails.some(({ kind }) => kind === 'reset'), what)
    await sql.run('update accounts_users set closes_at = null')
  }
})

t.test('a link that nobody needs any more is not tried again, and neither is one that is over', async (t) => {
  const { app, mail, mails, later, flush, sql, user } = await buildWithServices(t)
  for (const change of [
    'update accounts_users set email_verified_at = created_at', 'update accounts_one_time set expires_at = created_at',
  ]) {
    failMail(app, new Error('Not now'))
    const { id } = await mail.send('verify', user.id)
    await flush()
    t.match(await mail.find(id), { state: 'due', tries: 1 })
    await sql.run(change)
    await later('1m')
    t.equal(await mail.find(id), null)
    await sql.run('update accounts_users set email_verified_at = null')
  }
  t.same(mails.mails, [])
})

t.test('code that has a mail sent again gets another link where the one of before is void by its user', async (t) => {
  const { app, mail, mails, flush, post, user } = await buildWithServices(t)
  failMail(app, Object.assign(new Error('No'), { permanent: true }))
  const { id } = await mail.send('reset', user.id)
  await flush()
  await app.accounts.sessions.revokeAll(user.id)
  await mail.retry(id)
  await flush()
  const token = mails.token(mails.last('reset'))
  t.equal((await post('/auth/password/reset', { token, new_password: otherPassword })).statusCode, 204)
})

const withTrigger = { skip: databaseKind !== 'sqlite' && 'a trigger disables the user' }
t.test('who is disabled just when a mail is made for them gets none', withTrigger, async (t) => {
  const { mail, mails, sql, flush, user } = await buildWithServices(t, { throttle: {} })
  const { id } = await mail.send('reset', user.id)
  await sql.exec(`create trigger disabling after insert on accounts_throttle begin
    update accounts_users set disabled_at = created_at; end;\n`)
  await flush()
  t.equal(await mail.find(id), null)
  t.same(mails.mails, [])
})
