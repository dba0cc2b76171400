// On each database.
import { createHash } from 'node:crypto'
import diagnostics from 'node:diagnostics_channel'
import { mock } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import t, { type Test } from 'tap'
import type { AccountsOptions } from '../../../lib/index.ts'
import { fastHasher } from '../../../lib/testing.ts'
import { identifierKey } from '../../../lib/users/identifiers.ts'
import { bearer, build, buildOnFile, decode, mint, password, refreshKey, secret } from '../../support/build.ts'
import { until } from '../../support/waiting.ts'
import { address, attempts, countOf, failuresIn, together } from './attempts.ts'

const on: AccountsOptions = { throttle: {} }
/** Limits that nobody reaches. */
const wide: AccountsOptions = { throttle: { accountNetwork: 1000, network: 1000, account: 1000 } }
const home = '192.0.2.1'

/** The clock stands until it is moved. */
function stopClock (t: Test) {
  mock.timers.enable({ apis: ['Date'], now: Date.now() })
  t.teardown(() => mock.timers.reset())
  return (seconds: number) => mock.timers.tick(seconds * 1000)
}

t.test(
  'five failures at one account from one network are free, then that network has to wait, and nobody else',
  async (t) => {
    const { app, signUp } = await build(t, on)
    await signUp()
    const { fail, succeed } = attempts(app)
    for (let tries = 0; tries < 6; tries++) t.equal((await fail('ada', home)).statusCode, 401)

    const refused = await succeed('ada', home)
    t.match(refused.json(), { statusCode: 429, code: 'ACCOUNTS_THROTTLED', error: 'Too Many Requests' })
    t.equal(refused.headers['retry-after'], '2')
    t.equal(refused.json().message, 'There were too many attempts: try again in 2 seconds')
    t.equal((await succeed('ada', '192.0.2.2')).statusCode, 200)
    t.equal((await fail('bob', home)).statusCode, 401)
  }
)

t.test('a block grows with each failure, ends by itself, and what is refused makes it no longer', async (t) => {
  const { app, signUp } = await build(t, on)
  await signUp()
  const { fail, succeed } = attempts(app)
  const pass = stopClock(t)
  for (let tries = 0; tries < 5; tries++) await fail('ada', home)

  for (const seconds of [2, 4, 8, 16]) {
    t.equal((await fail('ada', home)).statusCode, 401)
    t.equal((await fail('ada', home)).headers['retry-after'], `${seconds}`)
    pass(seconds / 2)
    for (let tries = 0; tries < 10; tries++) { t.equal((await succeed('ada', home)).headers['retry-after'], `${seconds / 2}`) }
    pass(seconds / 2)
  }
  t.equal((await succeed('ada', home)).statusCode, 200)
})

t.test('no block is longer than 15 minutes', async (t) => {
  const { app, signUp } = await build(t, { throttle: { accountNetwork: 1 } })
  await signUp()
  const { fail, succeed } = attempts(app)
  const pass = stopClock(t)
  const blocks: number[] = []
  for (let tries = 0; tries < 25; tries++) {
    await fail('ada', home)
    const seconds = Number((await fail('ada', home)).headers['retry-after'] ?? 0)
    blocks.push(seconds)
    pass(seconds)
  }
  t.ok(Math.max(...blocks) <= 900 && Math.max(...blocks) >= 512, String(blocks))
  t.equal((await succeed('ada', home)).statusCode, 200)
})

t.test('a right password begins anew', async (t) => {
  const { app, signUp } = await build(t, on)
  await signUp()
  const { fail, succeed } = attempts(app)
  for (let round = 0; round < 3; round++) {
    for (let tries = 0; tries < 5; tries++) t.equal((await fail('ada', home)).statusCode, 401)
    t.equal((await succeed('ada', home)).statusCode, 200)
  }
})

t.test('the sixth attempt may be the right one, and leaves no block', async (t) => {
  const { app, signUp } = await build(t, { throttle: { accountNetwork: 5, network: 5, account: 5 } })
  await signUp()
  const { fail, succeed } = attempts(app)
  for (let tries = 0; tries < 4; tries++) await fail('ada', home)
  for (let tries = 0; tries < 8; tries++) t.equal((await succeed('ada', home)).statusCode, 200)
  t.equal((await fail('ada', home)).statusCode, 401)
  t.equal((await succeed('ada', home)).statusCode, 200)
})

