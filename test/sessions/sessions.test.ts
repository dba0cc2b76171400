import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { mock } from 'node:test'
import t, { type Test } from 'tap'
import { openDatabase } from '../../lib/database.ts'
import type { TokenResponse } from '../../lib/index.ts'
import { refreshId } from '../../lib/tokens/refresh-token.ts'
import { browser } from '../browser.ts'
import { bearer, build, buildOnFile, decode, mint, password, refreshKey } from '../build.ts'
import { addTrigger, dropTrigger, notEverywhere, type Sql } from '../databases.ts'
import { until } from '../waiting.ts'

const strict = { refresh: { window: 0 } }
const many = Array.from({ length: 50 })

/** Lets the clock stand, until the test moves it on. */
function clock (t: { teardown: (end: () => void) => void }, start = '2026-01-01T00:00:00Z') {
  mock.timers.enable({ apis: ['Date'], now: new Date(start) })
  t.teardown(() => mock.timers.reset())
  return (seconds: number) => mock.timers.tick(seconds * 1000)
}

const genOf = ({ refresh_token: token }: { refresh_token: string }): number => decode(token).payload.gen

async function jtiOf (sql: Sql, gen: number): Promise<string> {
  return refreshId((await sql.get('select salt from accounts_sessions'))!.salt, gen)
}

t.test('fifty refreshes at once with one token are answered with one new token', async (t) => {
  const { signUp, refresh, sql } = await buildOnFile(t)
  const { refresh_token: token } = await signUp()

  const answers = await Promise.all(many.map(() => refresh(token)))
  t.same(new Set(answers.map(({ statusCode }) => statusCode)), new Set([200]))
  t.equal(new Set(answers.map((answer) => answer.json().refresh_token)).size, 1)
  t.equal(new Set(answers.map((answer) => answer.json().access_token)).size, 50)
  t.match(await sql.all('select gen, prev_gen, confirmed_gen from accounts_sessions'), [{ gen: 1, prev_gen: 0, confirmed_gen: 0 }])
})

t.test('fifty refreshes at once over two apps on one file are answered with one new token', async (t) => {
  const { signUp, refresh, sql, db } = await buildOnFile(t)
  const another = await build(t, { db })
  const { refresh_token: token } = await signUp()

  const answers = await Promise.all(many.map((_, index) => (index % 2 ? refresh : another.refresh)(token)))
  t.same(new Set(answers.map(({ statusCode }) => statusCode)), new Set([200]))
  t.equal(new Set(answers.map((answer) => answer.json().refresh_token)).size, 1)
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
  const { signUp, refresh } = await build(t, strict, { logger: { level: 'warn', stream: { write: (line: string) => { lines.push(line) } } } })
  const { refresh_token: token } = await signUp()
  await refresh(token)
  await refresh(token)
  const warning = { sessionId: decode(token).payload.sid, msg: 'A spent refresh token was used again: its session is over' }
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
  for (const { refresh_token: token } of [first, second, third]) t.match((await refresh(token)).json(), { code: 'ACCOUNTS_TOKEN_REVOKED' })
  for (const { access_token: token } of [first, second, third]) t.match((await get('/guarded', token)).json(), { code: 'ACCOUNTS_TOKEN_REVOKED' })
  t.equal((await get('/guarded', other.access_token)).statusCode, 200)
  t.match(await sql.all('select revoke_reason from accounts_sessions where revoked_at is not null'), [{ revoke_reason: 'reuse' }])
})

t.test('within the window, a spent token is answered with the same successor, and the session does not fork', async (t) => {
  const tick = clock(t)
  const { signUp, refresh } = await build(t)
  const { refresh_token: token } = await signUp()
  const successor = (await refresh(token)).json().refresh_token
  tick(29)
  t.equal((await refresh(token)).json().refresh_token, successor)
  t.equal((await refresh(successor)).json().refresh_token, successor, 'the successor too')
  tick(30)
  t.not((await refresh(successor)).json().refresh_token, successor)
})

const modes = ['until-confirmed', 'until-superseded'] as const

