import { once } from 'node:events'
import { request as httpRequest } from 'node:http'
import type { AddressInfo } from 'node:net'
import { availableParallelism } from 'node:os'
import { mock } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import accounts, { legacy, type PasswordHasher } from '../../../lib/index.ts'
import { readSettings } from '../../../lib/settings.ts'
import { bearer, build, buildOnFile, password, secret } from '../../support/build.ts'
import { Fastify } from '../../support/fastify.ts'
import { address } from '../throttle/attempts.ts'
import { settle, until } from '../../support/waiting.ts'

const wrong = `${password}!`

/** A hasher that works when it is let to, and remembers what it was given, in order. */
function gate () {
  const started: string[] = []
  const ends: (() => void)[] = []
  let isOpen = true
  let running = 0
  const most = { running: 0 }
  const pass = async (text: string) => {
    started.push(text)
    most.running = Math.max(most.running, ++running)
    if (!isOpen) await new Promise<void>((resolve) => ends.push(resolve))
    else await sleep(1)
    running--
  }
  const hasher: PasswordHasher = {
    async hash (text) {
      await pass(text)
      return `$gate$${text}`
    },
    async verify (stored, text) {
      await pass(text)
      return stored === `$gate$${text}`
    },
    needsRehash: () => false,
  }
  return {
    hasher,
    started,
    most,
    shut () { isOpen = false },
    endOne () { ends.shift()!() },
    open () {
      isOpen = true
      ends.splice(0).forEach((end) => end())
    },
  }
}

type Gated = Awaited<ReturnType<typeof build>>

let networks = 0
/** A login from a network of its own, unless told otherwise. */
const attempt = async (
  { app }: Pick<Gated, 'app'>,
  typed: string,
  { url = '/auth/login', username = 'ada', remoteAddress = address(networks++) } = {}
) => app.inject({ method: 'POST', url, remoteAddress, payload: { username, password: typed } })

t.test('so many hash at once, so many wait, and who comes then is told when to come again', async (t) => {
  const { hasher, started, most, shut, open } = gate()
  const app = await build(t, { password: { hasher, concurrency: 2, waiting: 3 } })
  await app.signUp()
  started.length = 0
  most.running = 0
  shut()
  const logins = Array.from({ length: 9 }, (_, index) => attempt(app, index === 4 ? password : `wrong ${index}`))
  const refused = await Promise.all(logins.slice(5))
  t.equal(started.length, 2)
  for (const { statusCode, headers, body } of refused) {
    t.equal(statusCode, 503)
    t.match(headers['retry-after'], /^[1-9]\d*$/)
    t.match(JSON.parse(body), { code: 'ACCOUNTS_BUSY', error: 'Service Unavailable' })
  }
  open()
  t.strictSame((await Promise.all(logins.slice(0, 5))).map(({ statusCode }) => statusCode), [401, 401, 401, 401, 200])
  t.strictSame(started, ['wrong 0', 'wrong 1', 'wrong 2', 'wrong 3', password], 'those first that came first')
  t.equal(most.running, 2)
  t.strictSame(
    (await Promise.all([attempt(app, password), attempt(app, wrong)])).map(({ statusCode }) => statusCode),
    [200, 401]
  )
})

t.test('who comes when all places are taken has cost the database nothing', async (t) => {
  const { hasher, started, shut, open } = gate()
  const app = await buildOnFile(t, { throttle: { account: 100 }, password: { hasher, concurrency: 1, waiting: 2 } })
  await app.signUp()
  const counted = async () => (await app.sql.all('select id from accounts_throttle')).length
  started.length = 0
  shut()
  const stuck = Array.from({ length: 3 }, () => attempt(app, password))
  await until(() => started.length === 1)
  const before = await counted()
  t.match(await app.post('/auth/login', { username: 'bob', password }), { statusCode: 503 })
  t.match(await app.post('/auth/register', { username: 'bob', password }), { statusCode: 503 })
  t.equal(await counted(), before)
  t.ok(before > 0)
  open()
  t.strictSame((await Promise.all(stuck)).map(({ statusCode }) => statusCode), [200, 200, 200])
  t.equal((await app.post('/auth/register', { username: 'bob', password })).statusCode, 201)
})

