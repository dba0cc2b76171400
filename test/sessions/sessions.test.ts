// On each database.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { mock } from 'node:test'
import t, { type Test } from 'tap'
import type { TokenResponse } from '../../lib/index.ts'
import { browser } from '../support/browser.ts'
import { bearer, build, buildOnFile, decode, mint, password, refreshKey } from '../support/build.ts'
import { addTrigger, dropTrigger, notEverywhere, type Sql, openDatabase } from '../support/databases.ts'
import { until } from '../support/waiting.ts'

const strict = { refresh: { window: 0 } }
const many = Array.from({ length: 50 })

/** Lets the clock stand, until the test moves it on. */
function clock (t: { teardown: (end: () => void) => void }, start = '2026-01-01T00:00:00Z') {
  mock.timers.enable({ apis: ['Date'], now: new Date(start) })
  t.teardown(() => mock.timers.reset())
  return (seconds: number) => mock.timers.tick(seconds * 1000)
}

const genOf = ({ refresh_token: token }: { refresh_token: string }): number => decode(token).payload.gen

const siblings = (answers: { json: () => any }[]) =>
  answers.map((answer) => decode(answer.json().refresh_token).payload)

t.test('fifty refreshes at once with one token are answered with siblings of one generation', async (t) => {
  const { signUp, refresh, sql } = await buildOnFile(t)
  const { refresh_token: token } = await signUp()

  const answers = await Promise.all(many.map(() => refresh(token)))
  t.same(new Set(answers.map(({ statusCode }) => statusCode)), new Set([200]))
  t.equal(new Set(answers.map((answer) => answer.json().refresh_token)).size, 50)
  const { gen, br } = decode(token).payload
  t.ok(siblings(answers).every((payload) => payload.gen === 1 && payload.pa.gen === gen && payload.pa.br === br))
  t.equal(new Set(answers.map((answer) => answer.json().access_token)).size, 50)
  t.match(await sql.all('select gen, prev_gen, confirmed_gen from accounts_sessions'), [
    { gen: 1, prev_gen: 0, confirmed_gen: 0 },
  ])
})

t.test('fifty refreshes at once over two apps on one file are answered with siblings of one generation', async (t) => {
  const { signUp, refresh, sql, db } = await buildOnFile(t)
  const another = await build(t, { db })
  const { refresh_token: token } = await signUp()

  const answers = await Promise.all(many.map((_, index) => (index % 2 ? refresh : another.refresh)(token)))
  t.same(new Set(answers.map(({ statusCode }) => statusCode)), new Set([200]))
  t.equal(new Set(answers.map((answer) => answer.json().refresh_token)).size, 50)
  const { gen, br } = decode(token).payload
  t.ok(siblings(answers).every((payload) => payload.gen === 1 && payload.pa.gen === gen && payload.pa.br === br))
  t.match(await sql.all('select gen, prev_gen from accounts_sessions'), [{ gen: 1, prev_gen: 0 }])
})

t.test('a replay is found after a restart too, and what it ended stays over', async (t) => {
  const { app, signUp, refresh, db } = await buildOnFile(t, strict)
  const first = await signUp()
  const second = (await refresh(first.refresh_token)).json()
  await app.close()

  const restarted = await build(t, { db, ...strict })
  t.match((await restarted.refresh(first.refresh_token)).json(), { code: 'ACCOUNTS_REFRESH_REUSED' })
  await restarted.app.close()
  const again = await build(t, { db, ...strict })
  t.match((await again.refresh(second.refresh_token)).json(), { code: 'ACCOUNTS_TOKEN_REVOKED' })
  t.match((await again.get('/guarded', second.access_token)).json(), { code: 'ACCOUNTS_TOKEN_REVOKED' })
})

t.test('each session has a salt of its own, of 256 random bits', async (t) => {
  const { signUp, signIn, sql } = await buildOnFile(t)
  await signUp()
  await Promise.all(Array.from({ length: 20 }, () => signIn()))
  const salts = (await sql.all('select salt from accounts_sessions')).map(({ salt }) => salt)
  t.equal(new Set(salts).size, 21)
  t.ok(salts.every((salt) => Buffer.from(salt, 'base64url').length === 32))
})

t.test('without a window, one of fifty refreshes at once succeeds, and then the session is over', async (t) => {
  const { signUp, signIn, refresh, get } = await build(t, strict)
  const { refresh_token: token, access_token: access } = await signUp()
  const other = await signIn()

  const answers = await Promise.all(many.map(() => refresh(token)))
  const successes = answers.filter(({ statusCode }) => statusCode === 200)
  t.equal(successes.length, 1)
  t.ok(answers.some((answer) => answer.json().code === 'ACCOUNTS_REFRESH_REUSED'))
  t.match((await refresh(successes[0]!.json().refresh_token)).json(), { code: 'ACCOUNTS_TOKEN_REVOKED' })
  t.match((await get('/guarded', access)).json(), { code: 'ACCOUNTS_TOKEN_REVOKED' })
  t.equal((await refresh(other.refresh_token)).statusCode, 200, 'the other session lives')
})

t.test('without a window, a refresh token works once', async (t) => {
  const { signUp, refresh, get } = await build(t, strict)
  const first = await signUp()
  const second = (await refresh(first.refresh_token)).json()
  t.not(second.refresh_token, first.refresh_token)

  const replay = await refresh(first.refresh_token)
  t.match(replay.json(), { statusCode: 401, code: 'ACCOUNTS_REFRESH_REUSED' })
  t.match(replay.headers['www-authenticate'], /error="invalid_token"/)
  t.match((await refresh(second.refresh_token)).json(), { code: 'ACCOUNTS_TOKEN_REVOKED' })
  t.match((await get('/guarded', second.access_token)).json(), { code: 'ACCOUNTS_TOKEN_REVOKED' })
})

