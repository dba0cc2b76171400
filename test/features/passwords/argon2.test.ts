import { randomBytes, scryptSync } from 'node:crypto'
import { hash, parseOptions, verify } from '@node-rs/argon2'
import * as argon2 from 'argon2'
import t from 'tap'
import { legacy, type PasswordHasher } from '../../../lib/index.ts'
import { build, buildOnFile, password } from '../../support/build.ts'

const cost = { memoryCost: 1024, timeCost: 2, parallelism: 1 }
const wrong = `${password}!`

/** The one of docs/passwords.md, cheaper. */
const rust: PasswordHasher = {
  hash: (password) => hash(password, cost),
  verify: (stored, password) => verify(stored, password),
  needsRehash (stored) {
    const { memoryCost, timeCost } = parseOptions(stored)
    return memoryCost < cost.memoryCost || timeCost < cost.timeCost
  },
}

/** A hasher whose strings are not argon2id's, and what it was asked. */
function watchedScrypt () {
  const asked: string[] = []
  const digest = (text: string, salt: string) => scryptSync(text, salt, 16, { N: 16 }).toString('hex')
  const hasher: PasswordHasher = {
    async hash (text) {
      const salt = randomBytes(8).toString('hex')
      asked.push('hash')
      return `$toy$${salt}$${digest(text, salt)}`
    },
    async verify (stored, text) {
      const [, , salt, key] = stored.split('$')
      asked.push(`verify ${stored}`)
      return digest(text, salt!) === key
    },
    needsRehash: (stored) => stored.endsWith('0'),
  }
  return { asked, hasher }
}

t.test('the hashes of argon2 and of @node-rs/argon2 are the same, in both directions', async (t) => {
  const ours = await buildOnFile(t, { password: { argon2: cost } })
  const theirs = await build(t, { db: ours.db, password: { hasher: rust } })
  const hashOf = async (name: string) =>
    (await ours.sql.get('select password_hash from accounts_users where username = ?', name))!.password_hash
  await ours.signUp('ada')
  await theirs.signUp('bob')
  const before = [await hashOf('ada'), await hashOf('bob')]
  for (const hash of before) t.match(hash, /^\$argon2id\$v=19\$m=1024,t=2,p=1\$/)

  for (const { post } of [ours, theirs]) {
    for (const username of ['ada', 'bob']) {
      t.equal((await post('/auth/login', { username, password })).statusCode, 200)
      t.equal((await post('/auth/login', { username, password: wrong })).statusCode, 401)
    }
  }
  t.strictSame([await hashOf('ada'), await hashOf('bob')], before, 'and none is made anew')
})

t.test('a cheaper hash is made anew by @node-rs/argon2, and a damaged one is a login that fails', async (t) => {
  const { sql, signUp, post } = await buildOnFile(t, { password: { hasher: rust } })
  await signUp()
  const login = async (hash: string) => {
    await sql.run('update accounts_users set password_hash = ?', hash)
    const { statusCode } = await post('/auth/login', { username: 'ada', password })
    return [statusCode, (await sql.get('select password_hash from accounts_users'))!.password_hash]
  }

  const weak = await argon2.hash(password, { memoryCost: 1024, timeCost: 1, parallelism: 1 })
  t.match(await login(weak), [200, /m=1024,t=2,p=1/])
  const good = await hash(password, cost)
  for (const damaged of [
    '',
    'x',
    '$2b$10$x',
    good.replace(/.{8}$/, 'AAAAAAAA'),
    good.replace('argon2id', 'argon2i'),
    good.replace('m=1024', 'm=8'),
    good.replace('m=1024', 'm=99999999'),
  ]) {
    t.strictSame(await login(damaged), [401, damaged])
  }
})

t.test('a hasher of another scheme does the same work for whoever asks', async (t) => {
  const { asked, hasher } = watchedScrypt()
  const { app, sql, signUp, post } = await buildOnFile(t, { password: { hasher } })
  t.strictSame(asked.splice(0), ['hash'], 'a decoy is made at the start')
  await signUp()
  t.strictSame(asked.splice(0), ['hash'])
  const { password_hash: stored } = (await sql.get('select password_hash from accounts_users'))!
  const login = async (username: string, typed: string) => {
    const { statusCode } = await post('/auth/login', { username, password: typed })
    return [statusCode, ...asked.splice(0)]
  }

  t.strictSame(await login('ada', wrong), [401, `verify ${stored}`])
  const [status, decoy, ...more] = await login('nobody', wrong)
  t.match([status, decoy, more.length], [401, /^verify \$toy\$/, 0])
  await app.accounts.users.create({ username: 'none' })
  t.strictSame(await login('none', ''), [401, decoy])
  await sql.run('update accounts_users set disabled_at = created_at')
  t.strictSame(await login('ada', password), [401, decoy], 'disabled')
  await sql.run('update accounts_users set disabled_at = null')
  for (const foreign of ['x', '$2b$10$x', 'toy$a$b', await argon2.hash(password, cost)]) {
    await sql.run('update accounts_users set password_hash = ?', foreign)
    t.strictSame(await login('ada', password), [401, decoy], foreign)
  }
})