for (const throttle of [false, { network: 1000 }] as const) {
  t.test(`no network takes the whole line${throttle ? ', be it throttled or not' : ''}`, async (t) => {
    const { hasher, started, shut, open } = gate()
    const app = await build(t, { throttle, password: { hasher, concurrency: 1, waiting: 8 } })
    await app.signUp()
    for (let round = 0; round < 2; round++) {
      started.length = 0
      shut()
      const one = Array.from({ length: 6 }, (_, index) =>
        attempt(app, wrong, { username: `nobody-${index}`, remoteAddress: `2001:db8:1:${index}00::1` })
      )
      const others = ['192.0.2.5', '2001:db8:2::1'].map((remoteAddress) => attempt(app, password, { remoteAddress }))
      const refused = await Promise.all(one.slice(2))
      t.strictSame(
        refused.map(({ statusCode, headers }) => [statusCode, headers['retry-after']]),
        Array(4).fill([503, '1']),
        'a quarter'
      )
      open()
      t.strictSame(
        (await Promise.all([...one.slice(0, 2), ...others])).map(({ statusCode }) => statusCode),
        [401, 401, 200, 200]
      )
      t.equal(started.length, 4)
    }
  })
}

t.test('a network that is alone keeps all busy that may run at once, however few may wait', async (t) => {
  const { hasher, started, shut, open } = gate()
  const app = await build(t, { password: { hasher, concurrency: 3, waiting: 4 } })
  await app.signUp()
  started.length = 0
  shut()
  const logins = Array.from({ length: 4 }, () => attempt(app, password, { remoteAddress: '192.0.2.5' }))
  t.equal((await logins[3]!).statusCode, 503)
  await until(() => started.length === 3)
  open()
  t.strictSame((await Promise.all(logins.slice(0, 3))).map(({ statusCode }) => statusCode), [200, 200, 200])
})

t.test('nobody waits where nobody may', async (t) => {
  const { hasher, shut, open } = gate()
  const app = await build(t, { password: { hasher, concurrency: 1, waiting: 0 } })
  await app.signUp()
  shut()
  const [first, second] = [attempt(app, password), attempt(app, password)]
  t.equal((await second).statusCode, 503)
  open()
  t.equal((await first).statusCode, 200)
})

