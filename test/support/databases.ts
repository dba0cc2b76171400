import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import type { MikroORM, Options } from '@mikro-orm/core'
import type { Test } from 'tap'
import { openDatabase as openWith } from '../../lib/database/database.ts'
import type { DatabaseSettings } from '../../lib/database/options.ts'
import { tables } from '../../lib/entities.ts'
import { temporaryFolder } from './folder.ts'
import { leftOut } from './left-out.ts'

/** The database that the tests run on. */
export type Kind = 'sqlite' | 'postgresql' | 'mariadb'
export const kind = (process.env.TEST_DATABASE || 'sqlite') as Kind

/** Where the servers are; each test makes databases of its own there, and takes them away again. */
export const servers = {
  postgresql: process.env.TEST_POSTGRESQL_URL || 'postgresql://postgres@127.0.0.1:5432/postgres',
  mariadb: process.env.TEST_MARIADB_URL || 'mariadb://root@127.0.0.1:3306/mysql',
}

/** The database as the plugin opens it. */
export const openDatabase = (settings: DatabaseSettings) => openWith(settings, tables)

/** A row, with dates as milliseconds, numbers as numbers, and JSON as text, whatever the database. */
export type Row = Record<string, any>

/** The database beside the app. Placeholders are `?`, and dates go in as Date. */
export interface Sql {
  all: (statement: string, ...params: unknown[]) => Promise<Row[]>
  get: (statement: string, ...params: unknown[]) => Promise<Row | undefined>
  run: (statement: string, ...params: unknown[]) => Promise<void>
  /** Several statements, each ended by a semicolon and a new line or blank. */
  exec: (statements: string) => Promise<void>
  close: () => Promise<void>
}

/** An empty database of its own, gone with the test: what the option `db` takes. */
export async function freshDatabase (t: Test, on: Kind = kind): Promise<string> {
  if (on === 'sqlite') {
    // Not in the folder of the test, which is gone before the app is closed.
    return join(temporaryFolder(t), 'accounts.sqlite')
  }

  return (await create(t, on)).url
}

/** An empty database of a server, gone with what is torn down, and a connection to it. */
export async function create (
  t: { teardown: (end: () => Promise<void>) => unknown },
  on: Exclude<Kind, 'sqlite'>
): Promise<{ url: string; sql: Sql }> {
  const name = `accounts_test_${randomUUID().replaceAll('-', '')}`
  const server = open(servers[on])
  await server.run(`create database ${name}`)
  const url = new URL(servers[on])
  url.pathname = `/${name}`
  const sql = open(url.href)
  t.teardown(async () => {
    await sql.close()
    await server.run(`drop database ${name}${on === 'postgresql' ? ' with (force)' : ''}`)
    await server.close()
  })
  return { url: url.href, sql }
}

/** True if there is such a server. Where there is none its tests are left out. */
export async function answers (kind: keyof typeof servers): Promise<boolean> {
  const sql = open(servers[kind])
  const isThere = await sql.get('select 1').then(() => true, () => false)
  await sql.close()
  return isThere
}

/** The database that the app uses. */
export function open (db: string): Sql {
  return db.includes('://') ? openServer(db) : openFile(db)
}

/** A test's name, and whether it is left out on the database at hand. */
export function notEverywhere (name: string): [name: string, options: { skip: string | false }] {
  const [on, reason] = leftOut[name] ?? []
  if (!on || !reason) throw new Error(`Not in test/support/left-out.ts: ${name}`)
  return [name, { skip: (on as Kind[]).includes(kind) && reason }]
}

/** From here on this connection deletes what other rows point to, and leaves those. */
export function forgetForeignKeys (sql: Sql): Promise<void> {
  return sql.run(
    {
      sqlite: 'pragma foreign_keys = off',
      postgresql: 'set session_replication_role = replica',
      mariadb: 'set foreign_key_checks = 0',
    }[kind]
  )
}

/** Fills the log of revocations with so many entries of tokens that nobody has. */
export async function addEntries (
  sql: Sql,
  count: number,
  { from = 1, expiresAt = new Date(Date.now() + 900_000) }: { from?: number; expiresAt?: Date } = {}
): Promise<void> {
  const columns = 7
  for (let done = 0; done < count; done += 1000) {
    const rows = Array.from({ length: Math.min(1000, count - done) }, (_, index) => {
      return [
        randomUUID(),
        from + done + index,
        'token',
        randomUUID(),
        null,
        new Date(expiresAt.getTime() - 960_000),
        expiresAt,
      ]
    })
    const places = rows.map(() => `(${Array(columns).fill('?').join(', ')})`).join(', ')
    await sql.run(`insert into accounts_revoked_tokens values ${places}`, ...rows.flat())
  }
  await sql.run('update accounts_revision set revision = ? where id = 1', from + count - 1)
}