t.test('an attacker with an account of their own cannot empty their network', async (t) => {
  const { app, sql, signUp } = await buildOnFile(t, { throttle: { network: 10 } })
  await signUp('eve')
  const { fail, succeed } = attempts(app)
  for (let victim = 0; victim < 10; victim++) {
    t.equal((await fail(`victim${victim}`, home)).statusCode, 401)
    t.equal((await succeed('eve', home)).statusCode, 200)
  }
  t.equal(await failuresIn(sql, 'network', home), 10)
  t.equal((await fail('victim10', home)).statusCode, 401)
  t.equal((await succeed('eve', home)).statusCode, 429)
  t.equal((await fail('victim11', home)).statusCode, 429)
})

t.test('from one network over many accounts, fifty failures are free, and other networks go on', async (t) => {
  const { app, signUp } = await build(t, on)
  await signUp()
  const { fail, succeed } = attempts(app)
  stopClock(t)
  const answers = []
  for (let victim = 0; victim < 60; victim++) answers.push(await fail(`victim${victim}`, home))
  t.same([countOf(answers, 401), countOf(answers, 429)], [51, 9])
  t.equal((await succeed('ada', home)).statusCode, 429)
  t.equal((await succeed('ada', '192.0.2.2')).statusCode, 200)
})

t.test(
  'a thousand failures at one account from as many networks lock strangers out, and no session that goes on',
  async (t) => {
    const { app, get, signUp, refresh } = await build(t, on)
    const owner = await signUp()
    const { fail, succeed } = attempts(app)
    stopClock(t)
    const answers = []
    for (let round = 0; round < 50; round++) { answers.push(...(await together(20, (index) => fail('ada', address(round * 20 + index))))) }
    t.same([countOf(answers, 401), countOf(answers, 429)], [101, 899])

    const refused = await succeed('ada', '192.0.2.9')
    t.match(refused, { statusCode: 429, headers: { 'retry-after': '2' } })
    t.equal((await get('/guarded', owner.access_token)).statusCode, 200)
    t.equal((await refresh(owner.refresh_token)).statusCode, 200)
    t.equal((await succeed('bob', '192.0.2.9')).statusCode, 401)
  }
)

t.test('of attempts at once each is counted', async (t) => {
  const { app, sql, signUp } = await buildOnFile(t, wide)
  await signUp()
  const { fail } = attempts(app)
  stopClock(t)
  t.equal(countOf(await together(50, () => fail('ada', home)), 401), 50)
  const account = identifierKey('ada')
  t.same(
    await Promise.all([
      failuresIn(sql, 'account-network', `${home} ${account}`),
      failuresIn(sql, 'network', home),
      failuresIn(sql, 'account', account),
    ]),
    [50, 50, 50]
  )

  t.equal(countOf(await together(50, (index) => fail('bob', address(index))), 401), 50)
  t.equal(await failuresIn(sql, 'account', identifierKey('bob')), 50)
  t.equal(await failuresIn(sql, 'account-network', `${address(7)} ${identifierKey('bob')}`), 1)
})

t.test('of attempts at once only the free ones and one more reach a password', async (t) => {
  const { app, sql, signUp } = await buildOnFile(t, { throttle: { account: 20 } })
  await signUp()
  const { fail } = attempts(app)
  stopClock(t)
  const near = await together(50, () => fail('ada', home))
  t.same([countOf(near, 401), countOf(near, 429)], [6, 44])
  t.equal(await failuresIn(sql, 'network', home), 6)
  const far = await together(50, (index) => fail('bob', address(index)))
  t.same([countOf(far, 401), countOf(far, 429)], [21, 29])
  t.equal(await failuresIn(sql, 'account', identifierKey('bob')), 21)
})