t.test('the log tells when a spent token was used again, and in which session', async (t) => {
  const lines: string[] = []
  const { signUp, refresh } = await build(t, strict, {
    logger: {
      level: 'warn',
      stream: {
        write: (line: string) => {
          lines.push(line)
        },
      },
    },
  })
  const { refresh_token: token } = await signUp()
  await refresh(token)
  await refresh(token)
  const warning = {
    sessionId: decode(token).payload.sid,
    msg: 'A spent refresh token was used again: its session is over',
  }
  t.match(lines.map((line) => JSON.parse(line)).filter(({ sessionId }) => sessionId), [warning])
})

t.test('a spent token outside the window ends its session, every token of it, and no other session', async (t) => {
  const tick = clock(t)
  const { signUp, signIn, refresh, get, sql } = await buildOnFile(t)
  const first = await signUp()
  const other = await signIn()
  const second = (await refresh(first.refresh_token)).json()
  tick(31)
  const third = (await refresh(second.refresh_token)).json()
  tick(31)

  t.match((await refresh(first.refresh_token)).json(), { statusCode: 401, code: 'ACCOUNTS_REFRESH_REUSED' })
  for (const { refresh_token: token } of [first, second, third]) { t.match((await refresh(token)).json(), { code: 'ACCOUNTS_TOKEN_REVOKED' }) }
  for (const { access_token: token } of [first, second, third]) { t.match((await get('/guarded', token)).json(), { code: 'ACCOUNTS_TOKEN_REVOKED' }) }
  t.equal((await get('/guarded', other.access_token)).statusCode, 200)
  t.match(await sql.all('select revoke_reason from accounts_sessions where revoked_at is not null'), [
    { revoke_reason: 'reuse' },
  ])
})

t.test(
  'within the window, a spent token is answered with a sibling of its successor, and the current one with itself',
  async (t) => {
    const tick = clock(t)
    const { signUp, refresh } = await build(t)
    const { refresh_token: token } = await signUp()
    const successor = (await refresh(token)).json().refresh_token
    tick(29)
    const sibling = (await refresh(token)).json().refresh_token
    t.not(sibling, successor)
    t.equal(genOf({ refresh_token: sibling }), 1)
    for (const current of [successor, sibling]) t.equal((await refresh(current)).json().refresh_token, current)
    tick(31.9)
    t.equal((await refresh(successor)).json().refresh_token, successor)
    tick(0.1)
    t.equal(genOf((await refresh(successor)).json()), 2)
  }
)

t.test(
  'of two siblings the one that is used first, two windows later, goes on, and the other ends the session',
  async (t) => {
    const tick = clock(t)
    for (const order of [
      [0, 1],
      [1, 0],
    ]) {
      const { signUp, refresh, get } = await build(t)
      const { refresh_token: token } = await signUp()
      const pair = [(await refresh(token)).json(), (await refresh(token)).json()]
      const [owner, thief] = order.map((index) => pair[index])
      tick(61)
      const next = await refresh(owner.refresh_token)
      t.equal(next.statusCode, 200)
      t.match((await refresh(thief.refresh_token)).json(), { statusCode: 401, code: 'ACCOUNTS_REFRESH_REUSED' })
      t.match((await get('/guarded', next.json().access_token)).json(), { code: 'ACCOUNTS_TOKEN_REVOKED' })
    }
  }
)

t.test('whoever copied a refresh token and asks for the token before once a window is found', async (t) => {
  const tick = clock(t)
  const { signUp, refresh, get } = await build(t)
  let owner = await signUp()
  const copied = owner.refresh_token
  owner = (await refresh(owner.refresh_token)).json()
  await get('/guarded', owner.access_token)
  tick(15)
  let thief = (await refresh(copied)).json()
  t.not(thief.refresh_token, owner.refresh_token, 'no two hold one token')

  // He cannot learn from the token before whether the owner came, and go on with what the owner holds.
  tick(61)
  const [mine, his] = [await refresh(owner.refresh_token), await refresh(thief.refresh_token)]
  t.equal(mine.statusCode, 200)
  t.match(his.json(), { code: 'ACCOUNTS_REFRESH_REUSED' })
  thief = mine.json()
  t.match((await get('/strict', thief.access_token)).json(), { code: 'ACCOUNTS_TOKEN_REVOKED' })
})

t.test('a row tells where its session last came from, and a second answer to one token does not', async (t) => {
  const tick = clock(t)
  const { app, signUp, sql } = await buildOnFile(t)
  const from = (ip: string, token: string) =>
    app.inject({
      method: 'POST',
      url: '/auth/refresh',
      payload: { refresh_token: token },
      remoteAddress: ip,
      headers: { 'user-agent': `at ${ip}` },
    })
  const place = () => sql.get('select ip, user_agent from accounts_sessions')
  const { refresh_token: token } = await signUp()
  await from('192.0.2.1', token)
  t.match(await place(), { ip: '192.0.2.1', user_agent: 'at 192.0.2.1' })
  await from('192.0.2.2', token)
  t.match(await place(), { ip: '192.0.2.1' })
  tick(60)
  await from('192.0.2.3', token)
  t.match(await place(), { ip: '192.0.2.3', user_agent: 'at 192.0.2.3' })
})