/** Makes every change to a table do something more, or fail, or be lost. */
export async function addTrigger (
  sql: Sql,
  event: string,
  table: string,
  action: 'fail' | 'lose' | Record<Kind, string>
): Promise<void> {
  const body = action === 'fail' ? failing[kind] : action === 'lose' ? losing[kind] : `${action[kind]};`
  const what = kind === 'mariadb' ? event.replace(/ of .+/, '') : event
  if (kind === 'sqlite') return sql.exec(`create trigger meddles ${what} on ${table} begin ${body} end`)
  if (kind === 'mariadb') return sql.run(`create trigger meddles ${what} on ${table} for each row begin ${body} end`)
  await sql.run(`create function meddles() returns trigger language plpgsql as $$ begin ${body} return new; end $$`)
  await sql.run(`create trigger meddles ${what} on ${table} for each row execute function meddles()`)
}

export function dropTrigger (sql: Sql, table: string): Promise<void> {
  return sql.run(`drop trigger meddles${kind === 'postgresql' ? ` on ${table}` : ''}`)
}

const failing = {
  sqlite: "select raise(abort, 'no');",
  postgresql: "raise exception 'no';",
  mariadb: "signal sqlstate '45000' set message_text = 'no';",
}
const losing = { sqlite: 'select raise(ignore);', postgresql: 'return null;', mariadb: '' }

/** Through the app's own library, since two SQLite libraries in a process share no locks. */
function openFile (file: string): Sql {
  const database = new Database(file)
  const bind = (params: unknown[]) => params.map((value) => value instanceof Date ? value.getTime() : value)
  return {
    all: async (statement, ...params) => database.prepare<unknown[], Row>(statement).all(...bind(params)),
    get: async (statement, ...params) => database.prepare<unknown[], Row>(statement).get(...bind(params)),
    run: async (statement, ...params) => { database.prepare(statement).run(...bind(params)) },
    exec: async (statements) => { database.exec(statements) },
    close: async () => { database.close() },
  }
}

/** One connection, opened with the first statement. */
function openServer (url: string): Sql {
  let opened: Promise<MikroORM> | undefined
  const connection = async () => (await (opened ??= connect(url))).em.getConnection()
  const all: Sql['all'] = async (statement, ...params) => (await connection()).execute(statement, params, 'all')

  return {
    all,
    get: async (statement, ...params) => (await all(statement, ...params))[0],
    run: async (statement, ...params) => { await (await connection()).execute(statement, params, 'run') },
    async exec (statements) {
      for (const statement of statements.split(/;\s*(?=\S|$)/).filter(Boolean)) { await (await connection()).execute(statement) }
    },
    close: async () => { await (await opened)?.close(true) },
  }
}

/** A MikroORM as an app makes it, on a file or a server, that knows nothing of ours. */
export async function ormOf (db: string, options: Partial<Options>): Promise<MikroORM> {
  if (!db.includes('://')) return new (await import('@mikro-orm/sqlite')).MikroORM({ dbName: db, ...options } as object)

  const { protocol, hostname, port, username, password, pathname } = new URL(db)
  const { MikroORM } = (await (protocol === 'postgresql:'
    ? import('@mikro-orm/postgresql')
    : import('@mikro-orm/mariadb'))) as { MikroORM: new (options: object) => MikroORM }
  return new MikroORM({
    host: hostname,
    port: Number(port),
    user: username,
    password: decodeURIComponent(password),
    dbName: pathname.slice(1),
    ...options,
  })
}

/** One connection, and rows as SQLite has them. */
function connect (url: string): Promise<MikroORM> {
  const driverOptions = url.startsWith('postgresql:')
    ? { types: { getTypeParser: (oid: number) => postgresqlTypes[oid] ?? String } }
    : { typeCast: readColumn }
  return ormOf(url, { entities: [], discovery: { warnWhenNoEntities: false }, pool: { max: 1 }, driverOptions })
}

/** By the number of the type: int2, int4, int8, and timestamptz. */
const postgresqlTypes: Record<number, (text: string) => unknown> = {
  21: Number,
  23: Number,
  20: Number,
  1184: Date.parse,
}

function readColumn (column: { type: string, string: () => string | null }, next: () => unknown): unknown {
  if (column.type !== 'DATETIME') return next()
  const text = column.string()
  return text && Date.parse(`${text.replace(' ', 'T')}Z`)
}

/** The database with a limit on connections of one pool, for processes that race: a server has a hundred for all. */
export function withFewConnections (db: string): string {
  if (!URL.canParse(db) || !db.includes('://')) return db
  const url = new URL(db)
  url.searchParams.set('connection_limit', '3')
  return url.href
}