t.test('right and wrong passwords at once, from one network, wait for each other and never in a circle', async (t) => {
  const { app, sql, signUp } = await buildOnFile(t, wide)
  await signUp()
  await signUp('bob')
  const { fail, succeed } = attempts(app)
  stopClock(t)
  const answers = await together(40, (index) =>
    (index % 4 === 0 ? fail : succeed)(index % 2 === 0 ? 'ada' : 'bob', home)
  )
  t.same([countOf(answers, 200), countOf(answers, 401)], [30, 10])
  // The two registrations are in it too.
  t.equal(await failuresIn(sql, 'network', home), 10)
})

t.test('no spelling of a name, of an address or of a path gets past it', async (t) => {
  const { app, post } = await build(
    t,
    { throttle: { accountNetwork: 1, account: 100 } },
    { trustProxy: false, routerOptions: { ignoreTrailingSlash: true, ignoreDuplicateSlashes: true } }
  )
  await post('/auth/register', { username: 'Zoë', email: 'zoe@example.com', password })
  const { fail, send } = attempts(app)
  stopClock(t)
  for (let tries = 0; tries < 2; tries++) {
    await fail('Zoë', home)
    await fail('zoe@example.com', home)
    await fail('Zoë', '2001:db8::1')
  }

  for (const name of [
    'Zoë',
    'ZOË',
    'zoe\u0308',
    'ＺＯË',
    ' Zoë ',
    '\u00a0Zoë\u3000',
    'zoe@example.com',
    'ZOE@EXAMPLE.COM',
    'zoe＠example.com',
    ' zoe@Example.com',
    'zoe@example。com',
  ]) {
    t.equal((await fail(name, home)).statusCode, 429, name)
  }
  for (const neighbour of ['2001:db8::2', '2001:DB8:0:0:ffff:ffff:ffff:ffff', '2001:0db8:0000:0000::3']) { t.equal((await fail('Zoë', neighbour)).statusCode, 429, neighbour) }
  for (const mapped of [`::ffff:${home}`, '::ffff:c000:201', '0:0:0:0:0:FFFF:192.0.2.1']) { t.equal((await fail('Zoë', mapped)).statusCode, 429, mapped) }
  for (const path of [
    '//auth/login',
    '/auth//login',
    '/auth/login/',
    '/auth/login?x=1',
    '/auth/login?username=bob',
    '/%61uth/login',
  ]) {
    t.equal(
      (await send('POST', path, { username: 'Zoë', password: 'not at all the password' }, home)).statusCode,
      429,
      path
    )
  }
  for (const name of [
    'x-forwarded-for',
    'forwarded',
    'x-real-ip',
    'client-ip',
    'true-client-ip',
    'cf-connecting-ip',
    'x-client-ip',
    'via',
  ]) {
    t.equal(
      (await fail('Zoë', home, { [name]: name === 'forwarded' ? 'for=203.0.113.9' : '203.0.113.9' })).statusCode,
      429,
      name
    )
  }
  t.equal((await fail('Zoe', home)).statusCode, 401, 'another name is another account')
})

t.test('behind a proxy that is trusted the client counts', async (t) => {
  const { app } = await build(t, { throttle: { accountNetwork: 1 } }, { trustProxy: '10.0.0.1' })
  const { fail } = attempts(app)
  const via = (client: string) => fail('ada', '10.0.0.1', { 'x-forwarded-for': client })
  await via('203.0.113.1')
  await via('203.0.113.1')
  t.equal((await via('203.0.113.1')).statusCode, 429)
  t.equal((await via('::ffff:203.0.113.1')).statusCode, 429)
  t.equal(
    (await via('198.51.100.7, 203.0.113.1')).statusCode,
    429,
    'what the client has said itself comes first and is not believed'
  )
  t.equal((await via('203.0.113.2')).statusCode, 401)
})