t.test('two tabs that ask again, one before and one after the end of the window, are given the same token', async (t) => {
  const tick = clock(t)
  for (const replay of modes) {
    const { signUp, refresh, get } = await build(t, { refresh: { replay } })
    const { refresh_token: token } = await signUp()
    await refresh(token)
    tick(29.9)
    const stored = (await refresh(token)).json()
    tick(0.2)
    const lost = (await refresh(token)).json()
    t.equal(lost.refresh_token, stored.refresh_token)
    t.equal((await get('/guarded', stored.access_token)).statusCode, 200)
    tick(900)
    t.equal((await refresh(stored.refresh_token)).statusCode, 200)
  }
})

t.test('a session that is older than the column goes on, its window counted from its last refresh', async (t) => {
  const { app, signUp, refresh, sql, db } = await buildOnFile(t)
  const { refresh_token: token } = await signUp()
  const successor = (await refresh(token)).json().refresh_token
  await app.close()
  const { orm, close } = await openDatabase({ db, name: 'accounts' })
  await orm.migrator.down({ to: '0002-revoked-by-subject' })
  await t.rejects(sql.all('select answered_at from accounts_sessions'))
  await close()

  const updated = await build(t, { db })
  t.equal((await sql.all('select id from accounts_sessions where answered_at = rotated_at')).length, 1)
  t.equal((await updated.refresh(token)).json().refresh_token, successor)
})

const givings = [
  ['PUT', '/auth/password', { current_password: password, new_password: `${password}!` }],
  ['POST', '/auth/reauthenticate', { password }],
] as const

t.test('who changes or gives the password while an answer is lost is given a token that lasts as long', async (t) => {
  const tick = clock(t)
  for (const [method, url, body] of givings) {
    const { app, signUp, refresh } = await build(t)
    const first = await signUp()
    await refresh(first.refresh_token)
    tick(29.9)
    const stored = (await app.inject({ method, url, payload: body, headers: bearer(first.access_token) })).json()
    tick(0.2)
    t.equal(genOf((await refresh(first.refresh_token)).json()), genOf(stored))
    tick(900)
    t.equal((await refresh(stored.refresh_token)).statusCode, 200)
  }
})

t.test('who changes or gives the password with the token that was shown does not open its window again', async (t) => {
  const tick = clock(t)
  for (const [method, url, body] of givings) {
    const { app, signUp, refresh } = await build(t)
    const first = await signUp()
    const second = (await refresh(first.refresh_token)).json()
    await refresh(second.refresh_token)
    await refresh(second.refresh_token)
    tick(29)
    t.equal((await app.inject({ method, url, payload: body, headers: bearer(second.access_token) })).statusCode, 200)
    tick(1)
    t.match((await refresh(first.refresh_token)).json(), { code: 'ACCOUNTS_REFRESH_REUSED' })
  }
})

t.test('a token that somebody was just given is not moved on by another who has it', async (t) => {
  const tick = clock(t)
  const { signUp, refresh } = await build(t)
  const { refresh_token: token } = await signUp()
  const first = (await refresh(token)).json().refresh_token
  tick(29)
  const late = (await refresh(token)).json().refresh_token
  tick(29)
  t.equal((await refresh(first)).json().refresh_token, late)
  tick(1)
  t.not((await refresh(first)).json().refresh_token, late)
})

t.test('once the new token was shown, the window of the old one is fixed', async (t) => {
  const tick = clock(t)
  for (const replay of modes) {
    const { signUp, refresh, get, sql } = await buildOnFile(t, { refresh: { replay } })
    const { refresh_token: token } = await signUp()
    const second = (await refresh(token)).json()
    const start = Date.now()
    await (replay === 'until-confirmed' ? get('/guarded', second.access_token) : refresh(second.refresh_token))
    tick(29)
    t.equal((await refresh(token)).json().refresh_token, second.refresh_token)
    t.match(await sql.get('select answered_at from accounts_sessions'), { answered_at: start })
    tick(1)
    t.not((await refresh(second.refresh_token)).json().refresh_token, second.refresh_token)
    t.match((await refresh(token)).json(), { code: 'ACCOUNTS_REFRESH_REUSED' })
  }
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
    const answer = built.app.inject({ method: 'POST', url: '/auth/refresh', payload: { refresh_token: token }, headers }).then((told) => told.json())
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
  const { refresh_token: stored } = await inTime()
  t.equal((await late()).refresh_token, stored)
  tick(900)
  t.equal((await refresh(stored)).statusCode, 200)
})

