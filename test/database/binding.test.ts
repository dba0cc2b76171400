import type { SqlEntityManager } from '@mikro-orm/sqlite'
import { hash } from 'argon2'
import Database from 'better-sqlite3'
import { raw, type MigrationObject } from '@mikro-orm/core'
import type { Migration } from '@mikro-orm/migrations'
import { Type } from '@sinclair/typebox'
import t, { type Test } from 'tap'
import { keptTexts } from '../../lib/database/statement.ts'
import { entities, User, type AccountsOptions } from '../../lib/index.ts'
import { signIn } from '../../lib/testing.ts'
import { build, cheap, decode, password, secret } from '../support/build.ts'
import { freshDatabase, kind, notEverywhere, open, ormOf, openDatabase } from '../support/databases.ts'
import { listenIn } from './wire.ts'

/** What nobody else would say. It would end a text, where a backslash is no more than a sign too. */
const words = { name: "lovelace'--", email: "love'lace@lovelace.example", agent: "Lovelace/1843 \\', (select 1)) -- \"", nickname: 'Lovelace \\" \' ? ?? \\?', role: "lovelace'; role", address: '203.0.113.43' }

/** All that accounts are used for, once: what was asked, as the database got it, and what it holds by then. */
async function useAll (t: Test, { app, get }: Awaited<ReturnType<typeof build>>, db: string) {
  const { users, sessions } = app.accounts
  const ask = async (method: 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'GET', url: string, payload?: object, token?: string) => {
    const headers = { 'user-agent': words.agent, ...token && { authorization: `Bearer ${token}` } }
    const answer = await app.inject({ method, url, headers, remoteAddress: words.address, ...payload && { payload } })
    return { status: answer.statusCode, ...answer.body ? answer.json() : {} }
  }
  const who = { username: words.name, email: words.email, password, nickname: words.nickname }
  const next = `${password} next`

  const ada = await ask('POST', '/auth/register', who)
  t.match(ada, { status: 201, user: { username: words.name, nickname: words.nickname } })
  t.match(await ask('POST', '/auth/register', who), { status: 409 })
  t.match(await ask('POST', '/auth/login', { username: words.name, password: `${password}!` }), { status: 401 })
  const second = await ask('POST', '/auth/login', { username: words.email, password })
  const third = await ask('POST', '/auth/refresh', { refresh_token: second.refresh_token })
  t.equal((await get('/strict', third.access_token)).statusCode, 200)
  t.match(await ask('PATCH', '/auth/me', { nickname: `${words.nickname}!` }, ada.access_token), { status: 200 })
  const fresh = await ask('POST', '/auth/reauthenticate', { password }, ada.access_token)
  t.match(await ask('GET', '/auth/sessions', undefined, fresh.access_token), { sessions: [{ user_agent: words.agent }, { user_agent: words.agent }] })
  t.match(await ask('PUT', '/auth/password', { current_password: password, new_password: next }, fresh.access_token), { status: 200 })
  t.match(await ask('POST', '/auth/login', { username: words.name, password: next }), { status: 200 })

  const { sid } = decode(ada.access_token).payload
  const rows = async () => {
    const sql = open(db)
    const found = [await sql.all('select * from accounts_users'), await sql.all('select * from accounts_sessions'), await sql.all('select * from accounts_throttle')].flat()
    await sql.close()
    return found
  }
  const stored = await rows()

  await users.setRoles(ada.user.id, ['admin', words.role])
  await users.update(ada.user.id, { username: `${words.name}2`, email: null })
  const { user } = await ask('POST', '/auth/register', { ...who, username: `${words.name}3` })
  const admin = await ask('POST', '/auth/login', { username: `${words.name}2`, password: next })
  t.match(await ask('GET', `/auth/users?limit=1&after=${user.id}`, undefined, admin.access_token), { users: [{ id: ada.user.id }] })
  t.match(await ask('PATCH', `/auth/users/${user.id}`, { disabled: true }, admin.access_token), { status: 200 })
  t.match(await ask('PATCH', `/auth/users/${user.id}`, { disabled: false, roles: [words.role] }, admin.access_token), { roles: [words.role] })
  t.match(await ask('DELETE', `/auth/users/${user.id}`, undefined, admin.access_token), { status: 204 })
  const imported = await users.create({ username: 'byron', passwordHash: await hash(password, { ...cheap.argon2, timeCost: 3 }) })
  t.match(await users.verifyPassword('byron', password), { id: imported.id })
  await users.setPassword(imported.id, next)
  await app.accounts.orm.em.fork().transactional((em) => sessions.revokeAll(imported.id, { em }))
  t.match(await signIn(app, { username: words.name }, { transport: 'body' }), { user: { username: words.name } })
  await app.accounts.revoke(admin.access_token)
  await sessions.revoke(sid)
  t.match(await ask('DELETE', '/auth/sessions?keep=current', undefined, fresh.access_token), { status: 401 })
  t.match(await ask('POST', '/auth/logout', undefined, (await ask('POST', '/auth/login', { username: `${words.name}2`, password: next })).access_token), { status: 204 })
  await app.accounts.prune()
  t.match(await app.accounts.check(), { healthy: true })
  await app.close()
  return [...stored, ...await rows()]
}

