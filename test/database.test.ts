import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import Fastify from 'fastify'
import t from 'tap'
import { openDatabase } from '../lib/database.ts'
import accounts from '../lib/index.ts'
import { build, buildOnFile, cheap, decode, open, secret } from './build.ts'

const run = promisify(execFile)
const script = (name: string) => join(import.meta.dirname, name)

t.test('the tables are made by frozen migrations, and the entities ask for nothing else', async (t) => {
  const { orm, close } = await openDatabase(join(t.testdir({}), 'accounts.sqlite'))
  t.teardown(close)
  t.equal((await orm.schema.getUpdateSchemaSQL({ wrap: false, dropTables: false })).trim(), '')
  t.same((await orm.migrator.getPending()), [])
  await orm.migrator.down({ to: 0 })
  t.same((await orm.em.getConnection().execute("select name from sqlite_master where name like 'accounts%' and name not like 'accounts_migrations%' and type = 'table'")), [])
  await orm.migrator.up()
  t.equal((await orm.schema.getUpdateSchemaSQL({ wrap: false, dropTables: false })).trim(), '')
})

t.test('readers go on beside a writer, foreign keys hold, and a commit survives a power cut', async (t) => {
  const { orm, close } = await openDatabase(join(t.testdir({}), 'accounts.sqlite'))
  t.teardown(close)
  const read = async (name: string) => Object.values((await orm.em.getConnection().execute(`pragma ${name}`))[0])[0]
  t.equal(await read('journal_mode'), 'wal')
  t.equal(await read('synchronous'), 2)
  t.equal(await read('foreign_keys'), 1)
  t.equal(await read('busy_timeout'), 5000)
})

t.test('what the environment says to MikroORM does not reach ours', async (t) => {
  const names = {
    MIKRO_ORM_DB_NAME: 'elsewhere.sqlite',
    MIKRO_ORM_CLIENT_URL: 'sqlite:///elsewhere.sqlite',
    MIKRO_ORM_BASE_DIR: '/elsewhere',
    MIKRO_ORM_SCHEMA: 'elsewhere',
    MIKRO_ORM_DEBUG: '1',
    MIKRO_ORM_FORCE_UNDEFINED: '1',
    MIKRO_ORM_TIMEZONE: '+05:00',
    MIKRO_ORM_FORCE_UTC_TIMEZONE: '0',
    MIKRO_ORM_IMPLICIT_TRANSACTIONS: '0',
    MIKRO_ORM_MIGRATIONS_TABLE_NAME: 'elsewhere',
    MIKRO_ORM_MIGRATIONS_TRANSACTIONAL: '0',
    MIKRO_ORM_MIGRATIONS_SNAPSHOT: '1',
  }
  Object.assign(process.env, names)
  t.teardown(() => Object.keys(names).forEach((name) => delete process.env[name]))
  const { signUp, refresh, sql } = await buildOnFile(t)
  t.equal((await refresh((await signUp()).refresh_token)).statusCode, 200)
  t.equal(sql.prepare('select count(*) as n from accounts_migrations').get()!.n, 1)
  t.notOk(existsSync('elsewhere.sqlite'))
})

t.test('four processes may boot at once on an empty file', async (t) => {
  const db = join(t.testdir({}), 'accounts.sqlite')
  const booted = await Promise.all([1, 2, 3, 4].map(() => run(process.execPath, [script('boot.ts'), db])))
  t.same(booted.map(({ stdout }) => stdout.trim()), ['201', '201', '201', '201'])
})

t.test('a file that cannot be opened or is no database keeps the app from starting', async (t) => {
  const dir = t.testdir({ 'notes.txt': 'These are some notes, and certainly no database.'.repeat(100) })
  for (const db of [join(dir, 'no', 'such', 'folder.sqlite'), join(dir, 'notes.txt')]) {
    const app = Fastify()
    const refused = { code: 'ACCOUNTS_OPTIONS_INVALID', message: /db \(or ACCOUNTS_DATABASE_URL\) cannot be used, .+\.(sqlite|txt): ./ }
    await t.rejects(async () => { await app.register(accounts, { db, secret, password: cheap }) }, refused)
    await app.close()
  }
})

t.test('tables that cannot be made keep the app from starting', async (t) => {
  const db = join(t.testdir({}), 'accounts.sqlite')
  const sql = open(db)
  sql.exec('create table accounts_users (id text)')
  sql.close()
  const app = Fastify()
  await t.rejects(async () => { await app.register(accounts, { db, secret, password: cheap }) }, { message: /accounts_users/ })
  await app.close()
})

