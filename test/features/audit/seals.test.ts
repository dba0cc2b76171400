// On each database.
import diagnostics from 'node:diagnostics_channel'
import type { FastifyServerOptions } from 'fastify'
import t, { type Test } from 'tap'
import { v7 as uuid } from 'uuid'
import accounts, { type AccountsOptions } from '../../../lib/index.ts'
import { createChain } from '../../../lib/events/chain.ts'
import { derive } from '../../../lib/secrets/derive.ts'
import { sealEvents, signIn } from '../../../lib/testing.ts'
import { buildOnFile, cheap, password, secret } from '../../support/build.ts'
import type { Row } from '../../support/databases.ts'
import { Fastify } from '../../support/fastify.ts'
import { until } from '../../support/waiting.ts'

/** An app whose events are sealed when a test says so, with three seals of two events each. */
async function sealed (t: Test, options: AccountsOptions = {}, server: FastifyServerOptions = {}) {
  const built = await buildOnFile(t, {
    events: { store: true, seal: '1h' }, routes: { events: true }, ...options,
  }, server)
  const { app, get, sql } = built
  const { tokens } = await signIn(app, { username: 'root', roles: ['admin'] }, { transport: 'body' })
  for (const number of [1, 2, 3]) {
    if (number > 1) await signIn(app, `other${number}`)
    await signIn(app, `user${number}`)
    await sealEvents(app)
  }
  return {
    ...built,
    verify: async (query = '') => (await get(`/auth/events/verify${query}`, tokens.access_token)).json(),
    all: () => sql.all('select * from accounts_events where seal is not null order by seal, id'),
    seals: () => sql.all('select * from accounts_seals order by seq'),
  }
}

t.test('events are sealed, which is told and logged, and the chain is whole', async (t) => {
  const told: unknown[] = []
  const note = (event: unknown) => { told.push(event) }
  diagnostics.subscribe('fastify-jwt-accounts:seal', note)
  t.teardown(() => diagnostics.unsubscribe('fastify-jwt-accounts:seal', note))
  const { app, all, seals, verify } = await sealed(t)
  const rows = await seals()
  t.match(rows, [{ seq: 1, entries: 2 }, { seq: 2, entries: 2 }, { seq: 3, entries: 2 }])
  t.same(told, rows.map(({ seq, entries, hash }) => ({ instance: 'accounts', seq, entries, hash })))
  t.same((await all()).map(({ seal }) => seal), [1, 1, 2, 2, 3, 3])
  const whole = { whole: true, entries: 6, seals: 3, broken_at: null, problem: null, head: rows[2]!.hash, next: null }
  t.same(await verify(), whole)
  t.same(await verify('?after=2'), { ...whole, entries: 2, seals: 1 })
  t.same(await verify('?after=9'), { ...whole, entries: 0, seals: 0, head: null })
  t.match(await verify('?after=x'), { code: 'ACCOUNTS_INPUT_INVALID' })

  const { events } = app.accounts
  t.match(await events.verify(), { whole: true, brokenAt: null, head: rows[2]!.hash })
  t.match(await events.verify({ expect: rows[0]!.hash }), { whole: true })
  t.match(await events.verify({ expect: 'x'.repeat(43) }), { whole: false, problem: 'expected', brokenAt: null })
  await t.rejects(events.verify({ after: -1 }), { code: 'ACCOUNTS_INPUT_INVALID' })
  await signIn(app, 'ada')
  await sealEvents(app)
  await sealEvents(app)
  t.equal((await seals()).length, 4, 'what there is nothing of is not sealed')
})

type Change = (built: Awaited<ReturnType<typeof sealed>>, event: Row) => Promise<unknown>

const other = '01a00000-0000-7000-8000-000000000000'
const set = (column: string, value: unknown): Change =>
  ({ sql }, { id }) => sql.run(`update accounts_events set ${column} = ? where id = ?`, value, id)
const asJson = (value: object) => JSON.stringify(value)

