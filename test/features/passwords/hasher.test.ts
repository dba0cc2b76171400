import { hash as least } from '@node-rs/argon2'
import * as argon2 from 'argon2'
import t from 'tap'
import accounts from '../../../lib/index.ts'
import { build, buildOnFile, client, password, secret } from '../../support/build.ts'
import { freshDatabase, open, type Sql } from '../../support/databases.ts'
import { Fastify } from '../../support/fastify.ts'
import { processorMs } from '../../support/waiting.ts'

type Answer = Awaited<ReturnType<ReturnType<typeof client>['post']>>

const phc = /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/
const wrong = 'correct horse battery stable'
const weak = { memoryCost: 1024, timeCost: 1, parallelism: 1 }

const hashOf = async (sql: Sql, username = 'ada'): Promise<string> =>
  (await sql.get('select password_hash from accounts_users where username = ?', username))!.password_hash
const setHash = (sql: Sql, hash: unknown) => sql.run('update accounts_users set password_hash = ?', hash)

/** All that a client sees of an answer, but the time of day. */
function seen ({ statusCode, headers: { date: _, ...headers }, body }: Answer) {
  return { statusCode, headers, body }
}

t.test('a password is stored as argon2id at the cost that OWASP asks for', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  const db = await freshDatabase(t)
  await app.register(accounts, { db, secret })
  await client(app).signUp()

  const sql = open(db)
  t.teardown(() => sql.close())
  const [, memory, passes, lanes, salt, digest] = phc.exec(await hashOf(sql)) ?? []
  t.strictSame([memory, passes, lanes], ['19456', '2', '1'])
  t.ok(Buffer.from(salt!, 'base64').length >= 16)
  t.ok(Buffer.from(digest!, 'base64').length >= 32)
})

t.test('the cost is an option', async (t) => {
  const { sql, signUp, signIn } = await buildOnFile(t, {
    password: { argon2: { memoryCost: 2048, timeCost: 3, parallelism: 2 } },
  })
  await signUp()
  t.match(await hashOf(sql), /^\$argon2id\$v=19\$m=2048,t=3,p=2\$/)
  t.match(await signIn(), { user: { username: 'ada' } })
})

t.test('two users with one password have different salts and hashes', async (t) => {
  const { sql, signUp } = await buildOnFile(t)
  await signUp('ada')
  await signUp('bob')
  const [ada, bob] = [await hashOf(sql, 'ada'), await hashOf(sql, 'bob')].map((hash) => phc.exec(hash)!.slice(4))
  t.not(ada![0], bob![0])
  t.not(ada![1], bob![1])
})

t.test('a login makes the hash stronger when it is weaker than today\'s, and never otherwise', async (t) => {
  const today = { memoryCost: 2048, timeCost: 2, parallelism: 1 }
  const { sql, signUp, post } = await buildOnFile(t, { password: { argon2: today } })
  await signUp()
  const stored: [cost: { memoryCost: number, timeCost: number, parallelism?: number }, isWeaker: boolean][] = [
    [{ memoryCost: 1024, timeCost: 2 }, true],
    [{ memoryCost: 2047, timeCost: 2 }, true],
    [{ memoryCost: 2048, timeCost: 1 }, true],
    [{ memoryCost: 1024, timeCost: 1 }, true],
    [{ memoryCost: 2048, timeCost: 2 }, false],
    [{ memoryCost: 2049, timeCost: 2 }, false],
    [{ memoryCost: 2048, timeCost: 3 }, false],
    [{ memoryCost: 4096, timeCost: 3, parallelism: 2 }, false],
  ]

  for (const [cost, isWeaker] of stored) {
    const before = await argon2.hash(password, { parallelism: 1, ...cost })
    await setHash(sql, before)
    t.equal((await post('/auth/login', { username: 'ada', password: wrong })).statusCode, 401)
    t.equal(await hashOf(sql), before, 'a failed login changes nothing')
    t.equal((await post('/auth/login', { username: 'ada', password })).statusCode, 200)
    t.equal(await hashOf(sql) !== before, isWeaker, JSON.stringify(cost))
    if (isWeaker) t.match(await hashOf(sql), /^\$argon2id\$v=19\$m=2048,t=2,p=1\$/)
    t.equal((await post('/auth/login', { username: 'ada', password })).statusCode, 200)
    t.equal((await post('/auth/login', { username: 'ada', password: wrong })).statusCode, 401)
  }
})