/** What must stand in no text: all that is in rows, but for what is too short to be told from anything else. */
function valuesIn (rows: object[]): string[] {
  const values = [...Object.values(words), ...rows.flatMap((row) => Object.values(row))].filter((value) => value !== null && value !== '')
  return [...new Set(values.map(String))].filter((value) => value.length > 8)
}

const options: AccountsOptions = {
  secret,
  throttle: {},
  events: { store: true },
  routes: { users: true },
  user: { fields: { nickname: Type.Optional(Type.String()) } },
  revocation: { pollInterval: '1s' },
}

/** What migrations ask is text of ours, whatever anybody has stored: it may name a role. */
const { migrationsOf }: { migrationsOf: (name: string) => MigrationObject[] } = await import(`../../lib/database/${kind === 'mariadb' ? 'mysql' : kind}/migrations.ts`)
const frozen = new Set<unknown>()
for (const { class: Step } of migrationsOf('accounts')) {
  const migration = new (Step as unknown as new (driver: object) => Migration)({ execute: async () => [] })
  await migration.up()
  for (const text of migration.getQueries()) frozen.add(text)
}

/** Statements on tables of ours, from the first migration on. */
function check (t: Test, texts: string[], rows: object[]) {
  const ours = texts.filter((text) => /^\s*(insert|update|delete|select|with)\b/i.test(text) && /\baccounts_/.test(text))
  for (const table of ['users', 'sessions', 'revoked_tokens', 'throttle', 'events', 'migrations']) t.ok(ours.some((text) => text.includes(`accounts_${table}`)), table)
  t.same(ours.filter((text) => /(into|update|from|join) ["`]?accounts_/.test(text) && text.includes("'") && !frozen.has(text)), [])

  const values = valuesIn(rows)
  t.ok(values.length > 40)
  t.same(texts.filter((text) => values.some((value) => text.includes(value))), [])
}

/** The way to a database, and what it was asked by then. */
async function heardBy (t: Test, db: string): Promise<{ url: string, texts: () => string[] }> {
  if (kind !== 'sqlite') {
    const wire = await listenIn(t, db)
    return { url: wire.url, texts: () => wire.heard().map(({ text }) => text).filter(Boolean) }
  }
  const texts: string[] = []
  const { prepare, exec } = Database.prototype
  t.teardown(() => { Object.assign(Database.prototype, { prepare, exec }) })
  Database.prototype.prepare = function (this: Database.Database, text: string) {
    texts.push(text)
    return prepare.call(this, text)
  } as never
  Database.prototype.exec = function (text: string) { texts.push(text); return exec.call(this, text) }
  return { url: db, texts: () => texts }
}

t.test('no statement carries a value in its text', async (t) => {
  const { url, texts } = await heardBy(t, await freshDatabase(t))
  const rows = await useAll(t, await build(t, { ...options, db: url }), url)
  check(t, texts(), rows)
})

t.test("no statement carries a value in its text on an app's own connections", async (t) => {
  const { url, texts } = await heardBy(t, await freshDatabase(t))
  const orm = await ormOf(url, { entities: [...entities], schemaGenerator: { skipTables: [/^accounts_/] } })
  t.teardown(() => orm.close(true))
  const rows = await useAll(t, await build(t, { ...options, orm }), url)
  check(t, texts(), rows)
})

t.test(...notEverywhere('values travel beside their statements, and no more statements are kept prepared than are made once'), async (t) => {
  const wire = await listenIn(t, await freshDatabase(t))
  const rows = await useAll(t, await build(t, { ...options, db: wire.url }), wire.url)
  const heard = wire.heard()
  const besides = heard.filter(({ kind }) => kind === 'B' || kind === 'execute')
  for (const value of [words.agent, ...Object.values(rows[0]!).filter((value) => String(value).startsWith('$argon2id$'))]) {
    t.ok(besides.some(({ bytes }) => bytes.includes(value)), 'what was asked for was heard')
  }

  if (kind !== 'mariadb') return
  const connections = new Set(heard.map(({ connection }) => connection))
  for (const connection of connections) {
    const here = heard.filter((command) => command.connection === connection)
    const prepared = here.filter(({ kind }) => kind === 'prepare').map(({ text }) => text)
    const kept = prepared.filter((text) => keptTexts.has(text))
    t.equal(kept.length, new Set(kept).size, 'once for each connection')
    const closed = here.filter(({ kind }) => kind === 'close').map(({ bytes }) => bytes.toString('hex'))
    t.equal(new Set(closed).size, prepared.length - kept.length)
  }
})

t.test('values come back as they went', async (t) => {
  const { orm, close } = await openDatabase({ db: await freshDatabase(t), name: 'accounts' })
  t.teardown(close)
  const connection = (orm.em as SqlEntityManager).getConnection()
  const execute = (query: Parameters<typeof connection.execute>[0], params?: unknown[] | object, method?: 'run' | 'get'): Promise<any> => connection.execute(query, params as unknown[], method)
  const moment = new Date('2026-11-29T03:04:05.678Z')
  const text = 'Grüße, \u{1F98A} \\ \' " ? ?? $1'
  const cast = (type: string) => ({ sqlite: '?', postgresql: `?::${type}`, mariadb: '?' })[kind]

  const [row] = await execute(`select ${cast('text')} as a, ${cast('text')} as b, ${cast('int')} as c, ${cast('bigint')} as d, ${cast('text')} as ??, ${cast('text')} as f`, [text, null, 7, 2n ** 40n, 'e', 'the name', undefined])
  t.match(row, { a: text, b: null, 'the name': 'e', f: null })
  t.same([Number(row.c), Number(row.d)], [7, 2 ** 40])
  t.same((await execute(`select ${cast('text')} as json`, [{ a: [1, "it's"] }])).map(({ json }: { json: string }) => JSON.parse(json)), [{ a: [1, "it's"] }])
  t.same(await execute('select 1 as one where 3 in (?) and 1 = ?', [[1, 2, 3], raw('? - 1', [2])]), [{ one: 1 }])
  t.same(await execute('select 1 as one where 2 = :two', { two: 2 }), [{ one: 1 }])
  t.same(await execute(raw('select 2 as two where 2 = ?', [2])), [{ two: 2 }])
  t.same(await execute("select '\\?' as a where 1 = ?", [1]).then(([row]) => row.a), '?')
  t.same(await execute('select 1 as one'), [{ one: 1 }])
  t.same(await execute((orm.em as SqlEntityManager).createQueryBuilder(User).select('id').where({ username: text }).getNativeQuery()), [])
  t.match(await execute('select 1 as one where 1 = ?', [1], 'get'), { one: 1 })

  await execute({
    sqlite: 'create table kinds (moment integer, yes integer, half real, bytes blob)',
    postgresql: 'create table kinds (moment timestamptz(3), yes boolean, half float8, bytes bytea)',
    mariadb: 'create table kinds (moment datetime(3), yes tinyint(1), half double, bytes blob)',
  }[kind])
  t.match(await execute('insert into kinds values (?, ?, ?, ?)', [moment, true, 0.5, Buffer.from([0, 255, 39])], 'run'), { affectedRows: 1 })
  const [kinds] = await execute('select * from kinds where moment = ? and yes = ?', [moment, true])
  t.same(kinds.bytes, Buffer.from([0, 255, 39]))
  t.same([Number(kinds.yes), kinds.half], [1, 0.5])
  t.equal(+orm.em.getPlatform().parseDate(kinds.moment), +moment)
  t.equal((await execute('update kinds set half = ? where yes = ?', [1, false], 'run')).affectedRows, 0)
})