const modes = ['until-confirmed', 'until-superseded'] as const

t.test(
  'two tabs that ask again, one before and one after the end of the window, are given the same generation',
  async (t) => {
    const tick = clock(t)
    for (const replay of modes) {
      const { signUp, refresh, get } = await build(t, { refresh: { replay } })
      const { refresh_token: token } = await signUp()
      await refresh(token)
      tick(29.9)
      const stored = (await refresh(token)).json()
      tick(0.2)
      const lost = (await refresh(token)).json()
      t.equal(genOf(lost), genOf(stored))
      t.equal((await get('/guarded', stored.access_token)).statusCode, 200)
      tick(900)
      t.equal((await refresh(stored.refresh_token)).statusCode, 200)
    }
  }
)

t.test('a session of a database of before is over, with each of its tokens, and everybody signs in once', async (t) => {
  const { app, signUp, sql, db } = await buildOnFile(t)
  const { access_token: access, refresh_token: token } = await signUp()
  await app.close()
  const { orm, close } = await openDatabase({ db, name: 'accounts' })
  await orm.migrator.down({ to: '0002-revoked-by-subject' })
  await t.rejects(sql.all('select answered_at from accounts_sessions'))
  await close()

  const { refresh, get, post, signIn } = await build(t, { db })
  t.match(await sql.all('select revoke_reason from accounts_sessions where revoked_at is not null'), [
    { revoke_reason: 'upgrade' },
  ])
  t.match((await refresh(token)).json(), { code: 'ACCOUNTS_TOKEN_REVOKED' })
  t.match((await get('/guarded', access)).json(), { code: 'ACCOUNTS_TOKEN_REVOKED' })
  t.equal((await post('/auth/logout', { refresh_token: token })).statusCode, 204)
  t.equal((await refresh((await signIn()).refresh_token)).statusCode, 200)
})

const givings = [
  ['PUT', '/auth/password', { current_password: password, new_password: `${password}!` }],
  ['POST', '/auth/reauthenticate', { password }],
] as const

t.test('a proof of who one is makes new tokens, and every earlier one is void at once, whoever has it', async (t) => {
  const tick = clock(t)
  for (const [method, url, body] of givings) {
    const { app, db, signUp, refresh, get, post } = await buildOnFile(t)
    const another = await build(t, { db })
    const first = await signUp()
    const second = (await refresh(first.refresh_token)).json()
    t.equal((await another.get('/guarded', second.access_token)).statusCode, 200)
    const proved = (await app.inject({ method, url, payload: body, headers: bearer(first.access_token) })).json()

    for (const old of [first, second]) {
      const superseded = { statusCode: 401, code: 'ACCOUNTS_TOKEN_SUPERSEDED' }
      for (const place of ['/guarded', '/strict', '/auth/me']) { t.match((await get(place, old.access_token)).json(), superseded, place) }
      t.match((await another.get('/strict', old.access_token)).json(), superseded)
      for (const asked of [{ refresh, post }, another]) {
        t.match((await asked.refresh(old.refresh_token)).json(), superseded)
        t.match((await asked.post('/with-refresh', { refresh_token: old.refresh_token })).json(), superseded)
      }
    }
    await until(async () => (await another.get('/guarded', second.access_token)).statusCode === 401)
    t.equal((await post('/with-refresh', { refresh_token: proved.refresh_token })).statusCode, 200)
    t.equal((await another.get('/guarded', proved.access_token)).statusCode, 200)
    tick(900)
    t.match(
      (await refresh(second.refresh_token)).json(),
      { code: 'ACCOUNTS_TOKEN_SUPERSEDED' },
      'nor does it end anything later'
    )
    t.equal((await refresh(proved.refresh_token)).statusCode, 200)
  }
})

t.test('what a floor leaves is one generation, a thousand further, which has no parent', async (t) => {
  for (const [method, url, body] of givings) {
    const { app, signUp, refresh, sql } = await buildOnFile(t)
    const { access_token: access } = (await refresh((await signUp()).refresh_token)).json()
    const remoteAddress = '192.0.2.9'
    const { refresh_token: token } = (
      await app.inject({
        method,
        url,
        payload: body,
        headers: { ...bearer(access), 'user-agent': 'prover' },
        remoteAddress,
      })
    ).json()
    t.match(decode(token).payload, { gen: 1001, pa: null })
    t.match(await sql.get('select gen, floor_gen, prev_gen, prev_branch, ip, user_agent from accounts_sessions'), {
      gen: 1001,
      floor_gen: 1001,
      prev_gen: null,
      prev_branch: null,
      ip: remoteAddress,
      user_agent: 'prover',
    })
  }
})

t.test('of two proofs at once by one access token one counts, and the other is told of newer tokens', async (t) => {
  const { signUp, post, sql } = await buildOnFile(t)
  const { access_token: access } = await signUp()
  const answers = await Promise.all(many.slice(0, 5).map(() => post('/auth/reauthenticate', { password }, access)))
  t.same(answers.map(({ statusCode }) => statusCode).sort(), [200, 401, 401, 401, 401])
  t.ok(answers.every((answer) => answer.statusCode === 200 || answer.json().code === 'ACCOUNTS_TOKEN_SUPERSEDED'))
  t.match(await sql.get('select gen, floor_gen from accounts_sessions'), { gen: 1000, floor_gen: 1000 })
})