t.test('after the cost is raised and lowered again the password still works', async (t) => {
  const { db, sql, signUp, signIn } = await buildOnFile(t, { password: { argon2: weak } })
  const strong = await build(t, { db, password: { argon2: { memoryCost: 4096, timeCost: 2 } } })
  await signUp()

  t.match(await strong.signIn(), { user: { username: 'ada' } })
  const raised = await hashOf(sql)
  t.match(raised, /m=4096,t=2,p=1/)
  t.match(await signIn(), { user: { username: 'ada' } })
  t.equal(await hashOf(sql), raised)
})

t.test('a hash as other programs write it is understood', async (t) => {
  const { sql, signUp, post } = await buildOnFile(t, { password: { argon2: weak } })
  await signUp()
  const foreign = [
    await argon2.hash(password, weak),
    await argon2.hash(password, { ...weak, salt: Buffer.alloc(32, 'salt'), hashLength: 64 }),
    await argon2.hash(password, { ...weak, salt: Buffer.alloc(8, 'salt'), hashLength: 16, parallelism: 4 }),
    await argon2.hash(password, { ...weak, timeCost: 10, parallelism: 16 }),
  ]
  t.match(foreign[0], /\$m=1024,p=1,t=1\$/, 'argon2 itself writes m,p,t')

  for (const hash of [...foreign, foreign[0]!.replace('p=1,t=1', 't=1,p=1')]) {
    await setHash(sql, hash)
    t.equal((await post('/auth/login', { username: 'ada', password })).statusCode, 200, hash)
    t.equal((await post('/auth/login', { username: 'ada', password: wrong })).statusCode, 401)
    t.equal(await hashOf(sql), hash)
  }
  await setHash(sql, await least(password, { memoryCost: 8, timeCost: 1, parallelism: 1 }))
  t.equal((await post('/auth/login', { username: 'ada', password })).statusCode, 200, 'the cheapest that there can be')
})

t.test('a login is refused with the same bytes, whatever is wrong', async (t) => {
  const { sql, signUp, post } = await buildOnFile(t)
  await signUp()
  const login = async (username: string, password: string) => seen(await post('/auth/login', { username, password }))
  const expected = await login('ada', wrong)
  t.match(expected, { statusCode: 401, headers: { 'www-authenticate': 'Bearer realm="accounts"' } })
  t.match(JSON.parse(expected.body), { code: 'ACCOUNTS_CREDENTIALS_INVALID', error: 'Unauthorized' })

  for (const name of ['nobody', 'nobody@example.com', '', ' ', '@', 'a@', '\0', '\ud800', 'x'.repeat(512)]) {
    t.strictSame(await login(name, password), expected, JSON.stringify(name))
  }
  for (const other of ['', ' ', '\0', '\ud800', password.toUpperCase(), password.slice(1), 'x'.repeat(5000)]) {
    t.strictSame(await login('ada', other), expected, JSON.stringify(other.slice(0, 40)))
  }
  await sql.exec("update accounts_users set disabled_at = '2026-01-01T00:00:00.000Z'")
  t.strictSame(await login('ada', password), expected, 'disabled')
  t.strictSame(await login('ada', wrong), expected, 'disabled, and a wrong password')
})

const foreign = [
  '', ' ', 'x', password, '$', '$$$$$', '\0', 'null',
  '$2b$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy',
  '$pbkdf2-sha256$i=600000$c2FsdHNhbHRzYWx0$c2FsdHNhbHRzYWx0c2FsdHNhbHQ',
  await argon2.hash(password, { ...weak, type: argon2.argon2i }),
  await argon2.hash(password, { ...weak, type: argon2.argon2d }),
  await argon2.hash(password, { ...weak, version: 0x10 }),
]

