import { registerHooks } from 'node:module'
import { createServer, type AddressInfo } from 'node:net'
import { once } from 'node:events'
import t, { type Test } from 'tap'
import { troubleOf } from '../../lib/mail/smtp-trouble.ts'
import { refusal, startSmtp } from '../mail/smtp-server.ts'
import { missing } from '../support/missing.ts'
import { cli, json } from './cli.ts'

/** Of files, each of which Node loads once. */
let count = 0

/** A folder with the options of an app that sends mails in this way, as their text, and the command on them. */
function sendingBy (t: Test, how: string) {
  const config = `options-${++count}.mjs`
  const cwd = t.testdir({
    [config]: `export default { mail: { from: 'Example <accounts@example.org>', appName: 'Ex & ample', ${how} } }`,
  })
  const args = ['mail', 'send-test', 'ada@example.com', '--config', config]
  return { args, cwd, config, text: () => cli(args, { cwd }), json: () => json(args, { cwd }) }
}

t.test('a mail goes out as those of the app do, and its server has taken it', async (t) => {
  const { received, port } = await startSmtp(t)
  const sent = await sendingBy(t, `smtp: 'smtp://127.0.0.1:${port}'`).json()
  t.match(sent, { code: 0, sent: true, to: 'ada@example.com', by: `The server 127.0.0.1:${port}`, id: /^[\w-]{36}$/ })
  t.match(received, [{ from: 'accounts@example.org', to: ['ada@example.com'], isEncrypted: true }])
  const { raw } = received[0]!
  t.match(raw, new RegExp(`^Message-ID: <${sent.id}@example\\.org>$`, 'm'))
  t.match(raw, /^From: Example <accounts@example\.org>$/m)
  t.match(raw, /^Subject: A test of the mails of Ex & ample$/m)
  t.match(raw, /Mails of Ex & ample leave[^]+<p>Mails of Ex &amp; ample leave/)

  const { stdout } = await sendingBy(t, `smtp: { host: '127.0.0.1', port: ${port} }`).text()
  t.match(stdout, new RegExp(`^The server 127\\.0\\.0\\.1:${port} has taken a mail to ada@example\\.com \\([\\w-]{36}\\)\\.$`))
  t.equal(received.length, 2)
})

t.test('the server may stand in the environment, and no database is asked for', async (t) => {
  const { received, port } = await startSmtp(t)
  const { cwd, args } = sendingBy(t, '')
  const env = { ACCOUNTS_SMTP_URL: `smtp://127.0.0.1:${port}`, ACCOUNTS_DATABASE_URL: 'postgresql://127.0.0.1:1/none' }
  const { code } = await cli(args, { cwd, env })
  t.equal(code, 0)
  t.equal(received.length, 1)
})

t.test('a server that refuses is named with what it refuses, and nothing that it says is repeated', async (t) => {
  for (const [command, code, said] of [
    ['onMailFrom', 550, 'it refuses the sender (EENVELOPE, 550)'],
    ['onRcptTo', 550, 'it refuses the recipient (EENVELOPE, 550)'],
    ['onRcptTo', 450, 'it refuses the recipient (EENVELOPE, 450)'],
    ['onData', 554, 'it refuses the mail (EMESSAGE, 554)'],
    ['onConnect', 554, 'it does not speak SMTP, or refuses everybody (EPROTOCOL, 554)'],
  ] as const) {
    const refuse = (...given: any[]) => {
      if (command === 'onData') given[0].resume()
      given.at(-1)(refusal(code))
    }
    const { port } = await startSmtp(t, { [command]: refuse })
    const { code: exit, stderr } = await sendingBy(t, `smtp: 'smtp://127.0.0.1:${port}'`).text()
    t.equal(exit, 1)
    t.equal(stderr, `The server 127.0.0.1:${port} has not taken it: ${said}`)
  }
})

t.test('what nobody has foreseen has its class told, and no more', async (t) => {
  for (const [error, said] of [
    [new RangeError('hunter2'), 'something failed (RangeError)'],
    [Object.assign(new Error('hunter2'), { code: 'EENVELOPE', command: 'API' }),
      'it refuses the sender or the recipient (EENVELOPE)'],
    ['hunter2', 'something failed (string)'],
  ]) t.equal(troubleOf(error), said)
})

t.test('credentials that are refused are said to be, and not told', async (t) => {
  const { port } = await startSmtp(t, {
    authOptional: false,
    allowInsecureAuth: true,
    onAuth: (_, __, done) => done(Object.assign(new Error('hunter2 is wrong'), { responseCode: 535 })),
  })
  const { stdout, stderr } = await sendingBy(t, `smtp: 'smtp://ada:hunter2@127.0.0.1:${port}'`).text()
  t.match(stderr, 'it refuses the user or the password (EAUTH, 535)')
  t.notMatch(stdout + stderr, /hunter2/)
})

