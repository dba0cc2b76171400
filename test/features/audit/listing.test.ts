// On each database.
import t, { type Test } from 'tap'
import type { EntityManager } from '@mikro-orm/core'
import { v7 as uuid } from 'uuid'
import { newestFirst, type EventFilter } from '../../../lib/features/audit/listing.ts'
import type { AccountsOptions } from '../../../lib/index.ts'
import { signIn } from '../../../lib/testing.ts'
import { bearer, buildOnFile, password } from '../../support/build.ts'
import { kind, type Row, type Sql } from '../../support/databases.ts'

/** An app that keeps its events, an admin who looks through them, and Ada. */
async function watched (t: Test, options: AccountsOptions = {}) {
  const built = await buildOnFile(t, {
    events: { store: true }, routes: { users: true, events: true }, ...options,
  })
  const { app, get } = built
  const { user: admin, tokens } = await signIn(app, { username: 'root', roles: ['admin'] }, { transport: 'body' })
  const token = tokens.access_token
  const { user: ada } = await signIn(app, 'ada')
  return {
    ...built,
    admin,
    ada,
    token,
    ask: (query: Record<string, string>, by = token) => get(`/auth/events?${new URLSearchParams(query)}`, by),
    events: async (query: Record<string, string> = {}): Promise<Row[]> =>
      (await get(`/auth/events?${new URLSearchParams(query)}`, token)).json().events,
  }
}

t.test('an admin looks through what happened, the newest first', async (t) => {
  const { app, post, events, ada, admin, token } = await watched(t)
  await app.inject({
    method: 'PATCH', url: `/auth/users/${ada.id}`, payload: { disabled: true }, headers: bearer(token),
  })
  await post('/auth/login', { username: 'nobody', password })
  const [failed, disabled, ...before] = await events()
  t.match(failed, { type: 'login-failed', reason: 'login', user_id: null, actor_id: null, ip: '127.0.0.1' })
  t.match(disabled, {
    id: /^[0-9a-f-]{36}$/,
    type: 'user-disabled',
    user_id: ada.id,
    actor_id: admin.id,
    request_id: /./,
    data: null,
    created_at: /^20.*Z$/,
  })
  t.same(before.map(({ type }) => type), ['login', 'login'])
  t.same(Object.keys(disabled!), [
    'id', 'type', 'user_id', 'actor_id', 'session_id', 'reason', 'ip', 'user_agent', 'request_id', 'data', 'seal',
    'created_at',
  ])
})

t.test('events are found by whom they happened to, who did it, type, address and time', async (t) => {
  const { app, sql, events, ada, admin, token } = await watched(t)
  const from = (remoteAddress: string, payload: object) => app.inject({
    method: 'PATCH', url: `/auth/users/${ada.id}`, payload, remoteAddress, headers: bearer(token),
  })
  await from('192.0.2.1', { disabled: true })
  await from('2001:db8::1', { disabled: false })
  const types = async (query: Record<string, string>) => (await events(query)).map(({ type }) => type)

  t.same(await types({ user: ada.id }), ['user-enabled', 'user-disabled', 'login'])
  t.same(await types({ user: ada.id.toUpperCase() }), ['user-enabled', 'user-disabled', 'login'])
  t.same(await types({ actor: admin.id }), ['user-enabled', 'user-disabled'])
  t.same(await types({ actor: ada.id }), [])
  t.same(await types({ type: 'login' }), ['login', 'login'])
  t.same(await types({ type: 'no-such' }), [])
  t.same(await types({ ip: '2001:db8::1' }), ['user-enabled'])
  t.same(await types({ user: ada.id, type: 'login', limit: '1' }), ['login'])

  const [enabled, disabled] = await events({ user: ada.id })
  const before = Date.now() - 60_000
  await sql.run('update accounts_events set id = ? where id = ?', uuid({ msecs: before }), disabled!.id)
  const halfAMinuteAgo = new Date(before + 30_000).toISOString()
  t.same(await types({ user: ada.id, before_time: halfAMinuteAgo }), ['user-disabled'])
  t.same(await types({ user: ada.id, after_time: halfAMinuteAgo }), ['user-enabled', 'login'])
  t.same(await types({ after_time: enabled!.created_at, type: 'user-enabled' }), ['user-enabled'], 'from then on')
  t.same(await types({ before_time: enabled!.created_at, type: 'user-enabled' }), [], 'before then')
  t.same(await types({ before_time: '1950-01-01T00:00:00Z' }), [])
  t.equal((await types({ after_time: '1950-01-01T00:00:00Z' })).length, 4)
})

