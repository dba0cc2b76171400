import { createHmac, hkdfSync } from 'node:crypto'
import { inspect } from 'node:util'
import * as argon2 from 'argon2'
import t from 'tap'
import accounts, { legacy } from '../../../lib/index.ts'
import { readSettings } from '../../../lib/settings.ts'
import { build, buildOnFile, cheap, password, secret } from '../../support/build.ts'
import { Fastify } from '../../support/fastify.ts'

const old = 'kR7vQ2mXw9LzT4cN8bYh3JfP6sDgA1uE'
const pepper = Buffer.from('9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08', 'hex')
const wrong = `${password}!`
const hashes = ({ sql }: Awaited<ReturnType<typeof buildOnFile>>) =>
  sql.all('select username, password_hash from accounts_users order by username')
const hashOf = async (built: Awaited<ReturnType<typeof buildOnFile>>) =>
  (await hashes(built))[0]!.password_hash as string

t.test('a password is mixed with the pepper before it is hashed, and the hash says with which', async (t) => {
  const built = await buildOnFile(t, { password: { pepper } })
  await built.signUp()
  const derive = (purpose: string) =>
    Buffer.from(hkdfSync('sha256', pepper, '', `fastify-jwt-accounts/${purpose}/v1`, 32))
  const [, id, phc] = /^pepper:([\w-]{8}):(\$argon2id\$.+)$/.exec(await hashOf(built))!
  t.equal(id, derive('pepper-id').toString('base64url').slice(0, 8))
  t.equal(await argon2.verify(phc!, createHmac('sha256', derive('pepper')).update(password).digest('base64url')), true)
  t.equal(await argon2.verify(phc!, password), false)
  t.match(await built.signIn(), { user: { username: 'ada' } })
  t.equal((await built.post('/auth/login', { username: 'ada', password: wrong })).statusCode, 401)
})

t.test('peppers come and are replaced without anybody noticing', async (t) => {
  const built = await buildOnFile(t)
  await built.signUp()
  const plain = await hashOf(built)
  const { db } = built
  const steps: [peppers: (string | Buffer)[], isMadeAnew: boolean][] = [
    [[old], true],
    [[old], false],
    [[pepper, old], true],
    [[pepper, old], false],
    [[pepper], false],
  ]
  for (const [peppers, isMadeAnew] of steps) {
    const app = await build(t, { db, password: { pepper: peppers } })
    const before = await hashOf(built)
    t.equal((await app.post('/auth/login', { username: 'ada', password: wrong })).statusCode, 401)
    t.equal(await hashOf(built), before)
    t.match(await app.signIn(), { user: { username: 'ada' } })
    t.equal(await hashOf(built) !== before, isMadeAnew, `${peppers.length} peppers`)
  }
  t.match(plain, /^\$argon2id/)
  t.match(await hashOf(built), /^pepper:/)
})

t.test('without its pepper a hash lets nobody in, and says no as usual', async (t) => {
  const built = await buildOnFile(t, { password: { pepper } })
  await built.signUp()
  const stored = await hashOf(built)
  for (const options of [{}, { pepper: old }, { pepper: [old] }]) {
    const { post, app } = await build(t, {
      db: built.db,
      password: { ...options, legacy: [legacy.pbkdf2({ iterations: 10 })] },
    })
    const [unknown, nobody] = await Promise.all(
      ['ada', 'nobody'].map((username) => post('/auth/login', { username, password }))
    )
    t.equal(unknown!.statusCode, 401)
    t.equal(unknown!.body, nobody!.body)
    await t.rejects(app.accounts.users.create({ username: 'bob', passwordHash: stored }), {
      code: 'ACCOUNTS_INPUT_INVALID',
    })
  }
  t.equal(await hashOf(built), stored)
  const damages: [string | RegExp, string][] = [
    [/^pepper:/, 'Pepper:'],
    [/^pepper:/, ''],
    [/^pepper:.{8}/, 'pepper:'],
    [/^(.{16})/, '$1$1'],
    [/\$argon2id.*/, ''],
    [/^pepper:.{8}:/, ''],
  ]
  for (const [from, to] of damages) {
    await built.sql.run('update accounts_users set password_hash = ?', stored.replace(from, to))
    t.equal((await built.post('/auth/login', { username: 'ada', password })).statusCode, 401, `${from}`)
  }
})