/** What is done to a good hash. */
const damages: [from: string | RegExp, to: string][] = [
  ['$argon2id', '$ARGON2ID'],
  ['$argon2id', 'argon2id'],
  ['$argon2id', ' $argon2id'],
  ['$v=19', ''],
  ['$v=19', '$v=16'],
  ['m=1024', 'm=1'],
  ['m=1024,t=1,p=1', 'm=16,t=1,p=4'],
  ['m=1024', 'm=0'],
  ['m=1024', 'm=-1024'],
  ['m=1024', 'm=4294967296'],
  ['m=1024', 'm=99999999999'],
  ['t=1', 't=0'],
  ['t=1', 't=4294967296'],
  ['t=1', 't=1e9'],
  ['t=1', 't= 1'],
  ['t=1', 't=1,t=1'],
  [',t=1,p=1', ''],
  ['p=1', 'p=0'],
  ['p=1', 'p=65'],
  ['p=1', 'p=999'],
  ['p=1', 'p=1000'],
  [/\$[^$]+$/, ''],
  [/[^$]+$/, ''],
  [/.$/, ''],
  [/.{20}$/, ''],
  [/.{4}$/, '===='],
  [/$/, '$'],
  [/$/, '\n'],
  [/^.*$/, '$&$&'],
]

t.test('a hash that argon2id did not make lets nobody in, and says no as usual', async (t) => {
  const { sql, signUp, post } = await buildOnFile(t, { password: { argon2: weak } })
  await signUp()
  const good = await hashOf(sql)
  const loginOver = async (hash: string) => {
    await setHash(sql, hash)
    return seen(await post('/auth/login', { username: 'ada', password }))
  }

  const expected = await loginOver(good.replace(/.{8}$/, 'AAAAAAAA'))
  t.equal(expected.statusCode, 401)
  for (const hash of [...foreign, ...damages.map(([from, to]) => good.replace(from, to))]) {
    t.strictSame(await loginOver(hash), expected, JSON.stringify(hash))
    t.equal(await hashOf(sql), hash)
  }
  t.equal((await loginOver(good)).statusCode, 200)
})

/** A hash that says what it costs, of a password that nobody has. */
const priced = (m: number, t: number, p: number) =>
  `$argon2id$v=19$m=${m},t=${t},p=${p}$c2FsdHNhbHRzYWx0$c2FsdHNhbHRzYWx0c2FsdHNhbHQ`

/** By the cost of today: what an app takes for a hash, and what it would cost too much to look at. */
const bounds: [
  today: [number, number, number],
  affordable: [number, number, number][],
  dearer: [number, number, number][]
][] = [
  [
    [1024, 1, 1],
    [
      [1024, 64, 1],
      [65536, 1, 1],
      [1024, 1, 64],
    ],
    [
      [1024, 65, 1],
      [65537, 1, 1],
      [1024, 1, 65],
    ],
  ],
  [
    [16384, 2, 1],
    [
      [1048576, 1, 1],
      [1048576, 2, 1],
    ],
    [
      [1048577, 1, 1],
      [1048576, 3, 1],
    ],
  ],
  [
    [2097152, 1, 100],
    [[2097152, 1, 100]],
    [
      [2097153, 1, 1],
      [1024, 1, 101],
    ],
  ],
]

t.test('a hash may cost 64 times as much as one of today, 1 GiB and 64 lanes, or what today has', async (t) => {
  for (const [today, affordable, dearer] of bounds) {
    const hasher = { hash: async () => priced(...today), verify: async () => false, needsRehash: () => false }
    const { users } = (await build(t, { password: { hasher } })).app.accounts
    for (const [index, cost] of affordable.entries()) {
      t.match(
        await users.create({ username: `user-${index}`, passwordHash: priced(...cost) }),
        { username: `user-${index}` },
        `${today}: ${cost}`
      )
    }
    for (const cost of dearer) {
      await t.rejects(
        users.create({ username: 'nobody', passwordHash: priced(...cost) }),
        { code: 'ACCOUNTS_INPUT_INVALID' },
        `${today}: ${cost}`
      )
    }
  }
})

/** What argon2 was asked for, and what happens while it hashes. */
const watch = { costs: [] as string[], whileHashing: async () => {} }

const watched = await t.mockImport<typeof import('../../support/build.ts')>('../../support/build.ts', {
  argon2: {
    ...argon2,
    async hash (password: string, options: argon2.HashOptions) {
      watch.costs.push(`hash m=${options.memoryCost},t=${options.timeCost},p=${options.parallelism}`)
      await watch.whileHashing()
      return argon2.hash(password, options)
    },
    async verify (hash: string, password: string) {
      watch.costs.push(`verify ${hash.split('$')[3]}`)
      return argon2.verify(hash, password)
    },
  },
})

