// On each database.
// In a process of its own, for 25 s: it sets the environment, and waits for locks of files.
import { execFile } from 'node:child_process'
import { chmodSync, existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { migrationsIn } from '../../lib/database/schema.ts'
import { tables } from '../../lib/entities.ts'
import { User } from '../../lib/users/entity.ts'
import accounts from '../../lib/index.ts'
import { build, buildOnFile, cheap, decode, password, secret } from '../support/build.ts'
import { freshDatabase, notEverywhere, open, openDatabase } from '../support/databases.ts'
import { Fastify } from '../support/fastify.ts'

const run = promisify(execFile)
const script = (name: string) => join(import.meta.dirname, '..', 'support', name)

t.test(
  ...notEverywhere('the tables of a file are made by frozen migrations, and the entities ask for nothing else'),
  async (t) => {
    const { orm, close } = await openDatabase({ db: join(t.testdir({}), 'accounts.sqlite'), name: 'accounts' })
    t.teardown(close)
    t.equal((await orm.schema.getUpdateSchemaSQL({ wrap: false, dropTables: false })).trim(), '')
    t.same(await orm.migrator.getPending(), [])
    await orm.migrator.down({ to: 0 })
    t.same(
      await orm.em
        .getConnection()
        .execute(
          "select name from sqlite_master where name like 'accounts%' and name not like 'accounts_migrations%' and type = 'table'"
        ),
      []
    )
    await orm.migrator.up()
    t.equal((await orm.schema.getUpdateSchemaSQL({ wrap: false, dropTables: false })).trim(), '')
  }
)

t.test(
  ...notEverywhere('a file that is made is for nobody else on this machine, and one that is there stays as it is'),
  async (t) => {
    const dir = t.testdir({ 'theirs.sqlite': '' })
    chmodSync(join(dir, 'theirs.sqlite'), 0o664)
    for (const [name, mode] of [
      ['ours.sqlite', 0o600],
      ['theirs.sqlite', 0o664],
    ] as const) {
      const { close } = await openDatabase({ db: join(dir, name), name: 'accounts' })
      for (const end of ['', '-wal']) t.equal(statSync(join(dir, name + end)).mode & 0o777, mode, name + end)
      await close()
    }
  }
)

t.test(
  ...notEverywhere('readers go on beside a writer, foreign keys hold, and a commit survives a power cut'),
  async (t) => {
    const { orm, close } = await openDatabase({ db: join(t.testdir({}), 'accounts.sqlite'), name: 'accounts' })
    t.teardown(close)
    const read = async (name: string) => Object.values((await orm.em.getConnection().execute(`pragma ${name}`))[0])[0]
    t.equal(await read('journal_mode'), 'wal')
    t.equal(await read('synchronous'), 2)
    t.equal(await read('foreign_keys'), 1)
    t.equal(await read('busy_timeout'), 0, 'since the event loop would sleep too')
  }
)

t.test('what the environment says to MikroORM does not reach ours', async (t) => {
  const names = {
    MIKRO_ORM_DB_NAME: 'elsewhere.sqlite',
    MIKRO_ORM_CLIENT_URL: 'sqlite:///elsewhere.sqlite',
    MIKRO_ORM_HOST: 'elsewhere.invalid',
    MIKRO_ORM_PORT: '1',
    MIKRO_ORM_USER: 'somebody',
    MIKRO_ORM_PASSWORD: 'else',
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
  const db = await freshDatabase(t)
  const sql = open(db)
  t.teardown(sql.close)
  await sql.get('select 1')
  Object.assign(process.env, names)
  t.teardown(() => Object.keys(names).forEach((name) => delete process.env[name]))
  const { signUp, refresh } = await build(t, { db })
  t.equal((await refresh((await signUp()).refresh_token)).statusCode, 200)
  const { length } = await migrationsIn(tables, 'sqlite', 'accounts')
  t.equal((await sql.get('select count(*) as n from accounts_migrations'))!.n, length)
  t.notOk(existsSync('elsewhere.sqlite'))
})

t.test(...notEverywhere('four processes may boot at once on an empty file'), async (t) => {
  const db = join(t.testdir({}), 'accounts.sqlite')
  const booted = await Promise.all([1, 2, 3, 4].map(() => run(process.execPath, [script('boot.ts'), db])))
  t.same(booted.map(({ stdout }) => stdout.trim()), ['201', '201', '201', '201'])
})

t.test(...notEverywhere('a file that cannot be opened or is no database keeps the app from starting'), async (t) => {
  const dir = t.testdir({ 'notes.txt': 'These are some notes, and certainly no database.'.repeat(100) })
  for (const db of [join(dir, 'no', 'such', 'folder.sqlite'), join(dir, 'notes.txt')]) {
    const app = Fastify()
    const refused = {
      code: 'ACCOUNTS_OPTIONS_INVALID',
      message: /db \(or ACCOUNTS_DATABASE_URL\) cannot be used, .+\.(sqlite|txt): ./,
    }
    await t.rejects(async () => { await app.register(accounts, { db, secret, password: cheap }) }, refused)
    await app.close()
  }
})

t.test('tables that cannot be made keep the app from starting', async (t) => {
  const db = join(t.testdir({}), 'accounts.sqlite')
  const sql = open(db)
  await sql.exec('create table accounts_users (id text)')
  sql.close()
  const app = Fastify()
  await t.rejects(
    async () => {
      await app.register(accounts, { db, secret, password: cheap })
    },
    { message: /accounts_users/ }
  )
  await app.close()
})

t.test('without the driver the error says what to install', async (t) => {
  const failed = await run(process.execPath, [script('without-driver.ts'), ':memory:']).catch((error) => error)
  t.match(failed.stderr, /ACCOUNTS_OPTIONS_INVALID/)
  t.match(failed.stderr, /npm install @mikro-orm\/sqlite@7\.\d+\.\d+ @mikro-orm\/migrations@7/)
})

t.test('a driver that is there and fails is not said to be missing', async (t) => {
  const failed = await run(process.execPath, [
    script('without-driver.ts'),
    ':memory:',
    'It was compiled for another Node',
  ]).catch((error) => error)
  t.match(failed.stderr, /ACCOUNTS_OPTIONS_INVALID/)
  t.match(failed.stderr, /db \(or ACCOUNTS_DATABASE_URL\) cannot be used, :memory:: It was compiled for another Node/)
  t.notMatch(failed.stderr, /npm install/)
})

t.test(...notEverywhere('on a Node that the driver would crash, the error says which Node is needed'), async (t) => {
  const failed = await run(process.execPath, [script('old-node.ts'), ':memory:']).catch((error) => error)
  t.match(failed.stderr, /ACCOUNTS_OPTIONS_INVALID/)
  t.match(failed.stderr, /Node 22\.17 or newer is needed, and this is 20\.20\.2/)
})

t.test('a database that fails in the middle of a registration leaves nothing behind', async (t) => {
  const { post, sql, signUp } = await buildOnFile(t, {}, { logger: { level: 'silent' } })
  await sql.exec('alter table accounts_sessions rename to gone')
  t.match((await post('/auth/register', { username: 'ada', password: 'correct horse battery staple' })).json(), {
    statusCode: 503,
    code: 'ACCOUNTS_UNAVAILABLE',
  })
  t.equal((await sql.get('select count(*) as n from accounts_users'))!.n, 0)
  await sql.exec('alter table gone rename to accounts_sessions')
  t.match(await signUp(), { user: { username: 'ada' } })
})

t.test('a database that fails in the middle of a logout leaves the session as it was', async (t) => {
  const { post, get, sql, signUp } = await buildOnFile(t, {}, { logger: { level: 'silent' } })
  const { refresh_token: token, access_token: access } = await signUp()
  await sql.exec('alter table accounts_revision rename to gone')
  t.equal((await post('/auth/logout', { refresh_token: token })).statusCode, 503)
  t.equal((await get('/guarded', access)).statusCode, 200)
  await sql.exec('alter table gone rename to accounts_revision')
  t.equal((await post('/auth/logout', { refresh_token: token })).statusCode, 204)
})

t.test(
  ...notEverywhere('a file that another process locks for a moment makes requests wait, and nobody else'),
  async (t) => {
    const { app, signUp, refresh, get, sql } = await buildOnFile(t)
    const { refresh_token: token, access_token: access } = await signUp()
    await sql.exec('begin immediate')
    const order: string[] = []
    const waiting = ['ada', 'bob', 'eve'].map((name) =>
      refresh(token).then(({ statusCode }) => order.push(`${name} ${statusCode}`))
    )
    for (let round = 0; round < 5; round++) {
      t.equal((await app.inject('/open')).statusCode, 200)
      t.equal((await get('/guarded', access)).statusCode, 200)
    }
    order.push('everybody else')
    await sql.exec('rollback')
    await Promise.all(waiting)
    t.same(order.toSorted(), ['ada 200', 'bob 200', 'eve 200', 'everybody else'])
    t.equal(order[0], 'everybody else')
  }
)

t.test(
  ...notEverywhere('who waits for ten seconds, for a locked file or a connection, is told that it cannot be'),
  async (t) => {
    const { signUp, refresh, sql } = await buildOnFile(t, {}, { logger: { level: 'silent' } })
    const { refresh_token: token } = await signUp()
    const { orm, run, close } = await openDatabase({ db: ':memory:', name: 'accounts' })
    t.teardown(close)
    await sql.exec('begin immediate')
    const forItself = orm.em.fork().transactional(() => run((em) => em.count(User)))

    const unavailable = { statusCode: 503, code: 'ACCOUNTS_UNAVAILABLE' }
    const [answer] = await Promise.all([refresh(token), t.rejects(forItself, unavailable)])
    t.match(answer.json(), unavailable)
    await sql.exec('rollback')
    t.equal((await refresh(token)).statusCode, 200)
    t.equal(await run((em) => em.count(User)), 0)
  }
)

t.test(
  ...notEverywhere('a commit that fails and rolls back by itself, as on a full disk, leaves the next one free'),
  async (t) => {
    const { post, get, signUp, signIn, sql } = await buildOnFile(t, {}, { logger: { level: 'silent' } })
    const { refresh_token: token, access_token: access } = await signUp()
    // A transaction that is rolled back in earnest, before and after.
    const takenName = async () =>
      (await post('/auth/register', { username: 'ada', password: 'correct horse battery staple' })).statusCode
    t.equal(await takenName(), 409)
    for (const table of ['revoked_tokens', 'sessions', 'users']) {
      await sql.exec(
        `create trigger full_${table} before insert on accounts_${table} begin select raise(rollback, 'full'); end`
      )
    }
    t.equal((await post('/auth/logout', { refresh_token: token })).statusCode, 409)
    t.equal(
      (await post('/auth/register', { username: 'bob', password: 'correct horse battery staple' })).statusCode,
      409
    )
    t.equal((await post('/auth/login', { username: 'ada', password: 'correct horse battery staple' })).statusCode, 409)

    for (const table of ['revoked_tokens', 'sessions', 'users']) await sql.exec(`drop trigger full_${table}`)
    t.equal((await get('/guarded', access)).statusCode, 200)
    t.equal(await takenName(), 409)
    t.match([await signUp('bob'), await signIn()], [{ token_type: 'Bearer' }, { token_type: 'Bearer' }])
  }
)

t.test(
  ...notEverywhere('values that only a hand in the database can write let nobody in, and are no 500'),
  async (t) => {
    const { signUp, get, post, refresh, sql } = await buildOnFile(t, {}, { logger: { level: 'silent' } })
    const { access_token: access, refresh_token: token } = await signUp()
    for (const roles of ["''", "'{}'", '\'"admin"\'', "'[null]'", "'[1]'"]) {
      await sql.exec(`update accounts_users set roles = ${roles}`)
      t.same((await get('/strict', access)).json().user.roles, [], roles)
    }
    for (const column of ['refresh_expires_at', 'absolute_expires_at', 'ver']) {
      const before = (await sql.get(`select ${column} as value from accounts_sessions`))!.value
      await sql.exec(`update accounts_sessions set ${column} = 'garbage'`)
      t.match((await get('/strict', access)).json(), { code: 'ACCOUNTS_TOKEN_REVOKED' }, column)
      t.match((await refresh(token)).json(), { code: 'ACCOUNTS_TOKEN_REVOKED' }, column)
      await sql.run(`update accounts_sessions set ${column} = ?`, before)
    }
    t.equal((await refresh(token)).statusCode, 200)
    await sql.exec("update accounts_users set last_login_at = 'garbage', roles = '{}'")
    t.same((await post('/auth/login', { username: 'ada', password })).json().user.roles, [])
    await sql.exec("pragma foreign_keys = off; update accounts_users set id = 'garbage'")
    t.equal((await post('/auth/login', { username: 'ada', password })).statusCode, 401)
  }
)

t.test('the database holds no token, no part of one that matters, and no password', async (t) => {
  const { signUp, refresh, post, sql } = await buildOnFile(t, { events: { store: true } })
  const first = await signUp()
  const second = (await refresh(first.refresh_token)).json()
  await post('/auth/logout', { refresh_token: second.refresh_token })

  const tables = ['users', 'sessions', 'revoked_tokens', 'revision', 'throttle', 'events', 'migrations']
  const dump = JSON.stringify(await Promise.all(tables.map((name) => sql.all(`select * from accounts_${name}`))))
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
  const rows = await Promise.all(
    ['accounts_sessions', 'accounts_users'].map((name) => sql.get(`select * from ${name}`))
  )
  const values = rows.flatMap((row) => Object.values(row!)).filter((value) => typeof value === 'string')
  t.ok(values.length > 5)
  for (const value of values) {
    t.ok([400, 401].includes((await get('/guarded', value)).statusCode))
    t.equal((await refresh(value)).statusCode, 401)
  }
})

t.test(...notEverywhere('an app that is closed has closed its file'), async (t) => {
  const { app, db } = await buildOnFile(t)
  await app.close()
  t.notOk(existsSync(`${db}-wal`) && await open(db).get('select count(*) from accounts_users') === undefined)
  await build(t, { db })
})
