import { chmodSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { findingsOf } from '../../lib/cli/findings.ts'
import type { AccountsOptions } from '../../lib/index.ts'
import { readSettings } from '../../lib/settings.ts'
import { failMail, flushMail } from '../../lib/testing.ts'
import { startSmtp } from '../mail/smtp-server.ts'
import { build, buildOnFile, password, secret } from '../support/build.ts'
import { answers, freshDatabase, open } from '../support/databases.ts'
import { cli, json } from './cli.ts'

/** Sentences about a configuration alone. */
async function said (t: Test, given: AccountsOptions, isLive = false): Promise<string> {
  const { app } = await build(t)
  return findingsOf({ given, settings: readSettings(given, {}, app.log), isLive })
    .map(({ level, finding }) => `${level}: ${finding}`)
    .join('\n')
}

t.test('of a good configuration on a good database there are remarks at most, but for the throttle', async (t) => {
  const cwd = t.testdir({})
  const env = { JWT_SECRET_KEY: secret }
  await cli(['migrate'], { cwd, env })
  const { code, findings } = await json(['doctor'], { cwd, env })
  t.equal(code, 0)
  t.strictSame(
    findings.filter(
      ({ level, finding }: { level: string; finding: string }) => level !== 'remark' && !/guesses/.test(finding)
    ),
    []
  )
  for (const { remedy } of findings) t.match(remedy, /\.$/)

  const { stdout } = await cli(['doctor'], { cwd, env })
  t.match(stdout, /^remark {3}An SQLite file can only serve/m)
  t.match(stdout, /\n\n0 errors, \d warnings?, \d remarks$/)
})

t.test('each weakness of a configuration is found, and only where it is', async (t) => {
  const weak: [options: AccountsOptions, sentence: RegExp][] = [
    [{ access: { expiresIn: '30s' } }, /warning: Access tokens live for less than a minute/],
    [{ access: { expiresIn: '1d' } }, /warning: Access tokens live for more than an hour/],
    [{ refresh: { window: 0 } }, /warning: Each refresh token works once/],
    [{ refresh: { window: '10m' } }, /warning: A used refresh token is answered for more than five minutes/],
    [{ access: { expiresIn: '2m' }, refresh: { window: '2m' } }, /warning: The window .* is as long as the lifetime/],
    [{ refresh: { expiresIn: '30m' } }, /warning: A session ends after being idle for less than an hour/],
    [{ leeway: '2m' }, /warning: Tokens are accepted for more than a minute/],
    [{ transport: 'cookie', cookies: { secure: false } }, /error: Cookies with tokens are sent without TLS/],
    [
      { transport: 'both', cookies: { sameSite: 'none' } },
      /warning: Cookies are sent with requests from every other site/,
    ],
    [{ csrf: { trustedOrigins: ['http://app.example.com'] } }, /warning: A trusted origin is http/],
    [{ transport: 'cookie', csrf: {} }, /warning: Browsers that send no Sec-Fetch-Site get no cookies/],
    [{ transport: 'cookie', csrf: { methods: ['POST'] } }, /warning: A method that changes something needs no CSRF proof/],
    [{ locations: ['header', 'query'] }, /warning: Tokens are accepted in URLs/],
    [{ throttle: false }, /warning: Nothing limits guesses/],
    [{ password: { minLength: 8 } }, /warning: Passwords may be shorter than 15/],
    [
      { password: { argon2: { memoryCost: 1024, timeCost: 2, parallelism: 1 } } },
      /warning: Passwords are hashed at a lower cost/,
    ],
    [{ password: {} }, /remark: Passwords are hashed without a pepper/],
    [{ db: ':memory:' }, /error: Accounts are kept in memory/],
    [{ db: 'app.sqlite' }, /remark: An SQLite file can only serve/],
    [{}, /remark: Behind a proxy/],
  ]
  const good: AccountsOptions = {
    secret,
    db: 'postgresql://db.example.com/app',
    csrf: { trustedOrigins: ['https://app.example.com', 'http://localhost:5173'] },
  }
  const usual = await said(t, good)
  t.equal(usual.split('\n').filter((line) => !/guesses|pepper|proxy/.test(line)).join(), '')
  for (const [options, sentence] of weak) t.match(await said(t, { ...good, ...options }), sentence)
  t.match(await said(t, {}), /warning: There is no secret/)
  t.notMatch(
    await said(t, { ...good, cookies: { secure: false }, csrf: { methods: ['TRACE'] } }),
    /TLS|Sec-Fetch|CSRF/,
    'without cookies their settings do not matter'
  )
  t.notMatch(await said(t, { ...good, transport: 'cookie' }), /Sec-Fetch|CSRF/)
})

t.test('a pepper, and public keys alone in memory, are nothing to speak of', async (t) => {
  const { app } = await build(t)
  const settings = readSettings({ secret, db: ':memory:' }, {}, app.log)
  const given = { secret, password: { pepper: secret } } as AccountsOptions
  const verifying = { ...settings, keys: [{ ...settings.keys[0]!, signs: false }] }
  t.notMatch(findingsOf({ given, settings: verifying }), [{ finding: /pepper|in memory/ }])
})

t.test('what the plugin refuses is an error, and the rest is looked at all the same', async (t) => {
  const cwd = t.testdir({
    'wrong.js': 'export default { refresh: { window: 0 }, tokens: {} }',
    'window.js': 'export default { refresh: { window: 0 } }',
  })
  const weak = await json(['doctor', '--config', 'window.js'], { cwd, env: { JWT_SECRET_KEY: 'my secret' } })
  t.match(weak, {
    code: 1,
    findings: [
      { level: 'error', finding: /secret .* must be at least 32 bytes/, remedy: /fastify-jwt-accounts secret/ },
    ],
  })
  t.ok(weak.findings.some(({ finding }: { finding: string }) => /works once/.test(finding)))
  t.notMatch(JSON.stringify(weak), /my secret/)

  const wrong = await json(['doctor', '--config', 'wrong.js'], { cwd })
  t.match(wrong, {
    code: 1,
    findings: [{ level: 'error', finding: /tokens is not an option/, remedy: /docs\/options.md/ }],
  })
  t.match(await cli(['doctor'], { cwd, env: { NODE_ENV: 'production' } }), {
    code: 1,
    stdout: /required in production/,
  })
})

t.test('a database is looked into: whether it is there, its tables and its clock', async (t) => {
  const cwd = t.testdir({ 'none.js': "export default { schema: 'none' }", 'empty.sqlite': '' })
  const doctor = async (...flags: string[]) =>
    JSON.stringify(await json(['doctor', ...flags], { cwd, env: { JWT_SECRET_KEY: secret } }))
  t.match(await doctor(), /There is no file accounts.sqlite yet/)
  t.notMatch(await doctor('--db', ':memory:'), /no file/)
  t.match(await doctor('--db', 'postgresql://ada:hunter2@127.0.0.1:1/app'), /"code":1.*"error".*127\.0\.0\.1:1\/app/)
  t.match(await doctor('--db', 'empty.sqlite'), /not up to date: 0001-initial/)
  t.match(
    await doctor('--db', 'empty.sqlite', '--config', 'none.js'),
    /"code":1.*accounts_users, accounts_sessions, .* cannot be read: .*With the schema 'none' the app makes no tables/
  )
  chmodSync(join(cwd, 'empty.sqlite'), 0o644)
  t.match(
    await doctor('--db', 'empty.sqlite'),
    /"warning","finding":"Every user of this machine may read empty.sqlite.","remedy":"[^"]*chmod/
  )
  chmodSync(join(cwd, 'empty.sqlite'), 0o660)
  t.notMatch(await doctor('--db', 'empty.sqlite'), /Every user/)
  await cli(['migrate', '--db', 'empty.sqlite'], { cwd })
  t.notMatch(await doctor('--db', 'empty.sqlite', '--config', 'none.js'), /tables/)
})

