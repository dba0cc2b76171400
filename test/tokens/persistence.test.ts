// On each database.
import { randomBytes } from 'node:crypto'
import t from 'tap'
import { cookieHeader, setBy } from '../support/browser.ts'
import { bearer, build, buildOnFile, decode, mint, password, refreshKey } from '../support/build.ts'
import { forge } from './forgery.ts'
import type { Kind } from './signer.ts'

const invalid = { statusCode: 401, code: 'ACCOUNTS_TOKEN_INVALID' }

t.test('one token is as good the twentieth time as it was the first, for every guard', async (t) => {
  const { app, get, post, signUp } = await build(t, { audience: ['ours', 'theirs'], issuer: 'me' })
  app.get('/stateless', { preHandler: app.accounts.guard({ consistency: 'stateless' }) }, async () => 'in')
  const { access_token: access, refresh_token: refresh } = await signUp()

  for (let time = 1; time <= 20; time++) {
    for (const url of ['/guarded', '/auth/me', '/strict', '/stateless']) { t.equal((await get(url, access)).statusCode, 200, `${url}, time ${time}`) }
    t.equal((await post('/with-refresh', {}, refresh)).statusCode, 200, `refresh, time ${time}`)
  }
})

t.test('two users who take turns see themselves, and a bad token between them harms neither', async (t) => {
  const { get, post, signUp } = await build(t)
  const users = [await signUp('ada'), await signUp('bob')]
  const [head, body, tail] = users[0]!.access_token.split('.') as [string, string, string]
  const [otherHead, otherBody] = users[1]!.access_token.split('.') as [string, string, string]
  /** Each shares most of its text with a good one. */
  const bad = [
    `${head}.${body}.${tail.slice(0, -4)}`,
    `${head}.${otherBody}.${tail}`,
    `${otherHead}.${body}.${tail.slice(1)}x`,
    `${head}.${body}.`,
    `${head}.${body}`,
    '',
    ' ',
    mint({ ...decode(users[0]!.access_token).header, alg: 'none' }, decode(users[0]!.access_token).payload),
    mint(decode(users[0]!.access_token).header, { ...decode(users[0]!.access_token).payload, exp: 1 }),
    users[1]!.refresh_token,
  ]

  for (let turn = 0; turn < 100; turn++) {
    for (const { access_token: access, refresh_token: refresh, user } of users) {
      t.equal((await get('/auth/me', access)).json().id, user.id)
      if (turn % 10 === 0) t.equal((await post('/with-refresh', {}, refresh)).json().user.id, user.id)
    }
    t.ok([400, 401].includes((await get('/auth/me', bad[turn % bad.length])).statusCode))
  }
})

t.test('a thousand tokens of keys that there are not make no good one bad', async (t) => {
  const { get, post, signUp } = await build(t)
  const { access_token: access, refresh_token: refresh } = await signUp()
  const [ofAccess, ofRefresh] = [decode(access), decode(refresh)]
  const kids = Array.from({ length: 500 }, () => randomBytes(16).toString('base64url'))

  const answers = await Promise.all(kids.flatMap((kid) => [
    get('/auth/me', mint({ ...ofAccess.header, kid }, ofAccess.payload)),
    post('/with-refresh', {}, mint({ ...ofRefresh.header, kid }, ofRefresh.payload, refreshKey)),
  ]))
  t.strictSame([...new Set(answers.map((answer) => answer.json().code))], [invalid.code])
  t.equal((await get('/auth/me', access)).statusCode, 200)
  t.equal((await post('/with-refresh', {}, refresh)).statusCode, 200)
})

t.test(
  'a session that ended takes along its token, good a moment before, and the cookies that somebody kept',
  async (t) => {
    const { app, get, post, signUp, signIn } = await build(t, { transport: 'both' })
    await signUp()
    for (let time = 0; time < 10; time++) {
      const { access_token: access, refresh_token: refresh } = await signIn()
      t.equal((await get('/guarded', access)).statusCode, 200)
      t.equal((await post('/auth/logout', { refresh_token: refresh })).statusCode, 204)
      t.match((await get('/guarded', access)).json(), { code: 'ACCOUNTS_TOKEN_REVOKED' })
    }

    const login = await post('/auth/login', { username: 'ada', password, transport: 'cookie' })
    const headers = { cookie: cookieHeader(setBy(login)), 'x-csrf-token': login.json().csrf_token }
    const ask = (method: 'GET' | 'POST', url: string) => app.inject({ method, url, headers })
    t.equal((await ask('GET', '/guarded')).statusCode, 200)
    t.equal((await ask('POST', '/auth/logout')).statusCode, 204)
    for (const [method, url] of [
      ['GET', '/guarded'],
      ['POST', '/guarded'],
      ['GET', '/auth/me'],
      ['POST', '/auth/refresh'],
      ['POST', '/with-refresh'],
    ] as const) {
      t.match((await ask(method, url)).json(), { statusCode: 401 }, `${method} ${url}`)
    }
  }
)

