import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Writable } from 'node:stream'
import { gzipSync } from 'node:zlib'
import t, { type Test } from 'tap'
import type { AccountsOptions } from '../../../lib/index.ts'
import { buildOnFile, password as usual } from '../../support/build.ts'

const hashOf = (password: string) => createHash('sha1').update(password).digest('hex').toUpperCase()
const prefix = hashOf(usual).slice(0, 5)
const suffix = hashOf(usual).slice(5)
const others = ['0'.repeat(34) + '1:5', 'F'.repeat(35) + ':0']
const next = 'another horse another staple'

type Breached = NonNullable<NonNullable<AccountsOptions['password']>['breached']>

/** A list on this machine that answers as told, and an app that asks it. */
async function listed (
  t: Test,
  answer: RequestListener,
  breached: Breached = {},
  rules: AccountsOptions['password'] = {}
) {
  const asked: IncomingMessage[] = []
  const server = createServer((request, response) => {
    asked.push(request)
    answer(request, response)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })

  let log = ''
  const stream = new Writable({
    write (chunk, _, done) {
      log += chunk
      done()
    },
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/range/`
  const built = await buildOnFile(
    t,
    { password: { ...rules, breached: { url, ...breached } } },
    { logger: { level: 'trace', stream } }
  )
  const register = (password = usual) => built.post('/auth/register', { username: 'ada', password })
  return {
    ...built,
    server,
    asked,
    register,
    log: () => log,
    users: () => built.sql.all('select * from accounts_users'),
  }
}

const says = (text: string, status = 200): RequestListener => (_, response) => { response.writeHead(status).end(text) }
const known = (count: number | string = 12) => says([others[0], `${suffix}:${count}`, others[1]].join('\r\n'))

const refused = {
  statusCode: 400,
  code: 'ACCOUNTS_PASSWORD_REJECTED',
  error: 'Bad Request',
  message: 'The password must not be one that is known from a data breach',
}

t.test('a password that is known from a breach is refused, and only five digits of its hash are told', async (t) => {
  const { asked, register, users, log } = await listed(t, known())
  t.strictSame((await register()).json(), refused)
  t.strictSame(await users(), [])

  t.equal(asked.length, 1)
  const { method, url, headers, rawHeaders } = asked[0]!
  t.strictSame(
    [method, url, headers['add-padding'], headers['user-agent']],
    ['GET', `/range/${prefix}`, 'true', 'fastify-jwt-accounts']
  )
  for (const secret of [usual, suffix, suffix.toLowerCase(), 'ada']) t.notMatch(`${url} ${rawHeaders.join()}`, secret)
  for (const secret of [usual, prefix, suffix, suffix.toLowerCase()]) t.notMatch(log(), secret)
})

/** As much as is read, to the byte: 512 KiB. */
const longest = `${'A'.repeat(35)}:1\r\n`.repeat(13_442) + `${'A'.repeat(35)}:${'0'.repeat(12)}\r\n`

t.test('one that is not on the list is accepted, and padding is no answer', async (t) => {
  for (const text of [
    longest,
    others.join('\r\n'),
    `${others.join('\n')}\n`,
    '',
    `${suffix}:0`,
    `${suffix}:000`,
    `${'0'.repeat(35)}:9`,
  ]) {
    const { register, log } = await listed(t, says(text))
    t.equal((await register()).statusCode, 201, JSON.stringify(text.slice(0, 80)))
    t.notMatch(log(), /"level":[456]0/)
  }
})

t.test('how often a password may have been seen is an option, and case and line ends are of no matter', async (t) => {
  const breached = { minCount: 10 }
  t.equal((await (await listed(t, known(9), breached)).register()).statusCode, 201)
  for (const answer of [known(10), known(123456789012345), says(`${suffix.toLowerCase()}:10\n`)]) {
    t.equal((await (await listed(t, answer, breached)).register()).statusCode, 400)
  }
})

t.test('the list is asked for every new password, after all other rules, and for no login', async (t) => {
  const told: string[] = []
  const check = (password: string) => { told.push(password); return password.includes('horse') || 'must hold a horse' }
  const { app, asked, register, post, users } = await listed(t, says(''), {}, { check })
  for (const password of ['short', 'password12345678', 'ada ada ada ada a', 'no such animal in it']) { t.equal((await register(password)).statusCode, 400) }
  t.equal(asked.length, 0, 'what is refused is not told')
  t.strictSame(told, ['no such animal in it'])

  const { access_token: token, user: { id } } = (await register()).json()
  await post('/auth/login', { username: 'ada', password: usual })
  await app.inject({
    method: 'PUT',
    url: '/auth/password',
    payload: { current_password: usual, new_password: next },
    headers: { authorization: `Bearer ${token}` },
  })
  await app.accounts.users.setPassword(id, usual)
  await app.accounts.users.create({ username: 'bob', password: next })
  t.strictSame(
    asked.map(({ url }) => url!.slice(7)),
    [usual, next, usual, next].map((password) => hashOf(password).slice(0, 5))
  )
  t.equal((await users()).length, 2)
})

t.test('the same characters typed in two ways are asked for as one password', async (t) => {
  const { asked, register } = await listed(t, known())
  t.strictSame((await register('ｃｏｒｒｅｃｔ　ｈｏｒｓｅ　ｂａｔｔｅｒｙ　ｓｔａｐｌｅ')).json(), refused)
  t.equal(asked[0]!.url, `/range/${prefix}`)
})

const hanging: RequestListener = () => {}
const falteringAfter = (text: string): RequestListener => (_, response) => { response.writeHead(200).write(text) }
const failures: [name: string, answer: RequestListener, told?: string][] = [
  ['a 500 with the answer in it', says(`${suffix}:12`, 500), 'The list of breached passwords answered with 500'],
  ['a 429 with the answer in it', says(`${suffix}:12`, 429)],
  ['an answer without a body', says('', 204)],
  ['a page of a Wi-Fi', says('<html>Sign in</html>'), 'The list of breached passwords answers with something else'],
  ['numbers that are none', known('many')],
  ['numbers and more', known('12 times')],
  ['hashes that are too long', says(`${'A'.repeat(36)}:1`)],
  ['a list with a line that is none', says(`${suffix}:12\r\nnonsense`)],
  [
    'binary',
    (_, response) => {
      response.end(Buffer.from([0, 255, 128, 10]))
    },
  ],
  [
    'a redirect',
    (_, response) => {
      response.writeHead(302, { location: '/range/elsewhere' }).end()
    },
  ],
  [
    'a connection that breaks',
    (request) => {
      request.socket.destroy()
    },
  ],
  ['silence', hanging],
  ['an answer that stops', falteringAfter(`${others[0]}\r\n`)],
  [
    'an answer without end',
    (_, response) => {
      const more = () => {
        while (response.write(`${'A'.repeat(35)}:1\r\n`.repeat(1000)));
      }
      response.on('drain', more)
      more()
    },
    'The list of breached passwords answers with too much',
  ],
  [
    'a megabyte in a kilobyte',
    (_, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(`${'A'.repeat(35)}:1\r\n`.repeat(100_000)))
    },
  ],
]

/** In seconds: those that come to no end soon, and the others as long as a busy machine may take. */
const waitedFor = (name: string) => name === 'silence' || name === 'an answer that stops' ? 1 : 60

for (const [name, answer, told = ''] of failures) {
  t.test(`a list that answers with ${name} keeps nobody out, and is told of in the log`, async (t) => {
    const { asked, register, log, users } = await listed(t, answer, { timeout: waitedFor(name) })
    const began = performance.now()
    t.equal((await register()).statusCode, 201)
    t.ok(performance.now() - began < 55_000, 'long before the others are waited for no more')
    t.equal((await users()).length, 1)
    t.equal(asked.length, 1)
    t.match(
      log(),
      /"level":40[^\n]*The list of breached passwords cannot be reached: a new password was accepted without it/
    )
    t.ok(log().includes(told))
    for (const secret of [usual, prefix, suffix]) t.notMatch(log(), secret)
  })

  t.test(`or else lets nobody choose a password: ${name}`, async (t) => {
    const { register, log, users } = await listed(t, answer, { timeout: waitedFor(name), whenUnreachable: 'refuse' })
    t.strictSame((await register()).json(), {
      statusCode: 503,
      code: 'ACCOUNTS_UNAVAILABLE',
      error: 'Service Unavailable',
      message: 'The service is not available at the moment',
    })
    t.strictSame(await users(), [])
    for (const secret of [usual, prefix, suffix]) t.notMatch(log(), secret)
  })
}

t.test('a list that is not there is no list', async (t) => {
  for (const [whenUnreachable, status] of [['accept', 201], ['refuse', 503]] as const) {
    const { server, register } = await listed(t, hanging, { whenUnreachable })
    server.close()
    await once(server, 'close')
    t.equal((await register()).statusCode, status)
  }
})

t.test('a list that is slow holds up its own request alone', async (t) => {
  const { register, get, server } = await listed(t, hanging, { timeout: 60 })
  const answered: string[] = []
  const waiting = register().finally(() => answered.push('its own'))
  await once(server, 'request')
  t.equal((await get('/open')).statusCode, 200)
  answered.push('another')
  server.closeAllConnections()
  t.equal((await waiting).statusCode, 201)
  t.same(answered, ['another', 'its own'])
})

t.test('nobody is asked any more for a client that has gone, and nobody is registered', async (t) => {
  const { app, asked, server, users, log } = await listed(t, hanging, { timeout: 9 })
  const origin = await app.listen({ port: 0, host: '127.0.0.1' })
  const leaving = new AbortController()
  const body = JSON.stringify({ username: 'ada', password: usual })
  const registering = fetch(`${origin}/auth/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
    signal: leaving.signal,
  })
  await once(server, 'request')
  const hungUp = once(asked[0]!.socket, 'close')
  leaving.abort()
  await t.rejects(registering, { name: 'AbortError' })
  await hungUp
  t.strictSame(await users(), [])
  t.notMatch(log(), /cannot be asked/)
})