t.test('a proxy that is not trusted is mentioned in the log, once', async (t) => {
  for (const [trustProxy, header, warnings] of [
    [false, 'x-forwarded-for', 1],
    [false, 'forwarded', 1],
    [true, 'x-forwarded-for', 0],
    [false, 'x-other', 0],
  ] as const) {
    const lines: string[] = []
    const { app } = await build(t, on, {
      trustProxy,
      logger: {
        level: 'warn',
        stream: {
          write: (line: string) => {
            lines.push(line)
          },
        },
      },
    })
    const { fail } = attempts(app)
    await fail('ada', home, { [header]: '203.0.113.1' })
    await fail('ada', home, { [header]: '203.0.113.2' })
    t.equal(lines.filter((line) => line.includes('trustProxy')).length, warnings, `${header}, ${trustProxy}`)
  }
})

t.test('known and unknown names are refused with the same bytes', async (t) => {
  const { app, signUp, signIn } = await build(t, on)
  const { user } = await signUp()
  await signUp('disabled')
  await app.accounts.users.disable((await signIn('disabled')).user.id)
  const { fail } = attempts(app)
  stopClock(t)
  const answers = []
  for (const name of ['ada', 'nobody', 'nobody@example.com', 'disabled', user.id, '']) {
    for (let tries = 0; tries < 6; tries++) t.equal((await fail(name, `192.0.2.${name.length}`)).statusCode, 401, name)
    const { statusCode, body, headers: { date: _, ...headers } } = await fail(name, `192.0.2.${name.length}`)
    answers.push({ statusCode, body, headers })
  }
  t.equal(answers[0]!.statusCode, 429)
  for (const answer of answers) t.same(answer, answers[0])
})

t.test('nothing of a name or an address can be read in the table', async (t) => {
  const { app, sql } = await buildOnFile(t, on)
  await attempts(app).fail('ada', home)
  const rows = await sql.all('select * from accounts_throttle')
  t.equal(rows.length, 4)
  for (const { id } of rows) t.match(id, /^[0-9a-f]{64}$/)
  t.notMatch(JSON.stringify(rows), identifierKey('ada'))
})

t.test('two processes on one database count together', async (t) => {
  const first = await buildOnFile(t, on)
  const second = await build(t, { ...on, db: first.db })
  const [here, there] = [attempts(first.app), attempts(second.app)]
  for (let tries = 0; tries < 3; tries++) { t.same([(await here.fail('ada', home)).statusCode, (await there.fail('ada', home)).statusCode], [401, 401]) }
  t.same([(await here.fail('ada', home)).statusCode, (await there.fail('ada', home)).statusCode], [429, 429])
})

t.test('a wrong current password is a guess too, of whoever is signed in', async (t) => {
  for (const [method, url, wrong, right] of [
    [
      'PUT',
      '/auth/password',
      { current_password: 'not at all the password', new_password: `${password}!` },
      { current_password: password, new_password: `${password}!` },
    ],
    ['POST', '/auth/reauthenticate', { password: 'not at all the password' }, { password }],
  ] as const) {
    const { app, signUp, signIn, get } = await build(t, on)
    const { access_token: token } = await signUp()
    const { send, succeed } = attempts(app)
    const pass = stopClock(t)
    for (let tries = 0; tries < 6; tries++) { t.match((await send(method, url, wrong, home, bearer(token))).json(), { code: 'ACCOUNTS_CREDENTIALS_INVALID' }) }
    const refused = await send(method, url, right, home, bearer(token))
    t.match(refused, { statusCode: 429, headers: { 'retry-after': '2' } })
    t.equal((await get('/guarded', token)).statusCode, 200)
    t.equal((await succeed('ada', home)).statusCode, 200, 'a login is counted by the name')
    t.equal(
      (await send('POST', '/auth/reauthenticate', { password }, home, bearer((await signIn()).access_token)))
        .statusCode,
      429,
      'another session of the same user is not'
    )
    pass(2)
    t.equal((await send(method, url, right, home, bearer(token))).statusCode, 200)
    t.equal((await send(method, url, wrong, home, bearer(token))).statusCode, 401)
    mock.timers.reset()
  }
})

t.test('a new password that is refused says nothing of the current one, and is not counted', async (t) => {
  const { app, signUp } = await build(t, { throttle: { accountNetwork: 1 } })
  const { access_token: token } = await signUp()
  const { send } = attempts(app)
  for (let tries = 0; tries < 4; tries++) {
    const answer = await send(
      'PUT',
      '/auth/password',
      { current_password: password, new_password: 'short' },
      home,
      bearer(token)
    )
    t.match(answer.json(), { code: 'ACCOUNTS_PASSWORD_REJECTED' })
    await pause(50)
  }
})