t.test(
  'nothing that a bad token says reaches the database: with its tables gone the refusal is the same',
  async (t) => {
    const { get, refresh, signUp, sql } = await buildOnFile(t, {}, { logger: { level: 'silent' } })
    const { access_token: access, refresh_token: refreshToken } = await signUp()
    await sql.exec('alter table accounts_sessions rename to gone; alter table accounts_users rename to gone_too')
    const forged = (kind: Kind) =>
      ['id', 'type of claim', 'missing claim', 'party', 'time', 'kid', 'typ'].flatMap((family) =>
        forge(family, kind, { access, refresh: refreshToken })
      )

    for (const [kind, send] of [
      ['access', (token: string) => get('/guarded', token)],
      ['refresh', refresh],
    ] as const) {
      const answers = await Promise.all(
        forged(kind).map(async ({ name, token }) => [name, (await send(token)).statusCode] as const)
      )
      t.ok(answers.length > 200)
      t.strictSame(
        answers.filter(([, status]) => status !== 401),
        [],
        kind
      )
    }
    for (const answer of [await get('/guarded', access), await refresh(refreshToken)]) { t.match(answer.json(), { code: 'ACCOUNTS_UNAVAILABLE' }, 'a good one is looked up') }
  }
)

t.test('issuers and audiences of fifty kilobytes are refused like any other', async (t) => {
  const { get, refresh, signUp } = await build(t)
  const tokens = await signUp()
  const [access, refreshed] = [decode(tokens.access_token), decode(tokens.refresh_token)]
  const { iss, aud } = access.payload
  const long = [5_000, 50_000].flatMap((length) => [
    'a'.repeat(length),
    `${iss}${'a'.repeat(length)}`,
    `${' '.repeat(length)}${iss}`,
    `${'fastify-'.repeat(length / 8)}!`,
    Array(length / 10).fill('aaaaaaa'),
    Array(length / 50).fill(`${aud}x`),
  ])

  for (const claim of ['iss', 'aud']) {
    for (const value of long) {
      t.match((await get('/auth/me', mint(access.header, { ...access.payload, [claim]: value }))).json(), invalid)
      const answer = await refresh(mint(refreshed.header, { ...refreshed.payload, [claim]: value }, refreshKey))
      t.ok([401, 413].includes(answer.statusCode), `${claim}: ${answer.statusCode}`)
    }
  }
  t.equal((await get('/auth/me', tokens.access_token)).statusCode, 200)
})

t.test('five hundred logins give a thousand ids, and no two tokens alike', async (t) => {
  const { app, signUp } = await build(t)
  const { user } = await signUp()
  const texts = new Set<string>()
  const ids = new Set<string>()
  const sessions = new Set<string>()

  for (let count = 0; count < 500; count++) {
    const { access_token: access, refresh_token: refresh } = await app.accounts.issueTokens(user.id)
    for (const token of [access, refresh]) {
      const { jti, sid } = decode(token).payload
      texts.add(token)
      ids.add(jti)
      sessions.add(sid)
    }
  }
  t.strictSame([texts.size, ids.size, sessions.size], [1000, 1000, 500])
  t.ok([...ids].every((id) => Buffer.from(id, 'base64url').length >= 16), 'of 128 bits at least')
})

t.test(
  'over a socket, a token of sixteen kilobytes is too much in a header or a cookie, and of a megabyte in a body',
  async (t) => {
    const { app, signUp } = await build(t, { transport: 'both' })
    const { access_token: access, refresh_token: refresh } = await signUp()
    const origin = await app.listen({ port: 0, host: '127.0.0.1' })
    const statusOf = async (url: string, headers: Record<string, string>, body?: string) => {
      const answer = await fetch(`${origin}${url}`, {
        method: body === undefined ? 'GET' : 'POST',
        headers,
        ...(body !== undefined && { body }),
      })
      t.notMatch(await answer.text(), 'xxxx', 'nothing of it comes back')
      return answer.status
    }
    const json = { 'content-type': 'application/json' }

    for (const start of ['', access, `${access.slice(0, -10)}`]) {
      const [below, above] = [start + 'x'.repeat(12_000), start + 'x'.repeat(16_384)]
      for (const [what, headers] of Object.entries({ below: bearer(below), above: bearer(above) })) { t.equal(await statusOf('/guarded', headers), what === 'below' ? 401 : 431, `header, ${what}`) }
      for (const [what, value] of Object.entries({ below, above })) {
        t.equal(
          await statusOf('/guarded', { cookie: `__Host-access=${value}` }),
          what === 'below' ? 401 : 431,
          `cookie, ${what}`
        )
      }
      t.equal(await statusOf('/auth/refresh', json, JSON.stringify({ refresh_token: below })), 401, 'body, below')
      t.equal(
        await statusOf('/auth/refresh', json, JSON.stringify({ refresh_token: start + 'x'.repeat(1_000_000) })),
        413,
        'body, above'
      )
    }
    t.equal(await statusOf('/guarded', bearer(access)), 200)
    t.equal(await statusOf('/auth/refresh', json, JSON.stringify({ refresh_token: refresh })), 200)
  }
)