t.test('a hash that the hasher wants anew is made anew', async (t) => {
  const { asked, hasher } = watchedScrypt()
  const { sql, signUp, post } = await buildOnFile(t, { password: { hasher: { ...hasher, needsRehash: () => true } } })
  await signUp()
  const before = (await sql.get('select password_hash from accounts_users'))!.password_hash
  asked.length = 0
  t.equal((await post('/auth/login', { username: 'ada', password })).statusCode, 200)
  t.strictSame(asked, [`verify ${before}`, 'hash'])
  t.not((await sql.get('select password_hash from accounts_users'))!.password_hash, before)
})

t.test('users of the hasher that was there before are imported like any other', async (t) => {
  const before = await buildOnFile(t)
  await before.signUp()
  const { password_hash: stored } = (await before.sql.get('select password_hash from accounts_users'))!
  const argon2id = {
    knows: (hash: string) => hash.startsWith('$argon2id$'),
    verify: argon2.verify,
    decoy: await argon2.hash('nobody', cost),
  }
  const { hasher } = watchedScrypt()
  const { signIn } = await build(t, {
    db: before.db,
    password: { hasher, legacy: [argon2id, legacy.pbkdf2({ iterations: 10 })] },
  })
  t.match(stored, /^\$argon2id/)
  t.match(await signIn(), { user: { username: 'ada' } })
  t.match((await before.sql.get('select password_hash from accounts_users'))!.password_hash, /^\$toy\$/)
})

t.test('a hasher that throws lets nobody in, and the answer says nothing', async (t) => {
  const { hasher } = watchedScrypt()
  const broken = { isBroken: false }
  const trip = <Result>(value: Result) => {
    if (broken.isBroken) throw new Error(`no key for ${password}`)
    return value
  }
  let log = ''
  const { app, get, post, signUp } = await build(
    t,
    {
      password: {
        hasher: {
          hash: async (text) => trip(hasher.hash(text)),
          verify: async (stored, text) => trip(hasher.verify(stored, text)),
          needsRehash: () => trip(false),
        },
      },
    },
    {
      logger: {
        stream: {
          write: (line: string) => {
            log += line
          },
        },
      },
    }
  )
  const { access_token: token } = await signUp()

  broken.isBroken = true
  const answers = [
    await post('/auth/login', { username: 'ada', password }),
    await post('/auth/login', { username: 'nobody', password }),
    await post('/auth/register', { username: 'bob', password }),
    await post('/auth/reauthenticate', { password }, token),
    await app.inject({
      method: 'PUT',
      url: '/auth/password',
      headers: { authorization: `Bearer ${token}` },
      payload: { current_password: password, new_password: wrong },
    }),
  ]
  for (const { statusCode, body } of answers) {
    t.equal(statusCode, 500)
    t.strictSame(JSON.parse(body), {
      statusCode: 500,
      error: 'Internal Server Error',
      message: 'Internal Server Error',
    })
  }
  t.equal(await app.accounts.users.find('bob'), null)
  t.match(log, 'no key for', 'the log says why')

  broken.isBroken = false
  t.equal((await post('/auth/login', { username: 'ada', password })).statusCode, 200)
  t.equal((await get('/guarded', token)).statusCode, 200)
})

t.test('anything but true from a hasher is no', async (t) => {
  const { hasher } = watchedScrypt()
  for (const answer of ['yes', 1, {}, undefined]) {
    const { signUp, post } = await build(t, {
      password: { hasher: { ...hasher, verify: async () => answer as never } },
    })
    await signUp()
    t.equal((await post('/auth/login', { username: 'ada', password })).statusCode, 401)
  }
})

t.test('a hasher may be an instance of a class', async (t) => {
  class Toy {
    #mark = '$toy$'
    async hash (text: string) { return this.#mark + text.length }
    async verify (stored: string, text: string) { return stored === await this.hash(text) }
    needsRehash () { return this.#mark === '' }
  }
  const { signUp, signIn } = await build(t, { password: { hasher: new Toy() } })
  await signUp()
  t.match(await signIn(), { user: { username: 'ada' } })
})

t.test('a hasher that makes no PHC strings, or none at all, keeps the app from starting', async (t) => {
  const { hasher } = watchedScrypt()
  const hashes = [
    async () => 'plain',
    async () => '',
    async () => 5,
    async () => undefined,
    async () => ['$toy$x'],
    async () => 'x$toy$x',
    async () => `$toy$${'x'.repeat(226)}`,
    async () => {
      throw new Error('no key')
    },
    () => {
      throw new Error('no key')
    },
  ]
  for (const hash of hashes) {
    await t.rejects(build(t, { password: { hasher: { ...hasher, hash: hash as never } } }), {
      code: 'ACCOUNTS_OPTIONS_INVALID',
      message: /password\.hasher does not work: Error: (it must make PHC strings|no key)/,
      cause: Error,
    })
  }
  await build(t, { password: { hasher: { ...hasher, hash: async () => `$toy$${'x'.repeat(225)}` } } })
})