t.test('a clock that is not in step is noticed, on either side, whatever the database', async (t) => {
  const databases = [
    await freshDatabase(t, 'sqlite'),
    ...((await answers('postgresql')) ? [await freshDatabase(t, 'postgresql')] : []),
    ...((await answers('mariadb')) ? [await freshDatabase(t, 'mariadb')] : []),
  ]
  const cwd = t.testdir({})
  const { now } = Date
  t.teardown(() => { Date.now = now })

  for (const db of databases) {
    await cli(['migrate', '--db', db], { cwd })
    const seen = async () => (await cli(['doctor', '--db', db], { cwd, env: { JWT_SECRET_KEY: secret } })).stdout
    t.notMatch(await seen(), /clock/)
    Date.now = () => now() - 60_000
    t.match(await seen(), /clock of the database is (59|60)\.\d s ahead of this one/)
    Date.now = () => now() + 60_000
    t.match(await seen(), /clock of the database is (59|60)\.\d s behind this one/)
    Date.now = now
  }
})

t.test('an older Node, and packages of MikroORM that differ, are errors', async (t) => {
  const cwd = t.testdir({ node_modules: { '@mikro-orm': { sqlite: { 'package.json': '{ "version": "7.2.0" }' } } } })
  const { node } = process.versions
  t.teardown(() => Object.defineProperty(process.versions, 'node', { value: node }))
  for (const value of ['22.16.0', '20.20.2']) {
    Object.defineProperty(process.versions, 'node', { value, configurable: true })
    t.match(await cli(['doctor'], { cwd }), { code: 1, stdout: `This is Node ${value}.` })
  }
  Object.defineProperty(process.versions, 'node', { value: '22.17.0' })

  t.match(await cli(['doctor'], { cwd }), {
    code: 1,
    stdout: /different versions: @mikro-orm\/core .*, @mikro-orm\/sqlite 7\.2\.0/,
  })
  t.notMatch((await cli(['doctor'], { cwd: import.meta.dirname })).stdout, /different versions|This is Node/)
  t.notMatch((await cli(['doctor'], { cwd: tmpdir() })).stdout, /different versions|This is Node/)
})

