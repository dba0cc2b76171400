// On each database.
import { setTimeout as pause } from 'node:timers/promises'
import t from 'tap'
import type { AccountsOptions, Mail } from '../../lib/index.ts'
import { clock, flushMail } from '../../lib/testing.ts'
import { build } from '../support/build.ts'
import { kind } from '../support/databases.ts'
import { letPass, until } from '../support/waiting.ts'
import { buildToSend } from './with-smtp.ts'

type Send = (mail: Mail, sending: { signal: AbortSignal, attempt: number }) => Promise<void>

/** Options of an app that sends by a function of its own. */
function sending (send: Send, more: object = {}): AccountsOptions {
  const mail = { from: 'accounts@example.com', appName: 'Example', send, rate: 1000, ...more }
  return { mail, email: { verification: 'none' } }
}

// What a mail waits for keeps no process alive, and here nothing else does.
const alive = setInterval(() => {}, 1000)
t.teardown(() => clearInterval(alive))

const never = () => new Promise<never>(() => {})

t.test('a mail that hangs is aborted after 30 seconds, holds up no other, and is tried again', async (t) => {
  const { timeout } = AbortSignal
  t.teardown(() => { AbortSignal.timeout = timeout })
  const limits: AbortController[] = []
  AbortSignal.timeout = (ms) => {
    if (ms !== 30_000) return timeout(ms)
    limits.push(new AbortController())
    return limits.at(-1)!.signal
  }
  const seen: [to: string, attempt: number, isAborted: boolean][] = []
  let hanging = true
  const { signUpWithMail, forget, later, said, post, flush } = await buildToSend(t, sending(async (mail, sending) => {
    const entry: typeof seen[number] = [mail.to.address.split('@')[0]!, sending.attempt, false]
    seen.push(entry)
    sending.signal.addEventListener('abort', () => { entry[2] = true })
    if (hanging && entry[0] === 'ada') await never()
  }))
  for (const name of ['ada', 'bob', 'eve']) await signUpWithMail(name)
  const asked = forget('ada')
  await until(() => seen.length === 1)
  await post('/auth/password/forgot', { username: 'bob' })
  await until(() => seen.length === 2)
  t.same(seen.map(([, , isAborted]) => isAborted), [false, false], 'bob did not wait for ada')
  limits[0]!.abort(new DOMException('30 seconds are over', 'TimeoutError'))
  await asked
  await flush()
  t.same(seen.map(([, , isAborted]) => isAborted), [true, false])
  t.match(said('A mail could not be sent'), [{ error: 'TimeoutError' }])
  hanging = false
  await later('40s')
  t.same(seen.at(-1), ['ada', 2, false])
})