t.test('registrations are counted for their network, so that names cannot be asked for in bulk', async (t) => {
  const { app } = await build(t, { throttle: { network: 5 } })
  const { send, fail } = attempts(app)
  stopClock(t)
  const register = (username: string, remoteAddress = home, more = {}) =>
    send('POST', '/auth/register', { username, password, ...more }, remoteAddress)
  t.equal((await register('ada')).statusCode, 201)
  for (const bad of [
    { password: 'short' },
    { username: 'a@b' },
    { role: 'admin' },
    { password: 'a horse of another colour' },
  ]) { t.equal((await register('bob', home, bad)).statusCode, 'password' in bad && bad.password.length > 15 ? 201 : 400) }
  for (let tries = 0; tries < 4; tries++) t.equal((await register('ada')).statusCode, 409)
  t.match(await register('carl'), { statusCode: 429, headers: { 'retry-after': '2' } })
  t.equal((await fail('ada', home)).statusCode, 429)
  t.equal((await register('carl', '192.0.2.2')).statusCode, 201)
})

t.test(
  'a registration that the app refuses has told that the name is free, and one that failed has told nothing',
  async (t) => {
    const statuses = { forbidden: 403, bad: 400, broken: undefined, down: 503 }
    const { app, sql } = await buildOnFile(
      t,
      {
        throttle: { network: 100 },
        hooks: {
          onRegister (_em, { username }) {
            throw Object.assign(new Error('no'), { statusCode: statuses[username as keyof typeof statuses] })
          },
        },
      },
      { logger: { level: 'silent' } }
    )
    const { send } = attempts(app)
    stopClock(t)
    const register = (username: string) => send('POST', '/auth/register', { username, password }, home)
    t.same([(await register('forbidden')).statusCode, (await register('bad')).statusCode], [403, 400])
    t.equal(await failuresIn(sql, 'network', home), 2)
    t.same([(await register('broken')).statusCode, (await register('down')).statusCode], [500, 500])
    while ((await failuresIn(sql, 'network', home)) !== 2) await pause(20)
  }
)

t.test('an attempt that came to nothing is taken back', async (t) => {
  const lines: string[] = []
  let isBroken = false
  const verify = async (stored: string, text: string) => {
    if (isBroken) throw new Error('broken')
    return fastHasher.verify(stored, text)
  }
  const { app, sql, signUp } = await buildOnFile(
    t,
    { ...on, password: { hasher: { ...fastHasher, verify } } },
    {
      logger: {
        level: 'warn',
        stream: {
          write: (line: string) => {
            lines.push(line)
          },
        },
      },
    }
  )
  await signUp()
  const { fail, succeed } = attempts(app)
  stopClock(t)
  isBroken = true
  for (let tries = 0; tries < 3; tries++) t.equal((await succeed('ada', home)).statusCode, 500)
  const account = identifierKey('ada')
  const counted = () =>
    Promise.all([
      failuresIn(sql, 'account-network', `${home} ${account}`),
      failuresIn(sql, 'network', home),
      failuresIn(sql, 'account', account),
    ])
  while ((await counted()).some((failures) => failures > 0)) await pause(20)
  isBroken = false
  t.equal((await fail('ada', home)).statusCode, 401)
  t.same(await counted(), [1, 1, 1])
  t.notMatch(lines.join(), /stays counted/)
})

t.test('one that cannot be taken back is told to the log, and the answer is the one that it was', async (t) => {
  const lines: string[] = []
  const { app, sql } = await buildOnFile(t, {
    ...on,
    async claims () {
      await sql.exec('alter table accounts_throttle rename to gone')
      throw new Error('no')
    },
  }, { logger: { level: 'warn', stream: { write: (line: string) => { lines.push(line) } } } })
  t.equal((await attempts(app).send('POST', '/auth/register', { username: 'ada', password }, home)).statusCode, 500)
  while (!lines.some((line) => line.includes('stays counted'))) await pause(20)
})