t.test('what doctor looks at stays as it is', async (t) => {
  const cwd = t.testdir({ 'empty.sqlite': '' })
  await cli(['doctor', '--db', 'empty.sqlite'], { cwd })
  const sql = open(join(cwd, 'empty.sqlite'))
  t.strictSame(await sql.all('select name from sqlite_master'), [])
  await sql.close()
})

t.test('what is printed as JSON does not steer a terminal, and is told in full', async (t) => {
  const name = 'right \u202e to left, \u009b2J, \u{E0041}.sqlite'
  const { stdout } = await cli(['doctor', '--db', name, '--json'], {
    cwd: t.testdir({}),
    env: { JWT_SECRET_KEY: secret },
  })
  t.notMatch(stdout, /\p{C}/u)
  t.match(
    JSON.parse(stdout)
      .findings.map(({ finding }: { finding: string }) => finding)
      .join(),
    `There is no file ${name} yet.`
  )
})

t.test('the file that `db` would be is no matter to who brings a MikroORM', async (t) => {
  const own =
    "import { MikroORM } from '@mikro-orm/sqlite'\nconst discovery = { warnWhenNoEntities: false }\nexport default { orm: () => MikroORM.init({ dbName: ':memory:', entities: [], discovery, schemaGenerator: { skipTables: [/^accounts_/] } }) }"
  const cwd = t.testdir({ 'own.js': own, 'accounts.sqlite': '' })
  chmodSync(join(cwd, 'accounts.sqlite'), 0o644)
  const { findings } = await json(['doctor', '--config', 'own.js'], { cwd, env: { JWT_SECRET_KEY: secret } })
  const said = findings.map(({ finding }: { finding: string }) => finding).join('\n')
  t.match(said, /not up to date/)
  t.notMatch(said, /Every user/)
})

type MailOptions = Exclude<AccountsOptions['mail'], boolean | undefined>

/** Options of an app whose mails are sent. */
function mailing (mail: MailOptions): AccountsOptions {
  const usual = { from: 'accounts@ourapp.io', appName: 'Our app', ...!mail.send && { smtp: 'smtp://mail.ourapp.io' } }
  return { secret, db: 'postgresql://db.ourapp.io/app', mail: { ...usual, ...mail } }
}

t.test('what is wrong with the sender and the links of mails is found, and only where it is', async (t) => {
  const base = 'https://app.ourapp.io'
  const about = async (mail: MailOptions, isLive?: boolean) =>
    (await said(t, mailing(mail), isLive)).split('\n').filter((line) => /[Mm]ail/.test(line)).join('\n')
  t.equal(await about({ links: { base } }), '')
  t.equal(await about({ links: { base: `${base}/accounts` } }, true), '')

  for (const from of ['accounts@example.com', 'Ours <ours@mail.example.org>', 'ours@ours.test', 'ours@ours.local']) {
    t.match(await about({ from, links: { base } }), /^error: Mails come from a domain that belongs to nobody/, from)
  }
  t.equal(await about({ from: 'accounts@notexample.com', links: { base } }), '')
  t.equal(await about({ from: 'accounts@example.com', smtp: 'smtp://localhost:1025', links: { base } }), '',
    'a server of a developer takes what it is given')
  t.match(await about({ from: 'accounts@example.com', send: async () => {}, links: { base } }), /belongs to nobody/)

  t.match(await about({}), /^warning: Links in mails lead to this machine, because mail\.links\.base is not set/)
  t.equal(await about({ links: { base: 'http://localhost:3000' } }), '')
  t.match(await about({ links: { base: 'http://localhost:3000' } }, true),
    /^error: Links in mails lead to the machine of their reader/)

  t.match(await about({ links: { base: `${base}/auth` } }), /^error: Links in mails contain the prefix of the routes twice/)
  const links = { base: `${base}/auth`, verify: '/v', change: '/c', revert: '/t', reset: '/r', disown: '/d', restore: '/s' }
  t.equal(await about({ links }), '', 'with pages of the app there is no prefix')
  t.equal(await about({ links, pages: false }), '')
  t.match(await said(t, { secret, mail: true }), /remark: Mails are kept in memory, for development/)
  t.notMatch(await said(t, { ...mailing({ links: { base: `${base}/auth` } }), prefix: '' }), /prefix/)
})