/** What somebody may do who can write to the database, to an event of the second seal, and what is found. */
const changes: Record<string, [change: Change, problem: string, brokenAt?: number]> = {
  'another type': [set('type', 'logout'), 'changed'],
  'another user': [set('user_id', other), 'changed'],
  'another actor': [set('actor_id', other), 'changed'],
  'another session': [set('session_id', other), 'changed'],
  'another reason': [set('reason', 'limit'), 'changed'],
  'another request': [set('request_id', 'req-9'), 'changed'],
  'other data': [set('data', asJson({ left: 3 })), 'changed'],
  'another time': [set('created_at', new Date(1e12)), 'changed'],
  'another id': [set('id', other), 'changed'],
  'another address': [set('ip', '192.0.2.9'), 'personal'],
  'another browser': [set('user_agent', 'none'), 'personal'],
  'an address in data': [set('data', asJson({ ip: '192.0.2.9' })), 'changed'],
  'no MAC of what can be erased': [set('personal', null), 'changed'],
  'as if it were erased': [set('erased', 'x'.repeat(43)), 'personal'],
  'an event less': [({ sql }, { id }) => sql.run('delete from accounts_events where id = ?', id), 'entries'],
  'all events of a seal less': [({ sql }) => sql.run('delete from accounts_events where seal = 2'), 'entries'],
  'an event more': [({ sql }, event) => sql.run(
    'insert into accounts_events (id, type, seal, created_at) values (?, ?, ?, ?)', other, 'login', event.seal, new Date()
  ), 'entries'],
  'an event in another seal': [set('seal', 3), 'entries'],
  'an event in no seal': [set('seal', null), 'entries'],
  'an event in a seal that is not there': [set('seal', 9), 'entries'],
  'an event more, in a seal that is not there': [({ sql }) => sql.run(
    'insert into accounts_events (id, type, seal, created_at) values (?, ?, 9, ?)', other, 'login', new Date()
  ), 'missing', 4],
  'two events in each other’s place': [async ({ sql, all }, event) => {
    const next = (await all())[3]!
    const put = (from: string, to: string) => sql.run('update accounts_events set id = ? where id = ?', to, from)
    await put(event.id, other)
    await put(next.id, event.id)
    await put(other, next.id)
  }, 'changed'],
  'a seal less': [({ sql }) => sql.run('delete from accounts_seals where seq = 2'), 'missing'],
  'a seal less, with its events': [async ({ sql }) => {
    await sql.run('delete from accounts_seals where seq = 2')
    await sql.run('delete from accounts_events where seal = 2')
  }, 'missing'],
  'the first seal less, with its events': [async ({ sql }) => {
    await sql.run('delete from accounts_seals where seq = 1')
    await sql.run('delete from accounts_events where seal = 1')
  }, 'missing', 1],
  'the last seal less': [({ sql }) => sql.run('delete from accounts_seals where seq = 3'), 'missing', 3],
  'all seals less': [({ sql }) => sql.run('delete from accounts_seals'), 'missing', 1],
  'another hash': [({ sql }) => sql.run("update accounts_seals set hash = 'x' where seq = 2"), 'changed'],
  'another key': [({ sql }) => sql.run("update accounts_seals set kid = 'x' where seq = 2"), 'key'],
  'another time of a seal': [
    ({ sql }) => sql.run('update accounts_seals set created_at = ? where seq = 2', new Date(1e12)), 'changed',
  ],
  'as if it were pruned': [async ({ sql }) => {
    await sql.run('delete from accounts_seals where seq < 2')
    await sql.run('delete from accounts_events where seal <= 2')
    await sql.run('update accounts_seals set pruned = hash where seq = 2')
  }, 'pruned'],
}

t.test('whatever is done to what is sealed is found', async (t) => {
  const built = await sealed(t)
  const { sql, app, verify, all, seals } = built
  const before = [await all(), await seals()] as const
  for (const [name, [change, problem, brokenAt = 2]] of Object.entries(changes)) {
    await change(built, before[0][2]!)
    t.match(await verify(), { whole: false, problem, broken_at: brokenAt, next: null }, name)
    t.match(await app.accounts.events.verify(), { whole: false, problem, brokenAt }, name)
    await restore(sql, before)
    t.match(await verify(), { whole: true, entries: 6 }, `${name}, undone`)
  }
})

/** Puts the sealed events and the seals back as they were. */
async function restore (sql: Awaited<ReturnType<typeof sealed>>['sql'], [events, seals]: readonly [Row[], Row[]]) {
  await sql.run('delete from accounts_events where seal is not null or id in (?, ?)', other, events[2]!.id)
  await sql.run('delete from accounts_seals')
  for (const [table, rows] of [['events', events], ['seals', seals]] as const) {
    for (const row of rows) {
      const columns = Object.keys(row)
      const values = columns.map((column) => column === 'created_at' ? new Date(row[column]) : row[column])
      await sql.run(
        `insert into accounts_${table} (${columns.join(', ')}) values (${columns.map(() => '?').join(', ')})`, ...values
      )
    }
  }
}