t.test('without its table nobody is let in unthrottled', async (t) => {
  const { app, sql, signUp } = await buildOnFile(t, on, { logger: { level: 'silent' } })
  await signUp()
  await sql.exec('alter table accounts_throttle rename to gone')
  t.match((await attempts(app).succeed('ada', home)).json(), { statusCode: 503, code: 'ACCOUNTS_UNAVAILABLE' })
  await sql.exec('alter table gone rename to accounts_throttle')
  t.equal((await attempts(app).succeed('ada', home)).statusCode, 200)
})

t.test(
  'a good refresh token of a session that is not there counts for its network; what is ordinary does not',
  async (t) => {
    const { app, sql, signUp, signIn, refresh, post } = await buildOnFile(t, { throttle: { network: 2 } })
    const { refresh_token: token } = await signUp()
    const { send } = attempts(app)
    stopClock(t)
    const ask = (refreshToken: string) => send('POST', '/auth/refresh', { refresh_token: refreshToken }, home)
    const { header, payload } = decode(token)
    const strange = (sid: string) => mint(header, { ...payload, sid }, refreshKey)

    const over = await signIn()
    await post('/auth/logout', { refresh_token: over.refresh_token })
    for (let tries = 0; tries < 5; tries++) {
      t.match((await ask(over.refresh_token)).json(), { code: 'ACCOUNTS_TOKEN_REVOKED' })
      t.equal((await ask('nonsense')).statusCode, 401)
    }
    t.equal(await failuresIn(sql, 'network', home), 0)
    for (let tries = 0; tries < 3; tries++) {
      t.match((await ask(strange(`0197aaaa-0000-7000-8000-00000000000${tries}`))).json(), {
        code: 'ACCOUNTS_TOKEN_REVOKED',
      })
    }
    t.match(await ask(strange('0197aaaa-0000-7000-8000-000000000009')), {
      statusCode: 429,
      headers: { 'retry-after': '2' },
    })
    t.equal((await ask(token)).statusCode, 200, 'a session that goes on always works')
    t.equal((await refresh(token)).statusCode, 200)
  }
)

t.test('code checks passwords unthrottled', async (t) => {
  const { app, signUp } = await build(t, { throttle: { accountNetwork: 1, network: 1, account: 1 } })
  await signUp()
  for (let tries = 0; tries < 5; tries++) { t.equal(await app.accounts.users.verifyPassword('ada', 'not at all the password'), null) }
  t.match(await app.accounts.users.verifyPassword('ada', password), { username: 'ada' })
})

t.test('it can be left to the app', async (t) => {
  const { app, sql, signUp, refresh } = await buildOnFile(t, { throttle: false })
  const { user, refresh_token: token } = await signUp()
  const { fail } = attempts(app)
  for (let tries = 0; tries < 60; tries++) t.equal((await fail('ada', home)).statusCode, 401)
  await app.accounts.users.delete(user.id)
  t.equal((await refresh(token)).statusCode, 401)
  t.same(await sql.all('select * from accounts_throttle'), [])
})

t.test('blocks and refusals are counted, and told without what was typed', async (t) => {
  const { app, signUp } = await build(t, { throttle: { accountNetwork: 1, network: 2, account: 2 } })
  const heard: unknown[] = []
  const listen = (message: unknown) => { heard.push(message) }
  diagnostics.subscribe('fastify-jwt-accounts:lock', listen)
  t.teardown(() => diagnostics.unsubscribe('fastify-jwt-accounts:lock', listen))
  const { user } = await signUp()
  const { fail } = attempts(app)
  const pass = stopClock(t)
  await fail('ada', home)
  t.match(app.accounts.counters, { attemptsThrottled: 0, bucketsBlocked: 0 })
  await fail('ada', home)
  await fail('ada', home)
  t.match(app.accounts.counters, { attemptsThrottled: 1, bucketsBlocked: 1 })
  pass(2)
  await fail('ada', home)
  t.match(app.accounts.counters, { attemptsThrottled: 1, bucketsBlocked: 4 })
  const lock = (reason: string, userId: string | null, requestId: string) => ({
    instance: 'accounts',
    userId,
    sessionId: null,
    actorId: null,
    requestId,
    reason,
    ip: home,
    userAgent: 'lightMyRequest',
    data: null,
  })
  t.same(heard, [
    lock('account-network', user.id, 'req-3'),
    lock('account-network', user.id, 'req-5'),
    lock('network', null, 'req-5'),
    lock('account', user.id, 'req-5'),
  ])
})