t.test('events come in parts, with nothing twice and nothing left out', async (t) => {
  const { app, ask, events } = await watched(t)
  for (let number = 0; number < 5; number++) await app.accounts.users.create({ username: `user${number}` })
  const all = await events()
  const parts: Row[] = []
  let query: Record<string, string> = { limit: '2' }
  for (;;) {
    const { events: part, next } = (await ask(query)).json()
    parts.push(...part)
    if (!next) break
    query = { limit: '2', after: next }
  }
  t.ok(all.length >= 2)
  t.same(parts, all)
})

t.test('who may not look is refused, and so is what is no filter', async (t) => {
  const { app, get, ask } = await watched(t, { admin: { roles: { admin: ['*'], auditor: ['audit:read'] } } })
  const auditor = await signIn(app, { username: 'bob', roles: ['auditor'] }, { transport: 'body' })
  t.equal((await ask({}, auditor.tokens.access_token)).statusCode, 200)
  const { tokens } = await signIn(app, 'eve', { transport: 'body' })
  t.match((await get('/auth/events')).json(), { statusCode: 401 })
  t.match((await ask({}, tokens.access_token)).json(), { statusCode: 403 })
  for (const query of [
    { user: 'ada' }, { actor: "' or 1" }, { after: 'x' }, { type: '' }, { type: 'a\u0000' }, { type: 'x'.repeat(33) },
    { ip: '\u0000' }, { ip: '1'.repeat(65) }, { after_time: 'yesterday' }, { before_time: '2026-12-31T23:59:60Z' },
    { limit: '0' }, { limit: '101' }, { who: 'ada' },
  ] as Record<string, string>[]) {
    t.match((await ask(query)).json(), { statusCode: 400, code: 'ACCOUNTS_INPUT_INVALID' }, JSON.stringify(query))
  }
})

t.test('code looks through them too, also in a transaction of its own', async (t) => {
  const { app, ada, admin } = await watched(t)
  const { events, users, orm } = app.accounts
  await users.disable(ada.id)
  const { events: found, next } = await events.list({ user: ada.id, limit: 1 })
  t.match(found, [{ type: 'user-disabled', userId: ada.id, actorId: null, createdAt: Date, seal: null, data: null }])
  t.equal(next, found[0]!.id)
  t.match(await events.list({ user: ada.id, after: next! }), { events: [{ type: 'login' }], next: null })
  t.match(await events.list({ afterTime: new Date(Date.now() + 1000) }), { events: [], next: null })
  t.match(await events.list({ beforeTime: new Date(Date.now() + 1000) }), { next: null })
  t.notOk(Object.keys(found[0]!).some((name) => ['personal', 'erased'].includes(name)))

  await orm.em.fork().transactional(async (em) => {
    await users.disable(admin.id, { em })
    t.match(await events.list({ user: admin.id, limit: 1, em }), { events: [{ type: 'user-disabled' }] })
  })
  await t.rejects(events.list({ afterTime: 'today' as never }), { code: 'ACCOUNTS_INPUT_INVALID' })
  await t.rejects(events.list({ afterTime: new Date(NaN) }), { code: 'ACCOUNTS_INPUT_INVALID' })
  await t.rejects(events.list({ limit: 1000 }), { code: 'ACCOUNTS_INPUT_INVALID' })
  await t.rejects(events.list({ from: 'x' } as never), { code: 'ACCOUNTS_OPTIONS_INVALID' })
})