t.test('what tells of a person can be erased, and the chain stays whole', async (t) => {
  const { app, sql, verify } = await sealed(t, { refresh: { window: 0 }, keys: true })
  const { events, users, issueTokens } = app.accounts
  const { user } = await signIn(app, 'ada')
  const come = async (token: string, remoteAddress: string) => (await app.inject({
    method: 'POST', url: '/auth/refresh', payload: { refresh_token: token }, remoteAddress,
  })).json()
  const stolen = async () => {
    const { refresh_token: token } = await issueTokens(user.id)
    await come(token, '192.0.2.1')
    await come(token, '192.0.2.66')
  }
  await stolen()
  await sealEvents(app)
  const rows = () => sql.all('select * from accounts_events where user_id = ? order by id', user.id)
  t.match(JSON.stringify(await rows()), /192\.0\.2\.66.*192\.0\.2\.1\b/s)
  const { id: keyId } = await app.accounts.keys.create(user.id, { name: 'CI' })

  const { erased } = await events.erase(user.id)
  t.equal(erased, (await rows()).length)
  t.notMatch(JSON.stringify(await rows()), /192\.0\.2/)
  t.match((await events.list({ type: 'key-created' })).events, [{ data: { keyId } }], 'what tells of none stays')
  t.match(await verify(), { whole: true })
  t.same(await events.erase(user.id), { erased: 0 }, 'once')
  t.same(await events.erase('ada'), { erased: 0 })

  await stolen()
  await app.accounts.orm.em.fork().transactional(async (em) => { await users.delete(user.id, { em }) })
  await sealEvents(app)
  t.notMatch(JSON.stringify(await rows()), /192\.0\.2/)
  t.match(await verify(), { whole: true })
  const [first] = await rows()
  await sql.run('update accounts_events set user_id = null where id = ?', first!.id)
  t.match(await verify(), { whole: false, problem: 'changed' }, 'what is erased is sealed all the same')
})

const pruned = { events: { store: true, seal: '1h', keepFor: '1s' } } as const

t.test('pruning takes whole seals from the front, and the chain stays whole', async (t) => {
  const { app, sql, verify, seals } = await sealed(t, pruned)
  const { prune, events } = app.accounts
  await until(async () => { await prune(); return (await seals()).length === 1 })
  const [base] = await seals()
  t.match(base, { seq: 3, pruned: /./ })
  t.same(await sql.all('select * from accounts_events where seal is not null'), [])
  t.same(await verify(), {
    whole: true, entries: 0, seals: 0, broken_at: null, problem: null, head: base!.hash, next: null,
  })

  await signIn(app, 'ada')
  await sealEvents(app)
  t.match(await verify(), { whole: true, entries: 1, seals: 1 })
  t.match(await verify('?after=1'), { whole: true, entries: 1, seals: 1 }, 'from before what was pruned')
  t.match(await events.verify({ expect: base!.hash }), { whole: true }, 'the last that was pruned is known')

  await sql.run('insert into accounts_events (id, type, seal, created_at) values (?, ?, 2, ?)', other, 'login', new Date())
  t.match(await verify(), { whole: false, problem: 'pruned', broken_at: 3 })
  await sql.run('delete from accounts_events where id = ?', other)
  t.match(await verify(), { whole: true })
  await sql.run('delete from accounts_seals where seq = 3')
  t.match(await verify(), { whole: false, problem: 'missing', broken_at: 3 })
})

t.test('what was changed is not pruned, which is logged', async (t) => {
  const lines: Row[] = []
  const stream = { write: (line: string) => { lines.push(JSON.parse(line)) } }
  const { app, sql, seals, verify } = await sealed(t, pruned, { logger: { level: 'warn', stream } })
  await sql.run("update accounts_events set type = 'logout' where seal = 2")
  await until(async () => { await app.accounts.prune(); return lines.some(({ seal }) => seal === 2) })
  t.match(await seals(), [{ seq: 1, pruned: /./ }, { seq: 2, pruned: null }, { seq: 3 }])
  t.match(await verify(), { whole: false, problem: 'changed', broken_at: 2 })
})