t.test('a template that throws, or gives nothing, costs its mail and nothing else', async (t) => {
  const wrong: (() => any)[] = [
    () => { throw new TypeError('It holds https://example.com/#token') },
    () => undefined,
    () => ({ text: '', html: '' }),
  ]
  for (const reset of wrong) {
    const options = sending(never, { templates: { reset } })
    const { signUpWithMail, forget, events, lines, sql } = await buildToSend(t, options)
    await signUpWithMail()
    t.equal((await forget()).statusCode, 202)
    t.match(events, [{ data: { kind: 'reset', error: 'template' } }])
    t.match(lines.find(({ msg }) => msg === 'A template has failed'), { error: 'TypeError', at: /worker\.test|compose/ })
    t.notMatch(JSON.stringify(lines), /#token/)
    t.match(await sql.get('select error from accounts_mails'), { error: 'template' })
  }
})

t.test('whatever is thrown is told by its class, and by nothing that it says', async (t) => {
  const thrown = [
    [new RangeError('ada@example.com'), 'RangeError'], ['ada@example.com', 'string'], [undefined, 'undefined'],
    [{ code: 'E X<ada@example.com>' }, 'EXadaexamplecom'], [{ name: '' }, 'Error'],
    [{ code: 'x'.repeat(99) }, 'x'.repeat(64)],
  ] as const
  for (const [error, name] of thrown) {
    const { signUpWithMail, forget, said, sql } = await buildToSend(t, sending(async () => { throw error }))
    await signUpWithMail()
    await forget()
    t.match(said('A mail could not be sent'), [{ error: name }])
    t.match(await sql.get('select error from accounts_mails'), { error: name })
  }
})

t.test('an app that closes waits for what it sends, and no longer than five seconds', async (t) => {
  let release = () => {}
  const started = Promise.withResolvers<void>()
  const { app, signUpWithMail, forget, sql } = await buildToSend(t, sending(async () => {
    started.resolve()
    await new Promise<void>((resolve) => { release = resolve })
  }))
  await signUpWithMail()
  forget().catch(() => {})
  await started.promise
  const closing = app.close()
  release()
  await closing
  t.ok((await sql.get('select sent_at from accounts_mails'))!.sent_at)
})

t.test('what is sent still after that is aborted and given back, with what was not begun with', async (t) => {
  const aborted: boolean[] = []
  let begun = 0
  const { app, signUpWithMail, sql, post, flush } = await buildToSend(t, sending(async (_, { signal }) => {
    begun++
    signal.addEventListener('abort', () => { aborted.push(true) })
    await never()
  }))
  for (const name of ['ada', 'bob', 'eve', 'eva', 'ann', 'tom']) {
    await signUpWithMail(name)
    await post('/auth/password/forgot', { username: name })
  }
  flush().catch(() => {})
  await until(() => begun === 4)
  const before = Date.now()
  await app.close()
  t.ok(Date.now() - before < 9000)
  t.equal(aborted.length, 4)
  const rows = await sql.all('select claim, tries, due_at, error from accounts_mails')
  for (const row of rows) t.match(row, { claim: null, tries: 0, error: null })
  t.ok(rows.every(({ due_at: dueAt }) => Number(dueAt) <= Date.now() + 1000))
})

// Elsewhere statements are on their way meanwhile, and out of time.
const inOneProcess = { skip: kind !== 'sqlite' && 'the clock of all statements goes on' }
t.test('a claim that is nearly over is given back before its mail is begun with', inOneProcess, async (t) => {
  const sent: string[] = []
  const { signUpWithMail, forget, sql, post, flush } = await buildToSend(t, sending(async ({ to }) => {
    sent.push(to.address)
    if (sent.length === 1) letPass(t, 36_000)
  }, { rate: 1000 }))
  for (let user = 0; user < 7; user++) await signUpWithMail(`user${user}`)
  for (let user = 0; user < 7; user++) await post('/auth/password/forgot', { username: `user${user}` })
  await flush()
  await forget('user0')
  t.equal(new Set(sent).size, 7)
  t.equal(sent.length, 8, 'each once')
  t.equal((await sql.all('select id from accounts_mails where sent_at is null')).length, 0)
})

t.test('a mail that a process died of is sent by another once its claim is over', async (t) => {
  const sent: number[] = []
  const { signUpWithMail, later, sql, post, flush } = await buildToSend(t, sending(async (_, { attempt }) => {
    sent.push(attempt)
  }, { worker: false }))
  await signUpWithMail()
  await post('/auth/password/forgot', { username: 'ada' })
  await sql.run('update accounts_mails set claim = ?, due_at = ?, tries = 1',
    '01a228c1-67c1-7366-adb1-e9f8f41409e0', Date.now() + 90_000)
  await flush()
  t.same(sent, [])
  await later('2m')
  t.same(sent, [2])
})

t.test('who comes too late with what became of a mail changes nothing', async (t) => {
  const { signUpWithMail, forget, sql } = await buildToSend(t, sending(async () => {
    await sql.run("update accounts_mails set claim = '01a228c1-67c1-7366-adb1-e9f8f41409e0'")
  }))
  await signUpWithMail()
  await forget()
  t.match(await sql.get('select claim, sent_at from accounts_mails'), { sent_at: null, claim: /^01a228c1/ })
})

t.test('a clock that steps loses no mail', async (t) => {
  let count = 0
  const { signUpWithMail, post, flush } = await buildToSend(t, sending(async () => { count++ }, { worker: false }))
  await signUpWithMail()
  const ahead = clock(Date.now() + 50 * 60_000)
  await post('/auth/password/forgot', { username: 'ada' })
  ahead.restore()
  await flush()
  t.equal(count, 0, 'it is due later, by a clock that was wrong')
  const again = clock(Date.now() + 51 * 60_000)
  t.teardown(again.restore)
  await flush()
  t.equal(count, 1)
})

t.test('a mail that nobody sent in time is given up, and that is told', async (t) => {
  const { signUpWithMail, post, later, events } = await buildToSend(t, sending(never, { worker: false }))
  await signUpWithMail()
  await post('/auth/password/forgot', { username: 'ada' })
  await later('2h')
  t.match(events, [{ data: { kind: 'reset', error: 'expired' } }])
})

t.test('of two apps on one database the one without a worker leaves its mails to the other', async (t) => {
  const sent: string[] = []
  const first = await buildToSend(t, sending(async () => { sent.push('first') }, { worker: false }))
  await first.app.ready()
  await first.signUpWithMail()
  const second = await build(t, { ...sending(async () => { sent.push('second') }), db: first.db })
  await first.post('/auth/password/forgot', { username: 'ada' })
  await pause(600)
  t.same(sent, [])
  await second.app.ready()
  await flushMail(second.app)
  t.same(sent, ['second'])
})

t.test('a process sends no kind of mail that it does not know, and who knows it does', async (t) => {
  const sent: string[] = []
  const keep: Send = async (mail) => { sent.push(mail.kind) }
  const welcome = () => ({ subject: '', text: '', html: '' })
  const knowing = await buildToSend(t, sending(keep, { templates: { welcome }, worker: false }))
  const { user } = await knowing.signUpWithMail()
  const other = await build(t, { ...sending(keep), db: knowing.db })
  await knowing.app.accounts.mail.send('welcome', user.id)
  await flushMail(other.app)
  t.same(sent, [])
  await knowing.flush()
  t.same(sent, ['welcome'])
})

t.test('a language that cannot be found out costs nobody their answer', async (t) => {
  for (const locale of [() => { throw new Error('x') }, () => 7, () => null] as any[]) {
    const locales: string[] = []
    const send: Send = async (mail) => { locales.push(mail.locale) }
    const { signUpWithMail, forget } = await buildToSend(t, sending(send, { locale }))
    await signUpWithMail()
    t.equal((await forget()).statusCode, 202)
    t.same(locales, ['en'])
  }
})

const onFile = { skip: kind !== 'sqlite' && 'the table is renamed in a file' }
t.test('a database that is away for a while is logged, and the mails go on after it', onFile, async (t) => {
  let count = 0
  const { app, signUpWithMail, forget, sql, said } = await buildToSend(t, sending(async () => { count++ }))
  await sql.exec('alter table accounts_mails rename to hidden;\n')
  await app.ready()
  await until(() => said('The outbox of mails cannot be read').length > 0)
  await t.rejects(flushMail(app), { code: 'ACCOUNTS_UNAVAILABLE' })
  await sql.exec('alter table hidden rename to accounts_mails;\n')
  await signUpWithMail()
  await forget()
  t.equal(count, 1)
})

t.test('what has become of a mail and cannot be noted is logged, and the mail is sent again', onFile, async (t) => {
  const attempts: number[] = []
  const { signUpWithMail, forget, later, sql, said } = await buildToSend(t, sending(async (_, { attempt }) => {
    attempts.push(attempt)
  }, { worker: false }))
  await signUpWithMail()
  await sql.exec(`create trigger stuck before update on accounts_mails when new.sent_at is not null begin
    select raise(abort, 'No'); end;\n`)
  await forget()
  t.equal(said('It cannot be noted what has become of a mail').length, 1)
  await sql.exec('drop trigger stuck;\n')
  await later('2m')
  t.same(attempts, [1, 2])
  t.ok((await sql.get('select sent_at from accounts_mails'))!.sent_at)
})

t.test('a mail that fails again and again is given up once it would come too late', async (t) => {
  let tries = 0
  const { signUpWithMail, forget, later, events, sql } = await buildToSend(t, sending(async () => {
    tries++
    throw new RangeError('Not now')
  }, { worker: false }))
  await signUpWithMail()
  await forget()
  for (const by of ['1m', '3m', '6m', '12m', '24m'] as const) await later(by)
  t.same([tries, events], [6, []])
  await later('44m')
  t.match(events, [{ data: { kind: 'reset', error: 'RangeError' } }])
  t.match(await sql.get('select error, due_at, sent_at from accounts_mails'), {
    error: 'RangeError', due_at: null, sent_at: null,
  })
})

t.test('a mail in a language that this process has no texts of is sent in English', async (t) => {
  const texts: string[] = []
  const { signUpWithMail, post, flush, sql } = await buildToSend(t, sending(async ({ text }) => { texts.push(text) }, {
    worker: false,
  }))
  await signUpWithMail()
  await post('/auth/password/forgot', { username: 'ada' })
  await sql.run("update accounts_mails set locale = 'fr'")
  await flush()
  t.match(texts, [/an hour/])
})