t.test('a login costs one hash of today, whoever asks', async (t) => {
  const { sql, signUp, post } = await watched.buildOnFile(t)
  await signUp()
  const login = async (username: string, password: string) => {
    watch.costs = []
    await post('/auth/login', { username, password })
    return watch.costs
  }

  for (const name of ['ada', 'nobody', 'nobody@example.com', '', '\0']) {
    t.strictSame(await login(name, wrong), ['verify m=1024,t=2,p=1'], name)
  }
  t.strictSame(await login('ada', ''), ['verify m=1024,t=2,p=1'])
  await sql.exec('update accounts_users set disabled_at = created_at')
  t.strictSame(await login('ada', password), ['verify m=1024,t=2,p=1'], 'disabled')
  for (const hash of ['', '$2b$10$x', 'x', '$argon2id$v=19$m=1,t=1,p=1$c2FsdHNhbHRzYWx0$c2FsdHNhbHRzYWx0c2FsdHNhbHQ']) {
    await setHash(sql, hash)
    t.strictSame(await login('ada', password), ['verify m=1024,t=2,p=1'], hash)
  }
})

t.test('a wrong password for a cheaper hash costs in all what one of today costs', async (t) => {
  const { sql, signUp, post } = await watched.buildOnFile(t, {
    password: { argon2: { memoryCost: 4096, timeCost: 3 } },
  })
  await signUp()
  const spent = () =>
    watch.costs
      .flatMap((cost) => [...cost.matchAll(/m=(\d+).*?t=(\d+)/g)])
      .reduce((sum, [, m, t]) => sum + Number(m) * Number(t), 0)

  for (const cost of [
    { memoryCost: 1024, timeCost: 1 },
    { memoryCost: 2048, timeCost: 2 },
    { memoryCost: 4096, timeCost: 2 },
    { memoryCost: 4096, timeCost: 3 },
  ]) {
    await setHash(sql, await argon2.hash(password, { ...cost, parallelism: 1 }))
    watch.costs = []
    t.equal((await post('/auth/login', { username: 'ada', password: wrong })).statusCode, 401)
    t.ok(Math.abs(spent() / (4096 * 3) - 1) < 0.17, watch.costs.join(' '))
  }
})

t.test('a registration costs one hash, also when the name is taken, and none when it is refused', async (t) => {
  const { signUp, post } = await watched.build(t)
  const register = async (username: string, password: string) => {
    watch.costs = []
    const { statusCode } = await post('/auth/register', { username, password })
    return [statusCode, ...watch.costs]
  }

  await signUp()
  t.strictSame(await register('bob', password), [201, 'hash m=1024,t=2,p=1'])
  t.strictSame(await register('ada', password), [409, 'hash m=1024,t=2,p=1'])
  t.strictSame(await register('a@b', password), [400])
  t.strictSame(await register('eve', 'too short'), [400])
  t.strictSame(await register('eve', 'x'.repeat(257)), [400])
  t.strictSame(await register('eve', 'x'.repeat(15_000)), [400])
  t.strictSame(await register('eve', 'x'.repeat(1_000_000)), [413])
})

t.test('a password changed during a login is not changed back by the stronger hash', async (t) => {
  const { sql, signUp, signIn } = await watched.buildOnFile(t)
  await signUp()
  const changed = await argon2.hash(wrong, weak)
  await setHash(sql, await argon2.hash(password, weak))
  watch.whileHashing = () => setHash(sql, changed)
  t.teardown(() => { watch.whileHashing = async () => {} })

  await signIn()
  t.match(watch.costs.at(-1), 'hash')
  t.equal(await hashOf(sql), changed)
})

t.test('an unknown name takes as long as a wrong password', async (t) => {
  const { signUp, post } = await build(t, { password: { argon2: { memoryCost: 1024, timeCost: 25 } } })
  await signUp()
  const times: Record<string, number[]> = { ada: [], nobody: [] }
  for (let round = 0; round < 15; round++) {
    for (const username of ['ada', 'nobody']) {
      times[username]!.push(await processorMs(() => post('/auth/login', { username, password: wrong })))
    }
  }

  const [known, unknown] = Object.values(times).map((taken) => taken.sort((a, b) => a - b)[7]!) as [number, number]
  t.comment(`median of a wrong password ${known.toFixed(1)} ms, of an unknown name ${unknown.toFixed(1)} ms`)
  t.ok(unknown / known > 0.5 && unknown / known < 2, `ratio ${(unknown / known).toFixed(2)}`)
})