t.test('an answer that is shown just before it is taken for lost was not lost', async (t) => {
  const tick = clock(t)
  const { signUp, refresh, get, judge } = await buildWithStops(t)
  const { refresh_token: token } = await signUp()
  const second = (await refresh(token)).json()
  tick(30)
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
  const { refresh_token: lost } = (await refresh(token)).json()
  tick(29.9)
  const inTime = await judge(token)
  tick(0.2)
  const { refresh_token: stored } = (await refresh(token)).json()
  t.not(stored, lost)
  t.equal((await inTime()).refresh_token, stored)
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
  t.equal((await given()).refresh_token, successor)
  t.match(await sql.get('select confirmed_gen, answered_at from accounts_sessions'), { confirmed_gen: 1, answered_at: start })
})

const ownPage = { 'sec-fetch-site': 'same-origin' }

/** A browser with the refresh token of a login, and one of its requests whose answer is under way for as long as one likes. */
async function buildBrowser (t: Test) {
  const page = browser((await build(t, { transport: 'cookie' })).app)
  await page.post('/auth/register', { username: 'ada', password })
  return { ...page, refresh: () => page.post('/auth/refresh'), slowly: () => page.ask('POST', '/auth/refresh', undefined, ownPage) }
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

const AsyncFunction = (async () => {}).constructor as new (...parts: string[]) => (...values: unknown[]) => Promise<() => Promise<void>>

t.test('tabs that refresh as the docs say, at once and again and again, stay logged in', async (t) => {
  const { app, signUp, refresh } = await build(t)
  const snippet = /```js\n(async function refresh[^`]+)```/.exec(readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'sessions.md'), 'utf8'))![1]
  const origin = await app.listen()
  let store = await signUp()
  const tab = await new AsyncFunction('load', 'save', 'fetch', `return ${snippet}`)(
    () => store, (tokens: TokenResponse) => { store = tokens }, (path: string, init: RequestInit) => fetch(`${origin}${path}`, init)
  )
  for (let round = 0; round < 3; round++) await Promise.all(Array.from({ length: 5 }, tab))
  t.equal(genOf(store), 1)
  t.equal((await refresh(store.refresh_token)).statusCode, 200)
})

t.test('a clock that steps back does not take time from the window', async (t) => {
  const tick = clock(t)
  const { signUp, refresh, post, sql } = await buildOnFile(t)
  const { refresh_token: token, access_token: access } = await signUp()
  await refresh(token)
  tick(20)
  const successor = (await refresh(token)).json().refresh_token
  const answeredAt = Date.now()
  mock.timers.setTime(answeredAt - 50_000)
  t.equal((await refresh(token)).json().refresh_token, successor)
  t.equal((await post('/auth/reauthenticate', { password }, access)).json().refresh_token, successor)
  t.match(await sql.get('select answered_at from accounts_sessions'), { answered_at: answeredAt })
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
  t.test(`an answer that arrived is not lost: its access token was seen, so the old refresh token is a replay: ${url}`, async (t) => {
    const tick = clock(t)
    const { signUp, refresh, get } = await build(t)
    const first = await signUp()
    const second = (await refresh(first.refresh_token)).json()
    await get(url, second.access_token)
    tick(60)
    t.match((await refresh(first.refresh_token)).json(), { code: 'ACCOUNTS_REFRESH_REUSED' })
  })
}

t.test('until superseded, the old token goes on though the new one was seen', async (t) => {
  const tick = clock(t)
  for (const [seen, confirmed] of [...guardedUrls.map((url) => [url, 0] as const), ['refresh', 1]] as const) {
    const { signUp, refresh, get, sql } = await buildOnFile(t, { refresh: { replay: 'until-superseded' } })
    const first = await signUp()
    const second = (await refresh(first.refresh_token)).json()
    await (seen === 'refresh' ? refresh(second.refresh_token) : get(seen, second.access_token))
    tick(60)
    t.equal((await refresh(first.refresh_token)).statusCode, 200)
    t.match(await sql.all('select gen, prev_gen, confirmed_gen from accounts_sessions'), [{ gen: 2, prev_gen: 0, confirmed_gen: confirmed }])
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
  t.match((await refresh(second.refresh_token)).json(), { code: 'ACCOUNTS_TOKEN_REVOKED' }, 'written before the refresh')
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

t.test('a commit that the database lost is adopted: the client has the proof', async (t) => {
  const { signUp, refresh, sql } = await buildOnFile(t)
  const { refresh_token: token } = await signUp()
  const row = (await sql.get('select gen, prev_gen, confirmed_gen, rotated_at, refresh_expires_at from accounts_sessions'))!
  const before = Object.entries(row).map(([name, value]) => name.endsWith('_at') ? new Date(value) : value)
  const successor = (await refresh(token)).json().refresh_token
  await sql.run('update accounts_sessions set gen = ?, prev_gen = ?, confirmed_gen = ?, rotated_at = ?, refresh_expires_at = ?', ...before)

  t.equal((await refresh(successor)).json().refresh_token, successor)
  t.match(await sql.all('select gen, prev_gen from accounts_sessions'), [{ gen: 1, prev_gen: 0 }])
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

  t.match(await sql.get('select refresh_expires_at, absolute_expires_at from accounts_sessions'), { refresh_expires_at: limit * 1000, absolute_expires_at: limit * 1000 })
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

  for (const change of [{ gen: 2 }, { jti: 'x'.repeat(43) }, { gen: 1 }, { sid: '00000000-0000-7000-8000-000000000000' }]) {
    const forged = mint(header, { ...payload, ...change }, refreshKey)
    const code = 'sid' in change ? 'ACCOUNTS_TOKEN_REVOKED' : 'ACCOUNTS_TOKEN_INVALID'
    t.match((await refresh(forged)).json(), { statusCode: 401, code })
    t.match((await post('/with-refresh', { refresh_token: forged })).json(), { statusCode: 401, code })
  }
})

t.test('a generation further ahead is not valid, though its jti is right', async (t) => {
  const { signUp, refresh, sql } = await buildOnFile(t)
  let { refresh_token: token } = await signUp()
  await sql.exec('update accounts_sessions set gen = 2, prev_gen = 1')
  token = (await refresh(mint(decode(token).header, { ...decode(token).payload, gen: 2, jti: await jtiOf(sql, 2) }, refreshKey))).json().refresh_token
  await sql.exec('update accounts_sessions set gen = 0, prev_gen = null')
  t.match((await refresh(token)).json(), { code: 'ACCOUNTS_TOKEN_INVALID' })
})

t.test('a disabled user and a user logged out everywhere are refused at once, with every kind of token', async (t) => {
  for (const change of ['disabled_at = created_at', 'epoch = epoch + 1']) {
    const { signUp, refresh, get, post, sql } = await buildOnFile(t)
    const { access_token: access, refresh_token: token } = await signUp()
    await sql.exec(`update accounts_users set ${change}`)

    for (const answer of [await get('/guarded', access), await get('/auth/me', access), await refresh(token), await post('/with-refresh', { refresh_token: token })]) {
      t.match(answer.json(), { statusCode: 401, code: 'ACCOUNTS_TOKEN_REVOKED' })
    }
  }
})

t.test('a login with another session at hand starts a session of its own', async (t) => {
  const { app, signUp, get } = await build(t)
  const first = await signUp()
  const payload = { username: 'ada', password: 'correct horse battery staple' }
  const second = (await app.inject({ method: 'POST', url: '/auth/login', payload, headers: { ...bearer(first.access_token), cookie: `access=${first.access_token}` } })).json()
  t.not(decode(second.access_token).payload.sid, decode(first.access_token).payload.sid)
  t.equal((await get('/guarded', first.access_token)).statusCode, 200)
})

t.test('a refresh cannot be given another user, role or audience', async (t) => {
  const { signUp, post } = await build(t)
  const { refresh_token: token } = await signUp()
  for (const field of ['sub', 'roles', 'scope', 'aud', 'user', 'userId']) {
    t.match((await post('/auth/refresh', { refresh_token: token, [field]: 'admin' })).json(), { statusCode: 400, code: 'ACCOUNTS_INPUT_INVALID', message: `body/${field} is not a known field` })
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
  const seen = await Promise.all([...users, ...users, ...users, ...users].map(({ access_token: token }) => get('/auth/me', token)))
  t.same(seen.map((answer) => answer.json().username), [0, 1, 2, 3].flatMap(() => many.map((_, index) => `user${index}`)))
})
