import t from 'tap'
import { flushMail } from '../../../lib/testing.ts'
import { build } from '../../support/build.ts'
import { buildWithMail } from '../../support/mail.ts'

t.test('the mails of development are shown, the newest first, as text and as HTML that can do nothing', async (t) => {
  const { app, mails, flush, post, signUpWithMail } = await buildWithMail(t, { mail: { appName: 'A & B' } })
  t.match((await app.inject('/auth/outbox')).body, /There are none yet/)
  await signUpWithMail()
  await post('/auth/password/forgot', { username: 'ada' })
  await flush()
  const mail = mails.last('reset')
  const { statusCode, headers, body } = await app.inject('/auth/outbox')
  t.equal(statusCode, 200)
  t.match(headers, {
    'content-type': 'text/html; charset=utf-8',
    'cache-control': 'no-store',
    'referrer-policy': 'no-referrer',
    'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'; " +
      "frame-ancestors 'none'",
  })
  t.match(body, /<details open><summary>Choose another password for A &amp; B<small>to ada@example\.com, reset/)
  t.match(body, `Code: <b>${mails.code(mail)}</b>`)
  t.match(body, `<a href="http://localhost/auth/pages/reset#${mails.token(mail)}" target="_blank" rel="noreferrer">`)
  t.match(body, /<iframe sandbox title="[^"]+" srcdoc="&lt;!doctype html&gt;/)
  t.notMatch(body, /<script|<img/)
})

t.test('programs get them as JSON, the newest last', async (t) => {
  const { app, mails, signUpWithMail, flush, post } = await buildWithMail(t)
  await signUpWithMail()
  await post('/auth/password/forgot', { username: 'ada' })
  await flush()
  await app.accounts.users.setPassword((await app.accounts.users.find('ada'))!.id, 'staple battery horse correct')
  await flushMail(app)
  const answer = await app.inject({ url: '/auth/outbox', headers: { accept: 'application/json' } })
  t.equal(answer.headers['content-type'], 'application/json; charset=utf-8')
  const mail = mails.last('reset')
  const shown = answer.json().mails.find(({ kind }: { kind: string }) => kind === 'reset')
  t.strictSame(shown, {
    id: mail.id,
    kind: 'reset',
    to: 'ada@example.com',
    sent_at: mail.sentAt.toISOString(),
    subject: mail.subject,
    links: [`http://localhost/auth/pages/reset#${mails.token(mail)}`],
    code: mails.code(mail),
    text: mail.text,
    html: mail.html,
  })
})

t.test('nobody sees them but from this machine, by its own name, and from no page of another origin', async (t) => {
  const { app } = await buildWithMail(t)
  const statusOf = async (headers: Record<string, string>, remoteAddress = '127.0.0.1') =>
    (await app.inject({ url: '/auth/outbox', headers, remoteAddress })).statusCode
  for (const host of ['localhost', 'LOCALHOST:3000', '127.0.0.1:3000', '[::1]:3000', 'app.localhost']) {
    for (const address of ['127.0.0.1', '127.1.2.3', '::1', '::ffff:127.0.0.1']) {
      t.equal(await statusOf({ host }, address), 200, `${address} ${host}`)
    }
  }
  for (const host of ['example.com', 'localhost.example.com', '127.0.0.1.example.com', '10.0.0.1', 'localhost@e.com']) {
    t.equal(await statusOf({ host }), 404, host)
  }
  for (const address of ['10.0.0.1', '::ffff:10.0.0.1', '2001:db8::1', '1127.0.0.1']) {
    t.equal(await statusOf({ host: 'localhost' }, address), 404, address)
  }
  t.equal(await statusOf({ ':authority': 'example.com', host: 'localhost' }), 404, 'HTTP/2')
  for (const name of ['forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip', 'via', 'origin']) {
    t.equal(await statusOf({ host: 'localhost', [name]: 'http://localhost' }), 404, name)
  }
})

t.test('what a proxy that is trusted says of a request does not count', async (t) => {
  const { app } = await build(t, { mail: true }, { trustProxy: true })
  const headers = { host: 'example.com', 'x-forwarded-host': 'localhost' }
  t.equal((await app.inject({ url: '/auth/outbox', headers })).statusCode, 404)
})

t.test('there is none where mails are sent, and so none in production, nor without mails', async (t) => {
  const mail = { from: 'accounts@example.com', appName: 'Example', send: async () => {} }
  for (const options of [{}, { mail }]) {
    const { app } = await build(t, options)
    t.equal((await app.inject('/auth/outbox')).statusCode, 404)
  }
  process.env.NODE_ENV = 'production'
  t.teardown(() => { delete process.env.NODE_ENV })
  const links = { base: 'https://app.example.com' }
  await t.rejects(build(t, { mail: { links } }), { message: /mail needs smtp/ })
})

t.test('where it is stands once in the log, when the server listens', async (t) => {
  const lines: string[] = []
  const { app } = await build(t, { mail: true }, { logger: { stream: { write: (line: string) => lines.push(line) } } })
  await app.ready()
  const told = () => lines.filter((line) => line.includes('/outbox'))
  t.strictSame(told(), [])
  const url = await app.listen({ port: 0, host: '127.0.0.1' })
  t.equal(told().length, 1)
  t.match(JSON.parse(told()[0]!), {
    level: 30, msg: `Mails are not sent, but shown at http://localhost:${new URL(url).port}/auth/outbox`,
  })
  t.equal((await fetch(`${url}/auth/outbox`)).status, 200)
})