t.test('a process without the secret neither seals, prunes nor erases what is sealed', async (t) => {
  const { app, db, verify, all, sql } = await sealed(t, pruned)
  const stranger = Fastify({ logger: false })
  t.teardown(() => stranger.close())
  await stranger.register(accounts, { db, password: cheap, ...pruned, routes: { events: true } })
  await stranger.ready()
  t.match(await stranger.inject('/auth/events'), { statusCode: 401 })
  t.match(await stranger.inject('/auth/events/verify'), { statusCode: 404 })
  const { events, prune, users } = stranger.accounts
  const sealedBefore = (await all()).length
  await users.create({ username: 'eve', password })
  const { user } = await signIn(stranger, 'eve')
  await users.disable(user.id)
  const unsealed = () => sql.all('select id from accounts_events where seal is null')
  await until(async () => { await prune(); return (await unsealed()).length === 0 })
  t.equal((await all()).length, sealedBefore)
  t.match(await verify(), { whole: true, entries: 6 })

  const { user: bob } = await signIn(app, 'user1')
  await sealEvents(app)
  t.same(await events.erase(bob.id), { erased: 0 })
  await signIn(stranger, 'user1')
  t.same(await events.erase(bob.id), { erased: 1 }, 'what nobody has sealed can be erased')
  t.match(await unsealed(), [{ id: /./ }])
  await users.enable(user.id)
  await sealEvents(app)
  t.match(await verify(), { whole: true }, 'what it has written is sealed by another')
  await t.rejects(events.verify(), { code: 'ACCOUNTS_OPTIONS_INVALID' })
  await t.rejects(sealEvents(stranger), { code: 'ACCOUNTS_OPTIONS_INVALID' })
})

t.test('while the seals cannot be read nothing is said to be wrong with them', async (t) => {
  const { app, sql, verify } = await sealed(t)
  await sql.run('alter table accounts_seals rename to accounts_lost')
  await t.rejects(app.accounts.events.verify(), { code: 'ACCOUNTS_UNAVAILABLE' })
  t.match(await verify(), { code: 'ACCOUNTS_UNAVAILABLE' })
  await sql.run('alter table accounts_lost rename to accounts_seals')
  t.match(await verify(), { whole: true, seals: 3 })
})

t.test('who has another secret finds nothing whole, and with both the chain goes on', async (t) => {
  const { db } = await sealed(t)
  const on = async (keys: string[]) => (await buildOnFile(t, { db, secret: keys, ...pruned })).app
  const another = 'Kq8vT2kLw9XcR5nYb3HjM7pFs1DgA4uExx'
  t.match(await (await on([another])).accounts.events.verify(), { whole: false, problem: 'key', brokenAt: 1 })
  const both = await on([another, secret as string])
  await signIn(both, 'ada')
  await sealEvents(both)
  t.match(await both.accounts.events.verify(), { whole: true, seals: 4 })
})

t.test('a log of more than one request is checked in parts', async (t) => {
  const { sql, app } = await sealed(t)
  const chain = createChain([derive(Buffer.from(secret as string), 'audit')])!
  const columns = ['id', 'type', 'personal', 'created_at']
  for (let done = 0; done < 21_000; done += 500) {
    const rows = Array.from({ length: 500 }, () => {
      const id = uuid()
      return [id, 'login', chain.personalOf({ id, ip: null, userAgent: null, data: null }), new Date()]
    })
    const places = rows.map((row) => `(${row.map(() => '?').join(', ')})`).join(', ')
    await sql.run(`insert into accounts_events (${columns.join(', ')}) values ${places}`, ...rows.flat())
  }
  await sealEvents(app)
  const { events } = app.accounts
  const { next, ...part } = await events.verify()
  t.match(part, { whole: true })
  t.ok(part.entries > 19_000 && part.entries <= 20_000, `${part.entries}`)
  const rest = await events.verify({ after: next! })
  t.match(rest, { whole: true, next: null })
  t.equal(part.entries + rest.entries, 21_006)
})

t.test('events are sealed by themselves, and by one of several processes at a time', async (t) => {
  const { app, db, seals, sql } = await sealed(t, { events: { store: true, seal: '1s' } })
  const { app: second } = await buildOnFile(t, { db, events: { store: true, seal: '1s' } })
  await second.ready()
  await signIn(second, 'ada')
  await until(async () => (await sql.all('select id from accounts_events where seal is null')).length === 0)
  await signIn(app, 'eve')
  await Promise.all([sealEvents(app), sealEvents(second), sealEvents(app)])
  t.match(await second.accounts.events.verify(), { whole: true })
  const numbers = (await seals()).map(({ seq }) => seq)
  t.same(numbers, numbers.map((_, index) => index + 1))
})