t.test('the guess when to come again grows with the line, and with how long hashes take', async (t) => {
  const { hasher } = gate()
  const slow = {
    ...hasher,
    verify: async (stored: string, text: string) => sleep(400).then(() => hasher.verify(stored, text)),
  }
  const app = await build(t, { password: { hasher: slow, concurrency: 1, waiting: 160 } })
  await app.signUp()
  for (let round = 0; round < 6; round++) await attempt(app, password)
  const gone = new AbortController()
  const origin = await app.app.listen({ port: 0, host: '127.0.0.1' })
  const body = JSON.stringify({ username: 'ada', password })
  const login = () =>
    fetch(`${origin}/auth/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
      signal: gone.signal,
    })
  const line = Array.from({ length: 50 }, login)
  const busy = await Promise.any(
    line.map(async (answer) => ((await answer).status === 503 ? answer : Promise.reject(new Error('not refused'))))
  )
  t.ok(Number(busy.headers.get('retry-after')) >= 4, `${busy.headers.get('retry-after')} s`)
  t.ok(Number(busy.headers.get('retry-after')) <= 41)
  gone.abort()
  await Promise.allSettled(line)
})

/** The clock by which jobs are timed, which stands still until it is moved on. */
function stillClock (t: Test) {
  const clock = { ms: 0 }
  mock.method(performance, 'now', () => clock.ms)
  t.teardown(() => mock.restoreAll())
  return clock
}

t.test('the guess is how long those who came before will take, so many at once', async (t) => {
  const { hasher, started, shut, open } = gate()
  const app = await build(t, { password: { hasher, concurrency: 2, waiting: 2 } })
  const clock = stillClock(t)
  await app.signUp()
  shut()
  started.length = 0
  const slow = attempt(app, password)
  await until(() => started.length === 1)
  clock.ms = 9_000
  open()
  t.equal((await slow).statusCode, 200)

  started.length = 0
  shut()
  const stuck = Array.from({ length: 4 }, () => attempt(app, password))
  await until(() => started.length === 2)
  t.equal(
    (await attempt(app, password)).headers['retry-after'],
    '2',
    'two jobs and this one, at 0.9 seconds lately, by two at once'
  )
  open()
  t.strictSame((await Promise.all(stuck)).map(({ statusCode }) => statusCode), [200, 200, 200, 200])
})

t.test('the guess moves a tenth of the way to how long the last job took', async (t) => {
  const { hasher, started, shut, open } = gate()
  const app = await build(t, { password: { hasher, concurrency: 1, waiting: 0 } })
  const clock = stillClock(t)
  await app.signUp()

  for (const guess of ['1', '1', '2', '3']) {
    started.length = 0
    shut()
    const slow = attempt(app, password)
    await until(() => started.length === 1)
    t.equal((await attempt(app, password)).headers['retry-after'], guess)
    clock.ms += 9_000
    open()
    t.equal((await slow).statusCode, 200)
  }
})

t.test('every route that hashes may be busy, and then has done nothing', async (t) => {
  const { hasher, started, shut, open } = gate()
  const told: string[] = []
  const app = await build(t, {
    password: { hasher, concurrency: 1, waiting: 0 },
    hooks: { onLoginFailed: (identifier) => told.push(identifier) },
  })
  const { access_token: token } = await app.signUp()
  const { users } = app.app.accounts
  const { id } = (await users.find('ada'))!
  shut()
  const running = attempt(app, password)
  await until(() => started.length === 3)

  const refused = await Promise.all([
    app.post('/auth/register', { username: 'bob', password }),
    app.post('/auth/login', { username: 'nobody', password }),
    app.post('/auth/reauthenticate', { password }, token),
    app.app.inject({
      method: 'PUT',
      url: '/auth/password',
      headers: bearer(token),
      payload: { current_password: password, new_password: wrong },
    }),
  ])
  for (const { statusCode, body } of refused) t.match([statusCode, JSON.parse(body).code], [503, 'ACCOUNTS_BUSY'])
  const busy = { code: 'ACCOUNTS_BUSY', statusCode: 503 }
  await t.rejects(users.create({ username: 'bob', password }), busy)
  await t.rejects(users.setPassword(id, wrong), busy)
  await t.rejects(users.verifyPassword('ada', password), busy)
  open()
  t.equal((await running).statusCode, 200)

  t.equal(await users.find('bob'), null)
  t.strictSame(told, [], 'it is no failed login')
  t.equal((await attempt(app, password)).statusCode, 200, 'the password is what it was')
  t.equal((await app.get('/guarded', token)).statusCode, 200, 'and no session has ended')
})

t.test('a login takes one place, for all the hashes that it needs', async (t) => {
  const { hasher, started } = gate()
  const app = await build(t, {
    password: {
      hasher: { ...hasher, needsRehash: () => true },
      legacy: [legacy.pbkdf2({ iterations: 1 })],
      concurrency: 1,
      waiting: 1,
    },
  })
  await app.signUp()
  started.length = 0
  t.strictSame(
    (await Promise.all([attempt(app, password), attempt(app, password)])).map(({ statusCode }) => statusCode),
    [200, 200]
  )
  t.equal(started.length, 4)
})

t.test('a hasher that throws gives its place back', async (t) => {
  const { hasher } = gate()
  const app = await build(t, {
    password: {
      hasher: {
        ...hasher,
        verify: async () => {
          throw new Error('broken')
        },
      },
      concurrency: 1,
      waiting: 0,
    },
  })
  await app.signUp()
  for (let tries = 0; tries < 4; tries++) t.equal((await attempt(app, password)).statusCode, 500)
  t.match(await app.signUp('bob'), { user: { username: 'bob' } })
})

t.test('the accounts of one server share what may run, and each has a line of its own length', async (t) => {
  const [one, other] = [gate(), gate()]
  const app = await build(t, { password: { hasher: one.hasher, concurrency: 2, waiting: 1 } })
  await app.app.register(accounts, {
    db: ':memory:',
    secret,
    name: 'admins',
    prefix: '/admins',
    password: { hasher: other.hasher, concurrency: 1, waiting: 1 },
  })
  const admin = (typed: string) => attempt(app, typed, { url: '/admins/login', username: 'nobody' })
  for (const { started, shut } of [one, other]) {
    started.length = 0
    shut()
  }

  const first = [attempt(app, 'a'), attempt(app, 'b'), attempt(app, 'c')]
  await until(() => one.started.length === 2)
  const later = [admin('d'), admin('e')]
  const refused = await Promise.race(later)
  t.equal(refused.statusCode, 503)
  t.equal(other.started.length, 0, 'two run already')
  t.equal((await attempt(app, 'f')).statusCode, 503)
  one.open()
  await Promise.all(first)
  await until(() => other.started.length === 1)
  other.open()
  t.strictSame((await Promise.all(later)).map(({ statusCode }) => statusCode).toSorted(), [401, 503])
})

t.test('who waits until fewer run is not overtaken by accounts of which more may', async (t) => {
  const [one, other] = [gate(), gate()]
  const app = await build(t, { password: { hasher: one.hasher, concurrency: 2, waiting: 2 } })
  await app.app.register(accounts, {
    db: ':memory:',
    secret,
    name: 'admins',
    prefix: '/admins',
    password: { hasher: other.hasher, concurrency: 1, waiting: 1 },
  })
  one.started.length = other.started.length = 0
  one.shut()
  const running = [attempt(app, 'a'), attempt(app, 'b')]
  await until(() => one.started.length === 2)
  const admin = attempt(app, 'c', { url: '/admins/login', username: 'nobody' })
  await settle()
  one.endOne()
  await Promise.race(running)

  const late = attempt(app, 'd')
  await settle()
  t.strictSame([one.started, other.started], [['a', 'b'], []])
  one.open()
  t.strictSame((await Promise.all([...running, admin, late])).map(({ statusCode }) => statusCode), [401, 401, 401, 401])
})

/** A login over a socket of its own, that can be abandoned. */
function overSocket (port: number, typed: string, path = '/auth/login') {
  const sent = httpRequest({
    port,
    host: '127.0.0.1',
    method: 'POST',
    path,
    agent: false,
    headers: { 'content-type': 'application/json' },
  })
  sent.on('error', () => {})
  sent.end(JSON.stringify({ username: 'ada', password: typed }))
  return sent
}

t.test('who goes away leaves the line, and costs no hash', async (t) => {
  const { hasher, started, shut, open } = gate()
  let log = ''
  const app = await build(
    t,
    { password: { hasher, concurrency: 1, waiting: 44 } },
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
  await app.signUp()
  await app.app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.app.server.address() as AddressInfo
  let arrived = 0
  app.app.server.on('request', () => { arrived++ })
  started.length = 0
  shut()
  const first = overSocket(port, 'first')
  const answered = once(first, 'response')
  await until(() => started.length === 1)
  const abandoned = Array.from({ length: 10 }, (_, index) => overSocket(port, `abandoned ${index}`))
  await until(() => arrived === 11)
  await settle()
  const gone = () => log.match(/"msg":"The client has gone"/g)?.length ?? 0
  abandoned.forEach((request) => request.destroy())
  await until(() => gone() === 10)
  const last = attempt(app, password)
  await settle()
  open()
  t.equal((await last).statusCode, 200)
  await answered
  t.strictSame(started, ['first', password])
  t.notMatch(log, /"level":50[^\n]*gone/, 'and nothing is wrong with the server')
})

t.test('who goes away leaves the place to those behind, who may run where more may', async (t) => {
  const [one, other] = [gate(), gate()]
  const app = await build(t, { password: { hasher: one.hasher, concurrency: 2, waiting: 2 } })
  await app.app.register(accounts, {
    db: ':memory:',
    secret,
    name: 'admins',
    prefix: '/admins',
    password: { hasher: other.hasher, concurrency: 1, waiting: 1 },
  })
  await app.app.listen({ port: 0, host: '127.0.0.1' })
  one.started.length = 0
  one.shut()
  const first = attempt(app, 'a')
  await until(() => one.started.length === 1)
  const admin = overSocket((app.app.server.address() as AddressInfo).port, 'b', '/admins/login')
  await once(app.app.server, 'request')
  await settle()
  const second = attempt(app, 'c')
  await settle()
  t.strictSame(one.started, ['a'], 'the admin is before them')
  admin.destroy()
  await until(() => one.started.length === 2)
  one.open()
  t.strictSame((await Promise.all([first, second])).map(({ statusCode }) => statusCode), [401, 401])
})

t.test('code waits in the line as clients do', async (t) => {
  const { hasher, started, shut, open } = gate()
  const app = await build(t, { password: { hasher, concurrency: 1, waiting: 1 } })
  await app.signUp()
  started.length = 0
  shut()
  const running = attempt(app, password)
  await until(() => started.length === 1)
  const waiting = app.app.accounts.users.verifyPassword('ada', password)
  await settle()
  open()
  t.match(await waiting, { username: 'ada' })
  t.equal((await running).statusCode, 200)
})

t.test('who goes away while the password is hashed gives the place back', async (t) => {
  const { hasher, started, shut, open } = gate()
  const app = await build(t, { password: { hasher, concurrency: 1, waiting: 1 } })
  await app.signUp()
  await app.app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.app.server.address() as AddressInfo
  shut()
  const running = overSocket(port, 'running')
  await until(() => started.at(-1) === 'running')
  running.destroy()
  await settle()
  open()
  t.strictSame(
    (await Promise.all([attempt(app, password), attempt(app, wrong)])).map(({ statusCode }) => statusCode),
    [200, 401]
  )
})

t.test('who has gone before it is their turn to be looked at costs no hash either', async (t) => {
  const { hasher, started } = gate()
  const app = Fastify()
  t.teardown(() => app.close())
  const handled: boolean[] = []
  app.addHook('preHandler', async (_request, { raw }) => {
    await until(() => raw.destroyed)
    handled.push(true)
  })
  await app.register(accounts, { db: ':memory:', secret, password: { hasher } })
  await app.listen({ port: 0, host: '127.0.0.1' })
  started.length = 0
  const login = overSocket((app.server.address() as AddressInfo).port, password)
  await once(app.server, 'request')
  await settle()
  login.destroy()
  await until(() => handled.length === 1)
  await settle()
  t.strictSame(started, [])
})

t.test('of 500 logins at once each is answered: rightly, or told when to come again', async (t) => {
  let hashes = 0
  const { hasher } = gate()
  const counting: PasswordHasher = {
    ...hasher,
    async verify (stored, text) {
      hashes++
      await sleep(50)
      return hasher.verify(stored, text)
    },
  }
  const app = await build(t, { password: { hasher: counting, concurrency: 2, waiting: 200 } })
  await app.signUp()
  const origin = await app.app.listen({ port: 0, host: '127.0.0.1' })
  const login = async (index: number) => {
    const typed = index % 5 === 0 ? password : wrong
    const answer = await fetch(`${origin}/auth/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ username: 'ada', password: typed }),
    })
    return {
      index,
      status: answer.status,
      retryAfter: answer.headers.get('retry-after'),
      body: (await answer.json()) as { code?: string },
    }
  }
  const answers = await Promise.all(Array.from({ length: 500 }, (_, index) => login(index)))
  const busy = answers.filter(({ status }) => status === 503)
  const served = answers.filter(({ status }) => status !== 503)
  t.ok(busy.length > 0)
  t.ok(served.length >= 50)
  for (const { retryAfter, body } of busy) t.match([retryAfter, body.code], [/^[1-9]\d*$/, 'ACCOUNTS_BUSY'])
  for (const { index, status } of served) t.equal(status, index % 5 === 0 ? 200 : 401)
  t.equal(hashes, served.length)
  const after = await Promise.all([0, 1, 2, 5].map(login))
  t.strictSame(after.map(({ status }) => status), [200, 401, 401, 200], 'and no place is lost')
})