t.test('a logout with a token that a proof of who one is made void ends the session', async (t) => {
  const { signUp, post, get } = await build(t)
  const first = await signUp()
  const { access_token: access } = (await post('/auth/reauthenticate', { password }, first.access_token)).json()
  t.equal((await post('/auth/logout', { refresh_token: first.refresh_token })).statusCode, 204)
  t.match((await get('/guarded', access)).json(), { code: 'ACCOUNTS_TOKEN_REVOKED' })
})

t.test('once the new token was shown, the window of the old one is fixed', async (t) => {
  const tick = clock(t)
  for (const shown of ['guard', 'refresh']) {
    const { signUp, refresh, get, sql } = await buildOnFile(t)
    const { refresh_token: token } = await signUp()
    const second = (await refresh(token)).json()
    const start = Date.now()
    await (shown === 'guard' ? get('/guarded', second.access_token) : refresh(second.refresh_token))
    tick(29)
    t.equal(genOf((await refresh(token)).json()), 1)
    t.match(await sql.get('select answered_at from accounts_sessions'), { answered_at: start })
    tick(1)
    t.match((await refresh(token)).json(), { code: 'ACCOUNTS_REFRESH_REUSED' })
  }
})

t.test('until superseded, the window opens again with each answer, whoever has shown the new token', async (t) => {
  const tick = clock(t)
  const { signUp, refresh, sql } = await buildOnFile(t, { refresh: { replay: 'until-superseded' } })
  const { refresh_token: token } = await signUp()
  await refresh((await refresh(token)).json().refresh_token)
  tick(29)
  t.equal(genOf((await refresh(token)).json()), 1)
  t.match(await sql.get('select answered_at from accounts_sessions'), { answered_at: Date.now() })
})

/** Refreshes that stop when they have been judged, and move the session when they are told to go on. */
async function buildWithStops (t: Test) {
  const stops: { reach: () => void, goesOn: Promise<void> }[] = []
  const built = await buildOnFile(t, {
    async claims (_user, request) {
      const stop = stops[Number(request?.headers['x-stop'])]
      stop?.reach()
      await stop?.goesOn
      return {}
    },
  })

  async function judge (token: string) {
    const [reached, goes] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const headers = { 'x-stop': `${stops.push({ reach: reached.resolve, goesOn: goes.promise }) - 1}` }
    const answer = built.app
      .inject({ method: 'POST', url: '/auth/refresh', payload: { refresh_token: token }, headers })
      .then((told) => told.json())
    await reached.promise
    return async function goOn () {
      goes.resolve()
      return answer
    }
  }
  return { ...built, judge }
}

t.test('an answer that somebody is just being given is not taken for lost', async (t) => {
  const tick = clock(t)
  const { signUp, refresh, judge } = await buildWithStops(t)
  const { refresh_token: token } = await signUp()
  await refresh(token)
  tick(29.9)
  const inTime = await judge(token)
  tick(0.2)
  const late = await judge(token)
  const stored = await inTime()
  t.equal(genOf(await late()), genOf(stored))
  tick(900)
  t.equal((await refresh(stored.refresh_token)).statusCode, 200)
})

t.test('an answer that is shown just before it is taken for lost was not lost', async (t) => {
  const tick = clock(t)
  const { signUp, refresh, get, judge } = await buildWithStops(t)
  const { refresh_token: token } = await signUp()
  const second = (await refresh(token)).json()
  tick(61)
  const late = await judge(token)
  await get('/guarded', second.access_token)
  const own = await judge(second.refresh_token)
  t.match(await late(), { code: 'ACCOUNTS_REFRESH_REUSED' })
  t.match(await own(), { code: 'ACCOUNTS_TOKEN_REVOKED' })
})

t.test('nobody is given an answer that has just been taken for lost', async (t) => {
  const tick = clock(t)
  const { signUp, refresh, judge } = await buildWithStops(t)
  const { refresh_token: token } = await signUp()
  const lost = (await refresh(token)).json()
  tick(29.9)
  const inTime = await judge(token)
  tick(0.2)
  const stored = (await refresh(token)).json()
  t.not(genOf(stored), genOf(lost))
  t.equal(genOf(await inTime()), genOf(stored))
})

t.test('of two answers the one that was asked for last counts, whichever is written last', async (t) => {
  const tick = clock(t)
  const { signUp, refresh, judge, sql } = await buildWithStops(t)
  const { refresh_token: token } = await signUp()
  await refresh(token)
  tick(20)
  const early = await judge(token)
  tick(5)
  const last = Date.now()
  await refresh(token)
  await early()
  t.match(await sql.get('select answered_at from accounts_sessions'), { answered_at: last })
})

t.test('a token that is shown while another is given it once more keeps its window', async (t) => {
  const tick = clock(t)
  const { signUp, refresh, judge, sql } = await buildWithStops(t)
  const { refresh_token: token } = await signUp()
  const { refresh_token: successor } = (await refresh(token)).json()
  const start = Date.now()
  tick(20)
  const given = await judge(token)
  await refresh(successor)
  await refresh(successor)
  t.equal(genOf(await given()), 1)
  t.match(await sql.get('select confirmed_gen, answered_at from accounts_sessions'), {
    confirmed_gen: 1,
    answered_at: start,
  })
})

const ownPage = { 'sec-fetch-site': 'same-origin' }

/**
 * A browser with the refresh token of a login, and one of its requests whose answer is under way for as long as one
 * likes.
 */