t.test('what the plugin refuses of mails is told with the page that says what may stand there', async (t) => {
  const cwd = t.testdir({ 'from.mjs': "export default { mail: { smtp: 'smtp://localhost', from: 'accounts@' } }" })
  t.match(await json(['doctor', '--config', 'from.mjs'], { cwd }), {
    code: 1,
    findings: [{
      level: 'error',
      finding: /mail\.from must be an address such as 'accounts@example\.com'/,
      remedy: 'docs/mail.md in the package says what may stand there.',
    }],
  })
  const env = { NODE_ENV: 'production', JWT_SECRET_KEY: secret }
  const missing = t.testdir({ 'none.mjs': "export default { mail: { smtp: 'smtp://localhost' } }" })
  t.match(await cli(['doctor', '--config', 'none.mjs'], { cwd: missing, env }), {
    code: 1, stdout: /mail\.from is needed to send mails[^]*mail\.links\.base is needed in production/,
  })
})

t.test('the server of mails is greeted with TLS and credentials, and gets no mail', async (t) => {
  const { received, port } = await startSmtp(t, {
    authOptional: false,
    onAuth: ({ username, password }, _, done) => username === 'ada' && password === 'hunter2'
      ? done(null, { user: 'ada' })
      : done(Object.assign(new Error('hunter2 is wrong'), { responseCode: 535 })),
  })
  const silent = await startSmtp(t, { onConnect: () => {} })
  const open = await startSmtp(t, { hideSTARTTLS: true, disabledCommands: ['STARTTLS'] }, '127.0.0.2')
  const mail = (smtp: string) => `{ mail: { from: 'accounts@ourapp.io', appName: 'Ours', ${smtp} } }`
  const cwd = t.testdir({
    'good.mjs': `export default ${mail(`smtp: 'smtp://ada:hunter2@127.0.0.1:${port}'`)}`,
    'bad.mjs': `export default ${mail(`smtp: 'smtp://ada:hunter3@127.0.0.1:${port}'`)}`,
    'silent.mjs': `export default ${mail(`smtp: 'smtp://127.0.0.1:${silent.port}'`)}`,
    'open.mjs': `export default ${mail(`smtp: 'smtp://127.0.0.2:${open.port}'`)}`,
    'none.mjs': `export default ${mail("smtp: 'smtp://127.0.0.1:1'")}`,
    'own.mjs': `export default ${mail("send: async () => { throw new Error('sent') }")}`,
  })
  const doctor = async (config: string) =>
    (await cli(['doctor', '--config', config], { cwd, env: { JWT_SECRET_KEY: secret } })).stdout
  t.notMatch(await doctor('good.mjs'), /^error|takes no mails/m)
  t.notMatch(await doctor('own.mjs'), /^error|takes no mails/m)
  for (const [config, trouble] of [
    ['bad.mjs', /^error {4}The server 127\.0\.0\.1:\d+ takes no mails from here: it refuses the user or the password \(EAUTH, 535\)\.$/m],
    ['open.mjs', /^error .* takes no mails from here: it offers no TLS, or none that works \(ETLS/m],
    ['none.mjs', /^error .* takes no mails from here: nothing listens there \(ESOCKET, ECONNREFUSED\)\.$/m],
    ['silent.mjs', /^error .* takes no mails from here: it did not answer in time/m],
  ] as const) {
    const began = performance.now()
    const stdout = await doctor(config)
    t.match(stdout, trouble)
    t.ok(performance.now() - began < 15_000)
    t.notMatch(stdout, /hunter/)
  }
  t.same(received, [])
})

t.test('mails that were given up, or wait for long, are counted', async (t) => {
  const { app, db, sql, post } = await buildOnFile(t, { mail: { worker: false } })
  const cwd = t.testdir({ 'none.mjs': "export default { schema: 'none' }" })
  const doctor = async (...more: string[]) =>
    (await cli(['doctor', '--db', db, ...more], { cwd, env: { JWT_SECRET_KEY: secret } })).stdout
  for (const name of ['ada', 'bob', 'eve']) {
    await post('/auth/register', { username: name, email: `${name}@example.com`, password })
  }
  t.notMatch(await doctor(), /^warning {2}Mails/m, 'they wait for no longer than they may')
  await sql.run('update accounts_mails set created_at = ?', new Date(Date.now() - 3_700_000))
  t.match(await doctor(), /^warning {2}Mails wait for more than an hour: 3\.\n.*mail list --state due/m)

  failMail(app, Object.assign(new Error('No'), { permanent: true }))
  await flushMail(app)
  const stdout = await doctor('--config', 'none.mjs')
  t.match(stdout, /^warning {2}Mails were given up in the last month: 1\.\n.*mail list --state failed.*mail retry/m)
  t.notMatch(stdout, /wait for more/)
})