t.test('without the driver the error says what to install', async (t) => {
  const failed = await run(process.execPath, [script('without-driver.ts'), ':memory:']).catch((error) => error)
  t.match(failed.stderr, /ACCOUNTS_OPTIONS_INVALID/)
  t.match(failed.stderr, /npm install @mikro-orm\/sqlite @mikro-orm\/migrations/)
})

t.test('on a Node that the driver would crash, the error says which Node is needed', async (t) => {
  const failed = await run(process.execPath, [script('old-node.ts'), ':memory:']).catch((error) => error)
  t.match(failed.stderr, /ACCOUNTS_OPTIONS_INVALID/)
  t.match(failed.stderr, /Node 22\.17 or newer is needed, and this is 20\.20\.2/)
})

t.test('a database that fails in the middle of a registration leaves nothing behind', async (t) => {
  const { post, sql, signUp } = await buildOnFile(t, {}, { logger: { level: 'silent' } })
  sql.exec('alter table accounts_sessions rename to gone')
  t.match((await post('/auth/register', { username: 'ada', password: 'correct horse battery staple' })).json(), { statusCode: 503, code: 'ACCOUNTS_UNAVAILABLE' })
  t.equal(sql.prepare('select count(*) as n from accounts_users').get()!.n, 0)
  sql.exec('alter table gone rename to accounts_sessions')
  t.match(await signUp(), { user: { username: 'ada' } })
})

t.test('a database that fails in the middle of a logout leaves the session as it was', async (t) => {
  const { post, get, sql, signUp } = await buildOnFile(t, {}, { logger: { level: 'silent' } })
  const { refresh_token: token, access_token: access } = await signUp()
  sql.exec('alter table accounts_revoked_tokens rename to gone')
  t.equal((await post('/auth/logout', { refresh_token: token })).statusCode, 503)
  t.equal((await get('/guarded', access)).statusCode, 200)
  sql.exec('alter table gone rename to accounts_revoked_tokens')
  t.equal((await post('/auth/logout', { refresh_token: token })).statusCode, 204)
})

t.test('another process that keeps the file locked makes it 503, and then all is well again', async (t) => {
  const { signUp, refresh, sql } = await buildOnFile(t, {}, { logger: { level: 'silent' } })
  const { refresh_token: token } = await signUp()
  sql.exec('begin immediate')
  t.match((await refresh(token)).json(), { statusCode: 503, code: 'ACCOUNTS_UNAVAILABLE' })
  sql.exec('rollback')
  t.equal((await refresh(token)).statusCode, 200)
})

t.test('the database holds no token, no part of one that matters, and no password', async (t) => {
  const { signUp, refresh, post, sql } = await buildOnFile(t)
  const first = await signUp()
  const second = (await refresh(first.refresh_token)).json()
  await post('/auth/logout', { refresh_token: second.refresh_token })

  const tables = sql.prepare("select name from sqlite_master where type = 'table'").all().map(({ name }) => name)
  const dump = JSON.stringify(tables.map((name) => sql.prepare(`select * from ${name}`).all()))
  t.match(dump, /"ada"/)
  for (const { access_token: access, refresh_token: token } of [first, second]) {
    for (const text of [access, token]) {
      for (const part of [...text.split('.'), decode(text).payload.jti]) t.notOk(dump.includes(part))
    }
  }
  t.notOk(dump.includes('correct horse'))
})

t.test('nothing in the database can be shown as a token', async (t) => {
  const { signUp, sql, get, refresh } = await buildOnFile(t)
  await signUp()
  const values = ['accounts_sessions', 'accounts_users'].flatMap((name) => Object.values(sql.prepare(`select * from ${name}`).get()!)).filter((value) => typeof value === 'string')
  t.ok(values.length > 5)
  for (const value of values) {
    t.ok([400, 401].includes((await get('/guarded', value)).statusCode))
    t.equal((await refresh(value)).statusCode, 401)
  }
})

t.test('an app that is closed has closed its database', async (t) => {
  const { app, db } = await buildOnFile(t)
  await app.close()
  t.notOk(existsSync(`${db}-wal`) && open(db).prepare('select count(*) from accounts_users').get() === undefined)
  await build(t, { db })
})