t.test('what is forgotten is pruned, and nothing else', async (t) => {
  const { app, sql, signUp } = await buildOnFile(t, { throttle: { accountNetwork: 1 } })
  await signUp()
  const { fail } = attempts(app)
  const pass = stopClock(t)
  await fail('ada', home)
  await fail('ada', home)
  t.match(await app.accounts.prune(), { throttle: 0 })
  pass(100)
  t.match(await app.accounts.prune(), { throttle: 2 }, 'the networks of the registration and of the failures')
  t.equal((await sql.all('select * from accounts_throttle')).length, 3)
  pass(30 * 60)
  t.match(await app.accounts.prune(), { throttle: 3 })
  t.same(await sql.all('select * from accounts_throttle'), [])
})

/** An app with Ada, who has a name and an address, and a way to guess at each of what is given. */
async function withAddress (t: Test) {
  const built = await build(t, { throttle: { accountNetwork: 1000, network: 1000, account: 10 } })
  const { json } = await built.post('/auth/register', { username: 'ada', email: 'ada@example.com', password })
  const { send, fail, succeed } = attempts(built.app)
  const pass = stopClock(t)
  let networks = 0
  const guess = async (names: string[]) => {
    const statuses = []
    for (const name of names) statuses.push((await fail(name, address(networks++))).statusCode)
    return statuses
  }
  const confirm = (word: string) =>
    send('POST', '/auth/reauthenticate', { password: word }, address(networks++), bearer(json().access_token))
  return { ...built, succeed, pass, guess, confirm }
}

t.test('a user is guessed at no more often than the limit says, by whatever name and from wherever', async (t) => {
  const { succeed, pass, guess, confirm } = await withAddress(t)
  t.same(await guess(Array(6).fill('ada')), Array(6).fill(401))
  t.equal((await confirm('not at all the password')).statusCode, 401)
  t.same(await guess(Array(4).fill('ada@example.com')), Array(4).fill(401))

  const right = await succeed('ada@example.com', '192.0.2.9')
  t.match(right.json(), { statusCode: 401, code: 'ACCOUNTS_CREDENTIALS_INVALID' }, 'nothing more is judged')
  t.equal((await succeed('ada', '192.0.2.9')).statusCode, 401)
  t.match(await confirm(password), { statusCode: 429, headers: { 'retry-after': '2' } }, 'who is signed in is told')
  pass(2)
  t.equal((await succeed('ada@example.com', '192.0.2.9')).statusCode, 200)
  t.equal((await confirm(password)).statusCode, 200)
  t.same(await guess(Array(10).fill('ada@example.com')), Array(10).fill(401), 'and begins anew')
})

t.test('what is not judged does not make the block longer', async (t) => {
  const { succeed, pass, guess, confirm } = await withAddress(t)
  await guess(Array(6).fill('ada'))
  for (let tries = 0; tries < 5; tries++) await confirm('not at all the password')
  await guess(Array(4).fill('ada'))
  pass(2)
  t.equal((await succeed('ada', '192.0.2.9')).statusCode, 200)
})

t.test('no name tells which address belongs to it, nor whether there is anybody', async (t) => {
  const { guess } = await withAddress(t)
  const names = (name: string) => [...Array(12).fill(name), ...Array(12).fill(`${name}@example.com`)]
  const [known, unknown] = [await guess(names('ada')), await guess(names('nobody'))]
  t.same(known, unknown)
  t.same(known, [...Array(11).fill(401), 429, ...Array(11).fill(401), 429])
})