async function buildBrowser (t: Test) {
  const page = browser((await build(t, { transport: 'cookie' })).app)
  await page.post('/auth/register', { username: 'ada', password })
  return {
    ...page,
    refresh: () => page.post('/auth/refresh'),
    slowly: () => page.ask('POST', '/auth/refresh', undefined, ownPage),
  }
}

t.test('in cookies, a slow answer does not put an older refresh token over a newer one', async (t) => {
  const tick = clock(t)
  const { refresh, slowly, valueOf } = await buildBrowser(t)
  await refresh()
  tick(29.9)
  const slow = await slowly()
  tick(0.2)
  await refresh()
  const newest = valueOf('refresh')
  slow.take()
  t.equal(valueOf('refresh'), newest)
  tick(900)
  t.equal((await refresh()).statusCode, 200)
})

t.test('in cookies, nobody moves on what another tab is still waiting for', async (t) => {
  const tick = clock(t)
  const { refresh, slowly, get } = await buildBrowser(t)
  const first = await slowly()
  tick(29.9)
  const slow = await slowly()
  first.take()
  tick(0.2)
  await refresh()
  t.equal((await get('/guarded')).statusCode, 200)
  slow.take()
  tick(900)
  t.equal((await refresh()).statusCode, 200)
})

const AsyncFunction = (async () => {}).constructor as new (
  ...parts: string[]
) => (...values: unknown[]) => Promise<() => Promise<void>>