t.test('a server that is not there, is not trusted, or has no TLS is said to be that', async (t) => {
  const untrusted = await startSmtp(t, {}, '127.0.0.2')
  const open = await startSmtp(t, { hideSTARTTLS: true, disabledCommands: ['STARTTLS'] }, '127.0.0.2')
  const silent = await startSmtp(t, { onConnect: () => {} })
  const babbler = createServer((socket) => { socket.on('error', () => {}).end('HTTP/1.1 400 Bad Request\r\n\r\n') })
  await once(babbler.listen(0, '127.0.0.1'), 'listening')
  t.teardown(() => babbler.close())
  const quick = `host: '127.0.0.1', port: ${silent.port}, greetingTimeout: 300`
  for (const [smtp, said] of [
    ["'smtp://127.0.0.1:1'", /^The server 127\.0\.0\.1:1 .*: nothing listens there \(ESOCKET, ECONNREFUSED\)$/],
    ['{ port: 1 }', /^The server localhost:1 .*: nothing listens there/],
    ["'smtp://nowhere.invalid'", /^The server nowhere\.invalid:587 .*: its name is not known \(EDNS/],
    ["'smtps://nowhere.invalid'", /^The server nowhere\.invalid:465 /],
    [`'smtp://127.0.0.2:${untrusted.port}'`, /: its certificate is not one that this machine trusts \(E/],
    [`'smtp://127.0.0.2:${open.port}'`, /: it offers no TLS, or none that works \(ETLS/],
    [`{ ${quick} }`, /: it did not answer in time \(ETIMEDOUT\)$/],
    [`'smtp://127.0.0.1:${(babbler.address() as AddressInfo).port}'`, /: it does not speak SMTP/],
    ['{ url: \'smtp://127.0.0.1:1\' }', /^The server of mail\.smtp has not taken it: nothing listens there/],
  ] as const) {
    const { code, stderr } = await sendingBy(t, `smtp: ${smtp}`).text()
    t.equal(code, 1)
    t.match(stderr, said)
  }
})

t.test('a function of the app sends it, and is told what the app would tell it', async (t) => {
  const { text, json: sent } = sendingBy(t, `
    send: async (mail, { signal, attempt }) => { globalThis.sent = { mail, signal, attempt } }`)
  t.match(await sent(), { code: 0, by: 'mail.send' })
  const { sent: given } = globalThis as unknown as { sent: { mail: { id: string } } }
  t.match(given, {
    mail: {
      kind: 'test',
      to: { address: 'ada@example.com' },
      from: { name: 'Example', address: 'accounts@example.org' },
      headers: { 'Auto-Submitted': 'auto-generated' },
    },
    attempt: 1,
  })
  t.match((await text()).stdout, /^mail\.send has taken a mail to ada@example\.com/)
})

t.test('of what a function of the app throws, its class alone is told', async (t) => {
  const failing = "throw Object.assign(new Error('key hunter2 is wrong'), { code: 'EKEY', permanent: true })"
  const { code, stdout, stderr } = await sendingBy(t, `send: async () => { ${failing} }`).text()
  t.match({ code, stderr }, { code: 1, stderr: 'mail.send has not taken it (EKEY)' })
  t.notMatch(stdout + stderr, /hunter2/)
})

t.test('what cannot be done is said with what is missing', async (t) => {
  const cwd = t.testdir({ 'outbox.mjs': 'export default { mail: true }' })
  const given = ['mail', 'send-test', 'ada@example.com']
  t.match(await json(given, { cwd }), { code: 1, error: { code: 'ACCOUNTS_REFUSED', message: /no mail .*--config/ } })
  t.match(await json([...given, '--config', 'outbox.mjs'], { cwd }), {
    code: 1, error: { code: 'ACCOUNTS_REFUSED', message: /kept in memory .* no mail\.smtp and no mail\.send/ },
  })
  for (const address of ['ada', 'ada@example.com\r\nRCPT TO:<eve@example.com>', 'a@example.com,b@example.com']) {
    t.match(await cli(['mail', 'send-test', address], { cwd }), { code: 2, stderr: 'ADDRESS is one as in ada@example.com' })
  }
})

t.test('without nodemailer it is said what to install', async (t) => {
  const hooks = registerHooks({
    resolve (specifier, context, next) {
      if (specifier === 'nodemailer') throw missing(specifier)
      return next(specifier, context)
    },
  })
  t.teardown(() => hooks.deregister())
  const { json: sent, config, cwd } = sendingBy(t, "smtp: 'smtp://localhost'")
  t.match(await sent(), {
    code: 1, error: { code: 'ACCOUNTS_OPTIONS_INVALID', message: /npm install nodemailer/ },
  })
  const { stdout } = await cli(['doctor', '--config', config], { cwd })
  t.match(stdout, /^error {4}.*npm install nodemailer\.$/m)
})
