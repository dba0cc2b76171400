import { execFile } from 'node:child_process'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { once } from 'node:events'
import { promisify } from 'node:util'
import t from 'tap'
import { greetSmtp } from '../../lib/mail/smtp.ts'
import { build } from '../support/build.ts'
import { refusal, startSmtp } from './smtp-server.ts'
import { buildWithSmtp } from './with-smtp.ts'

const quick = { connectionTimeout: 300, greetingTimeout: 300, socketTimeout: 300 }

t.test('a mail arrives with one recipient, an id of its own, and the same in text and in HTML', async (t) => {
  const { received, port } = await startSmtp(t)
  const { signUpWithMail, forget, sql } = await buildWithSmtp(t, `smtp://127.0.0.1:${port}`)
  await signUpWithMail()
  await forget()
  t.match(received, [{ from: 'accounts@example.com', to: ['ada@example.com'] }])
  const [head, body] = received[0]!.raw.split(/\r\n\r\n(.*)/s) as [string, string]
  const { id, sent_at: sentAt } = (await sql.get('select id, sent_at from accounts_mails'))!
  t.ok(sentAt)
  t.match(head, new RegExp(`^Message-ID: <${id}@example\\.com>$`, 'm'))
  t.match(head, /^Auto-Submitted: auto-generated$/m)
  t.match(head, /^From: Example <accounts@example\.com>$/m)
  t.match(head, /^To: ada@example\.com$/m)
  t.match(head, /^Content-Type: multipart\/alternative;/m)
  t.match(body, /Content-Type: text\/plain; charset=utf-8[^]+\/auth\/pages\/reset#[^]+Content-Type: text\/html/)
})

t.test('to this machine a mail may go in the clear, and goes by TLS where the server has it', async (t) => {
  const open = await startSmtp(t, { hideSTARTTLS: true })
  const encrypted = await startSmtp(t)
  for (const [server, isEncrypted] of [[open, false], [encrypted, true]] as const) {
    const { signUpWithMail, forget } = await buildWithSmtp(t, { host: server.host, port: server.port })
    await signUpWithMail()
    await forget()
    t.match(server.received, [{ isEncrypted }])
  }
})

t.test('anywhere else nothing goes without TLS, however the server is named and whatever is asked for', async (t) => {
  const { received, port } = await startSmtp(t, { hideSTARTTLS: true, disabledCommands: ['STARTTLS'] }, '127.0.0.2')
  const host = '127.0.0.2'
  const servers = [
    `smtp://${host}:${port}`,
    { host, port, requireTLS: false, ignoreTLS: true },
    { host, port, opportunisticTLS: true },
    { url: `smtp://${host}:${port}` },
    { host: 'localhost', url: `smtp://${host}:${port}` },
  ]
  for (const server of servers) {
    const { signUpWithMail, forget, said, events, sql } = await buildWithSmtp(t, server)
    await signUpWithMail()
    await forget()
    t.match(said('A mail could not be sent'), [{ level: 50, error: 'ETLS' }], 'our own mistake')
    t.match(await sql.get('select error, failed_at from accounts_mails'), { error: 'ETLS', failed_at: null })
    t.same(events, [])
  }
  t.same(received, [])
})

t.test('a server with a certificate that nobody vouches for gets nothing', async (t) => {
  const { received, port } = await startSmtp(t, {}, '127.0.0.2')
  const { signUpWithMail, forget, said } = await buildWithSmtp(t, `smtp://127.0.0.2:${port}`)
  await signUpWithMail()
  await forget()
  t.match(said('A mail could not be sent'), [{ kind: 'reset' }])
  t.same(received, [])
})

t.test('TLS may be there from the beginning', async (t) => {
  const { received, port } = await startSmtp(t, { secure: true })
  const tls = { rejectUnauthorized: false }
  const { signUpWithMail, forget } = await buildWithSmtp(t, { host: '127.0.0.1', port, secure: true, tls })
  await signUpWithMail()
  await forget()
  t.match(received, [{ isEncrypted: true }])
})

t.test('a server that does not know us is an error of ours: the mail is tried again, and arrives', async (t) => {
  let password = 'another'
  const { received, port } = await startSmtp(t, {
    authOptional: false,
    allowInsecureAuth: true,
    onAuth: (given, _, done) => given.password === password && given.username === 'a@b'
      ? done(null, { user: 'app' })
      : done(Object.assign(new Error('Not you'), { responseCode: 535 })),
  })
  const { signUpWithMail, forget, later, said, lines } = await buildWithSmtp(t, `smtp://a%40b:p%2Fw@127.0.0.1:${port}`)
  await signUpWithMail()
  t.equal((await forget()).statusCode, 202)
  t.match(said('A mail could not be sent'), [{ level: 50, error: 'EAUTH' }])
  t.same(received, [])
  password = 'p/w'
  await later('40s')
  t.match(received, [{ to: ['ada@example.com'] }])
  t.notMatch(JSON.stringify(lines), /p\/w/)
})

t.test('whoever is put off comes again, and whoever is refused for good does not', async (t) => {
  for (const [command, code, isForGood] of [
    ['onRcptTo', 450, false], ['onRcptTo', 550, true], ['onData', 451, false], ['onData', 554, true],
    ['onMailFrom', 550, false],
  ] as const) {
    const { server, received, port } = await startSmtp(t)
    const usual = server[command]
    const refuse = (...given: any[]) => {
      if (command === 'onData') given[0].resume()
      given.at(-1)(refusal(code))
    }
    Object.assign(server, { [command]: refuse })
    const { signUpWithMail, forget, later, events, lines, sql } = await buildWithSmtp(t, `smtp://127.0.0.1:${port}`)
    await signUpWithMail()
    await forget()
    t.equal(events.length, isForGood ? 1 : 0, `${command} ${code}`)
    Object.assign(server, { [command]: usual })
    await later('40s')
    t.equal(received.length, isForGood ? 0 : 1, `${command} ${code}`)
    t.notMatch(JSON.stringify([events, lines, await sql.all('select error from accounts_mails')]), /ada@example/)
    if (isForGood) t.match(events, [{ data: { kind: 'reset', error: /^E(ENVELOPE|MESSAGE)$/ } }])
  }
})

t.test('a server that hangs, or closes in the middle, costs its time, and the mail is tried again', async (t) => {
  const troubles: Record<string, Parameters<typeof startSmtp>[1] & object> = {
    'hangs before its greeting': { onConnect: () => {} },
    'hangs at the recipient': { onRcptTo: () => {} },
    'hangs after the mail': { onData: (stream) => { stream.resume() } },
    'closes at the recipient': { onRcptTo () { for (const { _socket } of trouble.connections as any) _socket.destroy() } },
    'closes in the mail': { onData () { for (const { _socket } of trouble.connections as any) _socket.destroy() } },
  }
  let trouble: Awaited<ReturnType<typeof startSmtp>>['server']
  for (const [what, options] of Object.entries(troubles)) {
    const smtp = await startSmtp(t, options)
    trouble = smtp.server
    const usual = await startSmtp(t)
    const { signUpWithMail, forget, later, events, said, app } = await buildWithSmtp(t, {
      host: '127.0.0.1', port: smtp.port, maxRequeues: 0, ...quick,
    })
    await signUpWithMail()
    await forget()
    t.match(said('A mail could not be sent'), [{ error: /^E(TIMEDOUT|CONNECTION|SOCKET)$/ }], what)
    Object.assign(smtp.server, { onConnect: usual.server.onConnect, onRcptTo: usual.server.onRcptTo })
    Object.assign(smtp.server, { onData: usual.server.onData })
    await later('40s')
    t.equal(usual.received.length, 1, what)
    t.same(events, [])
    await app.close()
  }
})

t.test('nobody who is not there, and nobody who speaks something else, holds up anything', async (t) => {
  const babbler = createServer((socket) => { socket.on('error', () => {}).end('HTTP/1.1 400 Bad Request\r\n\r\n') })
  await once(babbler.listen(0, '127.0.0.1'), 'listening')
  t.teardown(() => babbler.close())
  const { port } = babbler.address() as AddressInfo
  for (const server of [`smtp://127.0.0.1:${port}`, 'smtp://127.0.0.1:1', 'smtp://nowhere.invalid']) {
    const { signUpWithMail, forget, said } = await buildWithSmtp(t, server)
    await signUpWithMail()
    t.equal((await forget()).statusCode, 202)
    t.match(said('A mail could not be sent'), [{ level: 40, error: /^E[A-Z]+$/ }])
  }
})

t.test('nothing that only a hand in the database can write reaches an envelope, a header or somebody else', async (t) => {
  const { received, port } = await startSmtp(t)
  const { signUpWithMail, forget, sql, events, lines } = await buildWithSmtp(t, `smtp://127.0.0.1:${port}`)
  await signUpWithMail()
  const addresses = [
    'ada@example.com\r\nRCPT TO:<eve@example.com>', 'ada@example.com\nBcc: eve@example.com', '<eve@example.com>',
    'Ada <eve@example.com>', 'ada@example.com, eve@example.com', 'ada@example.com;eve@example.com',
    '"eve@example.com "@example.com', 'ada@example.com> SIZE=1', 'ada@exa mple.com', 'ada@example.com\u2028x', 'ada',
    'ada@example.com ', 'Ada@EXAMPLE.com', '\u212Aada@\u212Aelvin.com', 'group:eve@example.com;', '',
    ...process.env.TEST_DATABASE === 'postgresql' ? [] : ['ada@example.com\0'],
  ]
  for (const [index, address] of addresses.entries()) {
    await sql.run('update accounts_users set email = ?', address)
    await forget()
    const failed = await sql.all("select error from accounts_mails where error = 'address' and failed_at is not null")
    t.equal(failed.length, index + 1, encodeURIComponent(address))
  }
  t.same(received, [])
  t.equal(events.length, addresses.length)
  t.notMatch(JSON.stringify([events, lines]), /eve@|RCPT TO/)
})

t.test('a mail refused for its text alone names no file and no URL to be read', async (t) => {
  const { received, port } = await startSmtp(t)
  const evil = { path: '/etc/passwd', href: 'http://127.0.0.1:1' } as unknown as string
  const { signUpWithMail, forget, events, sql } = await buildWithSmtp(t, `smtp://127.0.0.1:${port}`, {
    mail: { templates: { reset: () => ({ subject: 'x', text: evil, html: evil }) } },
  })
  await signUpWithMail()
  await forget()
  t.same(received, [])
  t.match(await sql.get('select sent_at from accounts_mails'), { sent_at: null })
  t.notMatch(JSON.stringify(events), /passwd/)
})

t.test('without nodemailer the app does not start, and says what to install', async (t) => {
  const start = (...given: string[]) => promisify(execFile)(process.execPath, [
    join(import.meta.dirname, '..', 'support', 'without-nodemailer.ts'), ...given,
  ]).catch((error) => error)
  t.match((await start()).stderr, /mail\.smtp needs the package nodemailer: npm install nodemailer/)
  const { stderr } = await start('It was made for another Node')
  t.match(stderr, /It was made for another Node/)
  t.notMatch(stderr, /npm install/)
})

t.test('a URL that is none is refused at the start', async (t) => {
  for (const smtp of ['smtp://', 'http://localhost', 'smtp://user:100%@localhost', 'localhost:25', 'localhost']) {
    const mail = { from: 'accounts@example.com', appName: 'Example', smtp }
    await t.rejects(build(t, { mail }), { code: 'ACCOUNTS_OPTIONS_INVALID', message: /mail\.smtp/ })
  }
})

t.test('a server is greeted for as long as it is said, however slowly it speaks', async (t) => {
  const slow = createServer((socket) => {
    const timer = setInterval(() => socket.write('220-Welcome\r\n'), 50)
    socket.on('error', () => {}).on('close', () => clearInterval(timer))
  })
  await once(slow.listen(0, '127.0.0.1'), 'listening')
  t.teardown(() => slow.close())
  const { port } = slow.address() as AddressInfo
  const began = performance.now()
  await t.rejects(greetSmtp(`smtp://127.0.0.1:${port}`, 300))
  t.ok(performance.now() - began < 2000)
  const { port: good } = await startSmtp(t)
  await t.resolves(greetSmtp(`smtp://127.0.0.1:${good}`, 5000))
})