t.test('an imported hash is peppered once its password is at hand', async (t) => {
  const built = await buildOnFile(t, {
    password: { pepper: [pepper, old], legacy: [legacy.pbkdf2({ iterations: 1000 })] },
  })
  await built.app.accounts.users.create({
    username: 'ada',
    passwordHash:
      'pbkdf2:sha256:1000$Plhl5kIAocYGstjU$2ed72ec8736d5977f20dd32e04f36de5602f84cc54dcd659b49684efdb40de1e',
  })
  await built.signIn()
  const stored = await hashOf(built)
  t.match(stored, /^pepper:[\w-]{8}:\$argon2id\$v=19\$m=1024,t=2,p=1\$/)
  await built.app.accounts.users.create({ username: 'bob', passwordHash: stored })
  t.match(await built.signIn('bob'), { user: { username: 'bob' } }, 'and comes along to an app with the same pepper')
  await built.sql.run(
    'update accounts_users set password_hash = ?',
    `${stored.slice(0, 16)}pbkdf2:sha256:1000$Plhl5kIAocYGstjU$2ed72ec8736d5977f20dd32e04f36de5602f84cc54dcd659b49684efdb40de1e`
  )
  t.equal(
    (await built.post('/auth/login', { username: 'ada', password })).statusCode,
    401,
    'no other system knew our pepper'
  )
})

t.test('one character typed in two ways is one with a pepper too', async (t) => {
  const { post } = await build(t, { password: { pepper } })
  const spelt = (form: string) => ({ username: 'ada', password: 'ein sehr schönes Paßwort'.normalize(form) })
  await post('/auth/register', spelt('NFC'))
  t.equal((await post('/auth/login', spelt('NFD'))).statusCode, 200)
})

t.test('a pepper stands in no log, no answer and no settings', async (t) => {
  let log = ''
  const stream = { write: (line: string) => { log += line } }
  const { app, signUp, post } = await build(
    t,
    { password: { pepper: [pepper, old] } },
    { logger: { level: 'trace', stream } }
  )
  app.addHook('onRequest', async ({ log }) => {
    log.info({ options: readSettings({ secret, password: { pepper: [pepper, old] } }, {}, app.log).password })
  })
  const answers = [
    JSON.stringify(await signUp()),
    (await post('/auth/login', { username: 'ada', password: wrong })).body,
  ]
  const settings = readSettings({ secret, password: { pepper: [pepper, old] } }, {}, app.log)
  const seen = [log, ...answers, JSON.stringify(settings), inspect(settings, { depth: 9, showHidden: true })].join('\n')
  t.match(seen, /pepper/)
  for (const encoding of ['hex', 'base64', 'base64url', 'latin1'] as const) { t.notOk(seen.includes(pepper.toString(encoding)), encoding) }
  t.notOk(seen.includes(old))
  t.notOk(seen.includes('159, 134, 208, 129'))
})

t.test('a weak pepper keeps the app from starting, and is not told', async (t) => {
  const start = async (pepper: unknown) => {
    const app = Fastify()
    t.teardown(() => app.close())
    await app.register(accounts, { db: ':memory:', secret, password: { ...cheap, pepper: pepper as string } })
  }
  for (const weak of [
    'short',
    'x'.repeat(40),
    'change-me-please-this-is-a-secret-key',
    Buffer.alloc(31, 'x7'),
    '',
    [old, 'short'],
    [],
    [old, old],
    [old, Buffer.from(old)],
    5,
    null,
    {},
    [5],
    [null],
    [old, 5],
    [[old]],
    new Uint8Array(32),
  ]) {
    const error = await start(weak).then(
      () => undefined,
      (error) => error
    )
    t.match(error, { code: 'ACCOUNTS_OPTIONS_INVALID', message: /: password\.pepper must [^;]+$/ }, inspect(weak))
    t.notOk(typeof weak === 'string' && weak.length > 5 && error.message.includes(weak))
  }
  await start([pepper, old])
})

t.test('a hasher with a pepper is never given the password', async (t) => {
  const given: string[] = []
  const hasher = {
    hash: async (text: string) => { given.push(text); return `$plain$${text}` },
    verify: async (hash: string, text: string) => { given.push(text); return hash === `$plain$${text}` },
    needsRehash: () => false,
  }
  const { signUp, signIn } = await build(t, { password: { hasher, pepper } })
  await signUp()
  t.match(await signIn(), { user: { username: 'ada' } })
  t.equal(given.length, 3)
  for (const text of given) t.match(text, /^[\w-]{43}$/)
})