t.test('where nothing is stored there is no route', async (t) => {
  await t.rejects(buildOnFile(t, { routes: { events: true } }), /routes.events needs events.store/)
})

/** So many events, of which one in a hundred is of each value that is looked for. */
async function fill (sql: Sql, count: number, rare: { user: string, actor: string }) {
  const start = Date.now() - count * 1000
  const columns = ['id', 'type', 'user_id', 'actor_id', 'ip', 'created_at']
  for (let done = 0; done < count; done += 500) {
    const rows = Array.from({ length: 500 }, (_, index) => {
      const number = done + index
      const isRare = number % 100 === 0
      const at = start + number * 1000
      return [
        uuid({ msecs: at }), isRare ? 'reuse' : 'login', isRare ? rare.user : uuid(), isRare ? rare.actor : uuid(),
        isRare ? '192.0.2.1' : `10.0.${number % 250}.${number % 199}`, new Date(at),
      ]
    })
    const places = rows.map(() => `(${columns.map(() => '?').join(', ')})`).join(', ')
    await sql.run(`insert into accounts_events (${columns.join(', ')}) values ${places}`, ...rows.flat())
  }
  await sql.run({
    sqlite: 'analyze', postgresql: 'analyze accounts_events', mariadb: 'analyze table accounts_events',
  }[kind])
  return start
}

/** How the database finds the rows of a part. */
async function planOf (sql: Sql, em: EntityManager, filter: EventFilter): Promise<string> {
  const query = newestFirst(em, filter, { limit: 50 }) as unknown as { getFormattedQuery: () => string }
  const explain = { sqlite: 'explain query plan', postgresql: 'explain (costs off)', mariadb: 'explain' }[kind]
  return JSON.stringify(await sql.all(`${explain} ${query.getFormattedQuery()}`))
}

t.test('each filter is found by an index, and none sorts', async (t) => {
  const { app, sql, ada, admin } = await watched(t)
  const count = 4000
  const start = await fill(sql, count, { user: ada.id, actor: admin.id })
  const em = app.accounts.orm.em.fork()
  // So few rows that fit are sorted as quickly.
  if (kind === 'postgresql') await sql.exec('set enable_bitmapscan = off; set enable_sort = off;')

  const primary = /sqlite_autoindex_accounts_events_1|accounts_events_pkey|"key":"PRIMARY"/
  const early = new Date(start + count * 10)
  const late = new Date(start + count * 990)
  const filters: [filter: EventFilter, index: RegExp][] = [
    [{}, primary],
    [{ user: ada.id }, /accounts_events_user_id_id_index/],
    [{ actor: admin.id }, /accounts_events_actor_id_id_index/],
    [{ type: 'reuse' }, /accounts_events_type_id_index/],
    [{ ip: '192.0.2.1' }, /accounts_events_ip_id_index/],
    [{ afterTime: late }, primary],
    [{ beforeTime: early }, primary],
    [{ afterTime: early, beforeTime: late }, primary],
    [{ user: ada.id, type: 'reuse', afterTime: early }, /accounts_events_(user_id|type)_id_index/],
  ]
  for (const [filter, index] of filters) {
    const plan = await planOf(sql, em, filter)
    t.match(plan, index, JSON.stringify(filter))
    t.notMatch(plan, /TEMP B-TREE|Sort|filesort|Seq Scan|"SCAN e0"|"type":"ALL"/, plan)
  }
  await sql.run(`drop index accounts_events_ip_id_index${kind === 'mariadb' ? ' on accounts_events' : ''}`)
  t.notMatch(await planOf(sql, em, { ip: '192.0.2.1' }), /ip_id_index/, 'it would be noticed')
})