const concurrencyWith = (size?: string) =>
  readSettings({ secret }, size === undefined ? {} : { UV_THREADPOOL_SIZE: size }, Fastify().log).password.concurrency

t.test('as many hash at once as there are cores, and one thread of libuv is always left to others', async (t) => {
  const cores = availableParallelism()
  t.equal(concurrencyWith(), Math.min(cores, 3))
  const sizes: [string, number][] = [
    ['1', 1],
    ['2', 1],
    ['3', 2],
    ['64', 63],
    ['0', 1],
    ['', 1],
    ['x', 1],
    ['-3', 1],
    ['9999999', 1023],
  ]
  for (const [size, most] of sizes) t.equal(concurrencyWith(size), Math.min(cores, most), size)
})

t.test('a concurrency that leaves no thread is refused, with the reason', async (t) => {
  const start = (concurrency: number, env: NodeJS.ProcessEnv = {}) =>
    readSettings({ secret, password: { concurrency } }, env, Fastify().log).password.concurrency
  t.equal(start(3), 3)
  t.throws(() => start(4), {
    code: 'ACCOUNTS_OPTIONS_INVALID',
    message:
      /: password\.concurrency must be at most 3: of the 4 threads of libuv \(UV_THREADPOOL_SIZE\) one is left to DNS, files and WebCrypto$/,
  })
  t.equal(start(15, { UV_THREADPOOL_SIZE: '16' }), 15)
  t.throws(() => start(16, { UV_THREADPOOL_SIZE: '16' }), { message: /at most 15/ })
  t.equal(start(1, { UV_THREADPOOL_SIZE: '1' }), 1)
})

t.test(
  'who has waited in the line for as long as a request may take leaves it, and is told to come again',
  async (t) => {
    const { hasher, shut, open } = gate()
    const { post, signUp } = await build(t, { password: { hasher, concurrency: 1, waiting: 5 } })
    await signUp()
    shut()
    const first = post('/auth/login', { username: 'ada', password })
    await settle()
    mock.timers.enable({ apis: ['setTimeout'] })
    t.teardown(() => mock.timers.reset())
    const second = post('/auth/login', { username: 'ada', password })
    await settle()
    mock.timers.tick(10_000)
    t.match((await second).json(), { statusCode: 503, code: 'ACCOUNTS_BUSY' })
    mock.timers.reset()
    open()
    t.equal((await first).statusCode, 200)
  }
)