t.test('what is not judged is refused with the same bytes, and the same work', async (t) => {
  const { app, guess, succeed } = await withAddress(t)
  const statements: string[] = []
  const logger = app.accounts.orm.config.getLogger()
  logger.setDebugMode(['query'])
  logger.logQuery = ({ query }) => { statements.push(query!) }
  const asking = async (name: string) => {
    statements.length = 0
    const { statusCode, body, headers: { date: _, ...headers } } = await succeed(name, '192.0.2.9')
    // What the poll asks once a second is nobody's request.
    return {
      statusCode,
      body,
      headers,
      statements: statements
        .map((text) => text.replace(/ \[took .*/, ''))
        .filter((text) => !/order by .*revision.* desc/.test(text)),
    }
  }
  const unknown = await asking('nobody@example.com')
  await guess(Array(11).fill('ada'))
  t.same(await asking('ada@example.com'), unknown)
  t.ok(unknown.statements.length > 3)
})

t.test('the wider networks of an IPv6 address have limits too, and others of their own', async (t) => {
  const { app } = await build(t, { throttle: { network: 5, account: 1000 } })
  const { fail } = attempts(app)
  stopClock(t)
  let people = 0
  const failures = async (addresses: string[]) => {
    const answers = []
    for (const from of addresses) answers.push(await fail(`user${people++}`, from))
    return countOf(answers, 401)
  }
  const many = Array.from({ length: 50 }, (_, index) => index)
  t.equal(await failures(many.map(() => '2001:db8:1:1::1')), 6, 'a /64')
  t.equal(await failures(many.map((index) => `2001:db8:2:1${index + 10}::1`)), 11, 'a /56')
  t.equal(await failures(many.map((index) => `2001:db8:3:${index + 10}00::1`)), 21, 'a /48')
  t.equal(await failures(['2001:db8:4:1::1', '2001:db8:5:1::1']), 2)
  t.equal(await failures(many.map(() => '64:ff9b::203.0.113.5')), 6, 'behind NAT64')
  t.equal(await failures(['64:ff9b::203.0.113.6', '203.0.113.5']), 1, 'which is one client, and another is not')
})

t.test(
  'who reads the table can try out neither names nor addresses, and processes with one secret count together',
  async (t) => {
    const { db, app, sql } = await buildOnFile(t, on)
    await attempts(app).fail('ada', home)
    const ids = async () => (await sql.all('select id from accounts_throttle order by id')).map(({ id }) => id)
    const first = await ids()
    const guesses = [
      `network ${home}`,
      `account ${identifierKey('ada')}`,
      `account-network ${home} ${identifierKey('ada')}`,
      home,
      'ada',
    ]
    for (const guess of guesses) t.notOk(first.includes(createHash('sha256').update(guess).digest('hex')), guess)

    const same = await build(t, { ...on, db })
    await attempts(same.app).fail('ada', home)
    t.same(await ids(), first)
    const another = await build(t, { ...on, db, secret: `${secret}!` })
    await attempts(another.app).fail('ada', home)
    t.equal((await ids()).length, 8)
  }
)

t.test(
  'an attempt that is not judged and comes to nothing is taken back, and makes the block no shorter',
  async (t) => {
    let isBroken = false
    const verify = async (stored: string, text: string) => {
      if (isBroken) throw new Error('broken')
      return fastHasher.verify(stored, text)
    }
    const { app, sql, post } = await buildOnFile(
      t,
      {
        throttle: { accountNetwork: 1000, network: 1000, account: 10 },
        password: { hasher: { ...fastHasher, verify } },
      },
      { logger: { level: 'silent' } }
    )
    const { user } = (await post('/auth/register', { username: 'ada', email: 'ada@example.com', password })).json()
    const { fail, succeed } = attempts(app)
    stopClock(t)
    for (let tries = 0; tries < 11; tries++) await fail('ada', home)
    isBroken = true
    t.equal((await succeed('ada@example.com', home)).statusCode, 500)
    await until(async () => (await failuresIn(sql, 'account', identifierKey('ada@example.com'))) === 0)
    t.equal(await failuresIn(sql, 'account', user.id), 11)
  }
)