t.test('tabs that refresh as the docs say, at once and again and again, stay logged in', async (t) => {
  const { app, signUp, refresh } = await build(t)
  const snippet = /```js\n(async function refresh[^`]+)```/.exec(
    readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'sessions.md'), 'utf8')
  )![1]
  const origin = await app.listen()
  let store = await signUp()
  const tab = await new AsyncFunction('load', 'save', 'fetch', `return ${snippet}`)(
    () => store,
    (tokens: TokenResponse) => {
      store = tokens
    },
    (path: string, init: RequestInit) => fetch(`${origin}${path}`, init)
  )
  for (let round = 0; round < 3; round++) await Promise.all(Array.from({ length: 5 }, tab))
  t.equal(genOf(store), 1)
  t.equal((await refresh(store.refresh_token)).statusCode, 200)
})

t.test('a clock that steps back does not take time from the window', async (t) => {
  const tick = clock(t)
  const { signUp, refresh, sql } = await buildOnFile(t)
  const { refresh_token: token } = await signUp()
  await refresh(token)
  tick(20)
  const successor = (await refresh(token)).json()
  const answeredAt = Date.now()
  mock.timers.setTime(answeredAt - 50_000)
  t.equal(genOf((await refresh(token)).json()), genOf(successor))
  t.match(await sql.get('select answered_at from accounts_sessions'), { answered_at: answeredAt })
})

t.test('a clock that steps back by hours keeps no window open for a token that was spent', async (t) => {
  clock(t)
  const { signUp, refresh, get } = await build(t)
  const first = await signUp()
  const second = (await refresh(first.refresh_token)).json()
  t.equal((await get('/strict', second.access_token)).statusCode, 200)
  mock.timers.setTime(Date.now() - 2 * 3_600_000)
  t.match((await refresh(first.refresh_token)).json(), { code: 'ACCOUNTS_REFRESH_REUSED' })
  t.match((await refresh(second.refresh_token)).json(), { code: 'ACCOUNTS_TOKEN_REVOKED' })
})

t.test('without a window a token works once, whatever the clock says', async (t) => {
  clock(t)
  const { signUp, refresh } = await build(t, strict)
  const second = (await refresh((await signUp()).refresh_token)).json().refresh_token
  mock.timers.setTime(Date.now() - 10_000)
  const third = (await refresh(second)).json().refresh_token
  t.not(third, second)
  t.match((await refresh(second)).json(), { code: 'ACCOUNTS_REFRESH_REUSED' })
})

t.test('a client that lost its answer goes on with its old token, and the lost one is void', async (t) => {
  const tick = clock(t)
  const { signUp, refresh, get } = await build(t)
  const first = await signUp()
  const lost = (await refresh(first.refresh_token)).json()
  tick(60)

  const second = await refresh(first.refresh_token)
  t.equal(second.statusCode, 200)
  t.equal((await get('/guarded', second.json().access_token)).statusCode, 200)
  t.match((await refresh(lost.refresh_token)).json(), { code: 'ACCOUNTS_REFRESH_REUSED' }, 'somebody had it after all')
  t.match((await refresh(second.json().refresh_token)).json(), { code: 'ACCOUNTS_TOKEN_REVOKED' })
})

const guardedUrls = ['/guarded', '/strict']

for (const url of guardedUrls) {
  t.test(
    `an answer that arrived is not lost: its access token was seen, so the old refresh token is a replay: ${url}`,
    async (t) => {
      const tick = clock(t)
      const { signUp, refresh, get } = await build(t)
      const first = await signUp()
      const second = (await refresh(first.refresh_token)).json()
      await get(url, second.access_token)
      tick(60)
      t.match((await refresh(first.refresh_token)).json(), { code: 'ACCOUNTS_REFRESH_REUSED' })
    }
  )
}

t.test('until superseded, the old token goes on though the new one was seen', async (t) => {
  const tick = clock(t)
  for (const seen of [...guardedUrls, 'refresh']) {
    const { signUp, refresh, get, sql } = await buildOnFile(t, { refresh: { replay: 'until-superseded' } })
    const first = await signUp()
    const second = (await refresh(first.refresh_token)).json()
    await (seen === 'refresh' ? refresh(second.refresh_token) : get(seen, second.access_token))
    tick(60)
    t.equal((await refresh(first.refresh_token)).statusCode, 200)
    t.match(await sql.all('select gen, prev_gen, confirmed_gen from accounts_sessions'), [
      { gen: 2, prev_gen: 0, confirmed_gen: 0 },
    ])
  }
})

t.test('an access token of a void generation ends the session at the next write of confirmations', async (t) => {
  const tick = clock(t)
  const { signUp, refresh, get, post, app, db } = await buildOnFile(t)
  const first = await signUp()
  const lost = (await refresh(first.refresh_token)).json()
  tick(60)
  const second = (await refresh(first.refresh_token)).json()

  t.equal((await get('/guarded', lost.access_token)).statusCode, 200)
  t.match(
    (await refresh(second.refresh_token)).json(),
    { code: 'ACCOUNTS_TOKEN_REVOKED' },
    'written before the refresh'
  )
  await post('/auth/logout', { refresh_token: second.refresh_token })
  await app.close()
  const { sql } = await buildOnFile(t, { db })
  t.match(await sql.all('select revoke_reason from accounts_sessions'), [{ revoke_reason: 'reuse' }])
})

t.test('what was confirmed is written within about a second, and at the close', async (t) => {
  const { signUp, refresh, get, sql, app } = await buildOnFile(t)
  const confirmed = () => sql.all('select confirmed_gen from accounts_sessions order by created_at')
  const second = (await refresh((await signUp()).refresh_token)).json()
  await get('/guarded', second.access_token)
  t.match(await confirmed(), [{ confirmed_gen: 0 }])
  await until(async () => (await confirmed())[0]!.confirmed_gen > 0)
  t.match(await confirmed(), [{ confirmed_gen: 1 }])

  const another = (await refresh((await signUp('bob')).refresh_token)).json()
  await get('/guarded', another.access_token)
  await app.close()
  t.match(await confirmed(), [{ confirmed_gen: 1 }, { confirmed_gen: 1 }])
})

t.test('the current refresh token shown in the window confirms itself', async (t) => {
  const { signUp, refresh, app, sql } = await buildOnFile(t)
  const { refresh_token: current } = (await refresh((await signUp()).refresh_token)).json()
  await refresh(current)
  await app.close()
  t.match(await sql.all('select gen, confirmed_gen from accounts_sessions'), [{ gen: 1, confirmed_gen: 1 }])
})

for (const url of guardedUrls) {
  t.test(`of a token that is shown again and again it is written once that it has arrived: ${url}`, async (t) => {
    const { app, signUp, refresh, get } = await build(t)
    const first = await signUp()
    await get(url, first.access_token)
    const second = (await refresh(first.refresh_token)).json()
    await get(url, second.access_token)
    await refresh(second.refresh_token)
    await get(url, second.access_token)
    await app.close()
    t.equal(app.accounts.counters.confirmationsWritten, 1)
  })
}

const lossy = ['gen', 'prev_gen', 'prev_branch', 'confirmed_gen', 'floor_gen', 'answered_at', 'refresh_expires_at']

/** Keeps the row of the only session, and puts it back as it was: what was committed in between is lost. */
async function keepRow (sql: Sql) {
  const row = (await sql.get(`select ${lossy.join()} from accounts_sessions`))!
  const before = Object.entries(row).map(([name, value]) => name.endsWith('_at') ? new Date(value) : value)
  return () => sql.run(`update accounts_sessions set ${lossy.map((name) => `${name} = ?`).join()}`, ...before)
}

t.test('commits that the database lost are adopted, one or several: the client has the proof', async (t) => {
  const tick = clock(t)
  for (const times of [1, 2, 3]) {
    const { signUp, refresh, sql } = await buildOnFile(t)
    let { refresh_token: token } = await signUp()
    const lose = await keepRow(sql)
    let parent = token
    for (let done = 0; done < times; done++) {
      parent = token
      token = (await refresh(token)).json().refresh_token
      tick(61)
    }
    await lose()

    t.equal((await refresh(token)).statusCode, 200)
    t.match(await sql.get('select gen, prev_gen, prev_branch, floor_gen from accounts_sessions'), {
      gen: times + 1,
      prev_gen: times,
      prev_branch: decode(token).payload.br,
      floor_gen: 0,
    })
    t.match((await refresh(parent)).json(), { code: 'ACCOUNTS_REFRESH_REUSED' })
  }
})

t.test('a token of a lost commit that is young stays, and the one before is answered with its sibling', async (t) => {
  const { signUp, refresh, sql } = await buildOnFile(t)
  const { refresh_token: token } = await signUp()
  const lose = await keepRow(sql)
  const successor = (await refresh(token)).json().refresh_token
  await lose()
  t.equal((await refresh(successor)).json().refresh_token, successor)
  t.match(await sql.get('select gen, prev_gen, prev_branch from accounts_sessions'), {
    gen: 1,
    prev_gen: 0,
    prev_branch: decode(token).payload.br,
  })
  t.equal(genOf((await refresh(token)).json()), 1)
})

t.test('a floor that the database lost is adopted as a floor, and known from the log before', async (t) => {
  const { signUp, refresh, post, get, sql } = await buildOnFile(t)
  const first = await signUp()
  const lose = await keepRow(sql)
  const proved = (await post('/auth/reauthenticate', { password }, first.access_token)).json()
  await lose()
  for (const url of ['/guarded', '/strict']) { t.match((await get(url, first.access_token)).json(), { code: 'ACCOUNTS_TOKEN_SUPERSEDED' }) }
  t.match((await refresh(first.refresh_token)).json(), { code: 'ACCOUNTS_TOKEN_SUPERSEDED' })
  t.equal((await refresh(proved.refresh_token)).statusCode, 200)
  t.match(await sql.get('select gen, prev_gen, prev_branch, floor_gen from accounts_sessions'), {
    gen: 1000,
    prev_gen: null,
    prev_branch: null,
    floor_gen: 1000,
  })
})

t.test(
  'rotations after a floor that the database lost with them void what the floor had made void, and nothing ends',
  async (t) => {
    const { db, signUp, refresh, post, sql } = await buildOnFile(t, { refresh: { window: 0 } })
    const first = await signUp()
    const lose = await keepRow(sql)
    const proved = (await post('/auth/reauthenticate', { password }, first.access_token)).json()
    const { refresh_token: spent } = (await refresh(proved.refresh_token)).json()
    const { refresh_token: token } = (await refresh(spent)).json()
    await lose()
    await sql.exec('delete from accounts_revoked_tokens')

    const anew = await buildOnFile(t, { db, refresh: { window: 0 } })
    const next = await anew.refresh(token)
    t.equal(genOf(next.json()), 1003)
    t.match((await anew.refresh(first.refresh_token)).json(), { code: 'ACCOUNTS_TOKEN_SUPERSEDED' })
    t.equal((await anew.refresh(next.json().refresh_token)).statusCode, 200)
    t.match((await anew.refresh(spent)).json(), { code: 'ACCOUNTS_REFRESH_REUSED' })
  }
)

t.test('an epoch that is remembered, and that the database has lost, refuses nobody', async (t) => {
  const { app, signUp, refresh, get, sql } = await buildOnFile(t, {
    revocation: { pollInterval: '1m', maxStaleness: '2m' },
  })
  const { access_token: access } = await signUp()
  const lose = await keepRow(sql)
  const changed = (
    await app.inject({ method: 'PUT', url: '/auth/password', headers: bearer(access), payload: givings[0][2] })
  ).json()
  t.equal((await get('/guarded', changed.access_token)).statusCode, 200)
  await lose()
  await sql.exec(
    'update accounts_users set epoch = 0; update accounts_sessions set ver = 0; delete from accounts_revoked_tokens'
  )

  const { access_token: adopted } = (await refresh(changed.refresh_token)).json()
  t.equal(decode(adopted).payload.ver, 0)
  t.equal((await get('/guarded', adopted)).statusCode, 200)
  t.match((await get('/guarded', access)).json(), { code: 'ACCOUNTS_TOKEN_SUPERSEDED' })
})

t.test('a session that this process has ended stays over, though the database has lost its end', async (t) => {
  const { signUp, refresh, post, get, sql } = await buildOnFile(t)
  const { access_token: access, refresh_token: token } = await signUp()
  await post('/auth/logout', { refresh_token: token })
  await sql.exec('update accounts_sessions set revoked_at = null, revoke_reason = null')
  for (const url of ['/guarded', '/strict']) { t.match((await get(url, access)).json(), { code: 'ACCOUNTS_TOKEN_REVOKED' }) }
  t.match((await refresh(token)).json(), { code: 'ACCOUNTS_TOKEN_REVOKED' })
})

t.test('who ends all sessions ends the tokens too that a lost commit gave a higher epoch', async (t) => {
  const { app, signUp, signIn, get, sql } = await buildOnFile(t)
  const { access_token: access } = await signUp()
  const ask = (method: 'PUT' | 'DELETE', url: string, token: string, payload?: object) =>
    app.inject({ method, url, headers: bearer(token), ...(payload && { payload }) })
  const [{ password_hash: hash }] = await sql.all('select password_hash from accounts_users') as [any]
  const thief = (await ask('PUT', '/auth/password', access, givings[0][2])).json().access_token
  await sql.run('update accounts_users set epoch = 0, password_hash = ?', hash)
  await sql.exec('update accounts_sessions set ver = 0')
  t.equal((await ask('DELETE', '/auth/sessions', (await signIn()).access_token)).statusCode, 204)
  for (const url of ['/guarded', '/strict']) { t.match((await get(url, thief)).json(), { statusCode: 401, code: 'ACCOUNTS_TOKEN_REVOKED' }, url) }
})

t.test('no refresh extends the absolute limit of a login, and nothing outlives it', async (t) => {
  const tick = clock(t)
  const { signUp, refresh, get, sql } = await buildOnFile(t, { refresh: { expiresIn: '1h', maxAge: '2h' } })
  let tokens = await signUp()
  const limit = Date.now() / 1000 + 7200
  for (let minutes = 0; minutes < 115; minutes += 5) {
    tick(300)
    tokens = (await refresh(tokens.refresh_token)).json()
    t.ok(decode(tokens.refresh_token).payload.exp <= limit)
    t.ok(decode(tokens.access_token).payload.exp <= limit)
  }

  t.match(await sql.get('select refresh_expires_at, absolute_expires_at from accounts_sessions'), {
    refresh_expires_at: limit * 1000,
    absolute_expires_at: limit * 1000,
  })
  t.match(tokens, { expires_in: 300, refresh_expires_in: 300 })
  tick(300)
  t.match((await refresh(tokens.refresh_token)).json(), { code: 'ACCOUNTS_TOKEN_EXPIRED' })
  t.match((await get('/guarded', tokens.access_token)).json(), { code: 'ACCOUNTS_TOKEN_EXPIRED' })
})

t.test(...notEverywhere('a refresh that loses every race gives up, and says that it was not the client'), async (t) => {
  const { app, signUp, refresh, sql } = await buildOnFile(t, {}, { logger: { level: 'silent' } })
  const { refresh_token: token } = await signUp()
  await addTrigger(sql, 'before update', 'accounts_sessions', 'lose')
  t.match((await refresh(token)).json(), { statusCode: 503, code: 'ACCOUNTS_UNAVAILABLE' })
  t.equal(app.accounts.counters.refreshesOvertaken, 8)
  await dropTrigger(sql, 'accounts_sessions')
  t.equal((await refresh(token)).statusCode, 200)
})

t.test('a session that lies idle for too long is over', async (t) => {
  const tick = clock(t)
  const { signUp, refresh } = await build(t, { refresh: { expiresIn: '1d' } })
  const { refresh_token: token } = await signUp()
  tick(86399)
  const next = (await refresh(token)).json().refresh_token
  tick(86400)
  t.match((await refresh(next)).json(), { code: 'ACCOUNTS_TOKEN_EXPIRED' })
})

t.test('a refresh keeps the time of the login, and tells a new time of issue', async (t) => {
  const tick = clock(t)
  const { signUp, refresh } = await build(t)
  const first = await signUp()
  tick(100)
  const second = (await refresh(first.refresh_token)).json()
  t.equal(decode(second.access_token).payload.auth_time, decode(first.access_token).payload.auth_time)
  t.equal(decode(second.access_token).payload.iat, decode(first.access_token).payload.iat + 100)
})

t.test('a token of a generation that never was, or with a jti that never was, is not valid', async (t) => {
  const { signUp, refresh, post } = await build(t)
  const { header, payload } = decode((await signUp()).refresh_token)

  for (const change of [
    { gen: 2 },
    { jti: 'x'.repeat(43) },
    { gen: 1 },
    { br: 'x'.repeat(16) },
    { sid: '00000000-0000-7000-8000-000000000000' },
  ]) {
    const forged = mint(header, { ...payload, ...change }, refreshKey)
    const code = 'sid' in change ? 'ACCOUNTS_TOKEN_REVOKED' : 'ACCOUNTS_TOKEN_INVALID'
    t.match((await refresh(forged)).json(), { statusCode: 401, code })
    t.match((await post('/with-refresh', { refresh_token: forged })).json(), { statusCode: 401, code })
  }
})

t.test('a disabled user and a user logged out everywhere are refused at once, with every kind of token', async (t) => {
  for (const change of ['disabled_at = created_at', 'epoch = epoch + 1']) {
    const { signUp, refresh, get, post, sql } = await buildOnFile(t)
    const { access_token: access, refresh_token: token } = await signUp()
    await sql.exec(`update accounts_users set ${change}`)

    for (const answer of [
      await get('/guarded', access),
      await get('/auth/me', access),
      await refresh(token),
      await post('/with-refresh', { refresh_token: token }),
    ]) {
      t.match(answer.json(), { statusCode: 401, code: 'ACCOUNTS_TOKEN_REVOKED' })
    }
  }
})

t.test('a login with another session at hand starts a session of its own', async (t) => {
  const { app, signUp, get } = await build(t)
  const first = await signUp()
  const payload = { username: 'ada', password: 'correct horse battery staple' }
  const second = (
    await app.inject({
      method: 'POST',
      url: '/auth/login',
      payload,
      headers: { ...bearer(first.access_token), cookie: `access=${first.access_token}` },
    })
  ).json()
  t.not(decode(second.access_token).payload.sid, decode(first.access_token).payload.sid)
  t.equal((await get('/guarded', first.access_token)).statusCode, 200)
})

t.test('a refresh cannot be given another user, role or audience', async (t) => {
  const { signUp, post } = await build(t)
  const { refresh_token: token } = await signUp()
  for (const field of ['sub', 'roles', 'scope', 'aud', 'user', 'userId']) {
    t.match((await post('/auth/refresh', { refresh_token: token, [field]: 'admin' })).json(), {
      statusCode: 400,
      code: 'ACCOUNTS_INPUT_INVALID',
      message: `body/${field} is not a known field`,
    })
  }
})

t.test('refresh and logout at once leave the session over', async (t) => {
  const { signUp, refresh, post } = await build(t)
  for (let round = 0; round < 20; round++) {
    const { refresh_token: token } = await (round === 0 ? signUp() : signUp(`ada${round}`))
    const answers = await Promise.all([refresh(token), post('/auth/logout', { refresh_token: token }), refresh(token)])
    t.equal(answers[1]!.statusCode, 204)
    for (const answer of answers.filter(({ statusCode }) => statusCode === 200)) {
      t.match((await refresh(answer.json().refresh_token)).json(), { code: 'ACCOUNTS_TOKEN_REVOKED' })
    }
  }
})

t.test('fifty users at once see themselves, each of them', async (t) => {
  const { signUp, get } = await build(t)
  const users = await Promise.all(many.map((_, index) => signUp(`user${index}`)))
  const seen = await Promise.all(
    [...users, ...users, ...users, ...users].map(({ access_token: token }) => get('/auth/me', token))
  )
  t.same(
    seen.map((answer) => answer.json().username),
    [0, 1, 2, 3].flatMap(() => many.map((_, index) => `user${index}`))
  )
})
