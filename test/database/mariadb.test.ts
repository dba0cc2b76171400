// In a process of its own, for 120 s: it waits, mostly.
import { Type } from '@sinclair/typebox'
import type { MikroORM } from '@mikro-orm/core'
import type { MySqlConnection } from '@mikro-orm/mysql'
import t from 'tap'
import { entities } from '../../lib/index.ts'
import { build, password } from '../support/build.ts'
import { answers, freshDatabase, open, ormOf, openDatabase } from '../support/databases.ts'
import { wireTo } from './proxy.ts'
import { testServer } from './on-server.ts'
import { listenIn } from './wire.ts'

const others = 'from information_schema.processlist where db = database() and id <> connection_id()'

await testServer(t, {
  kind: 'mariadb',
  async killOthers (sql) {
    for (const { id } of await sql.all(`select id ${others}`)) await sql.run(`kill ${id}`).catch(() => {})
  },
  others: `select id ${others}`,
  locked: `select id ${others} and info like 'update %'`,
  tables: 'select table_name as name from information_schema.tables where table_schema = database()',
  // A server that only reads is one for all databases, and lets its administrators write.
  async onlyRead (_sql, orm) {
    const pool = await (orm.em.getConnection() as MySqlConnection).getNativeClient()
    const listener = (connection: { query: (statement: string) => void }) =>
      connection.query('set session transaction read only')
    pool.on('connection', listener)
    return async () => { pool.off('connection', listener) }
  },
  limits: 'select @@innodb_lock_wait_timeout as lock_s, @@idle_transaction_timeout as idle_s, @@sql_mode as mode',

  elsewhere: async (db) => db,
  parameters: 'connectTimeout=5000&charset=utf8mb4_unicode_ci',
})

const schemaGenerator = { skipTables: [/^accounts_/] }
const skip = !await answers('mariadb') && 'no MariaDB answers'

t.test('the driver for MySQL does the same on a MariaDB', { skip }, async (t) => {
  const db = (await freshDatabase(t, 'mariadb')).replace('mariadb:', 'mysql:')
  const { signUp, signIn, refresh, get, post } = await build(t, {
    db,
    user: { fields: { tags: Type.Array(Type.String(), { default: ['a'] }) } },
  })
  const { user, refresh_token: first } = await signUp()
  const { access_token: access, refresh_token: token } = (await refresh(first)).json()
  t.match((await get('/guarded', access)).json(), { user: { id: user.id, tags: ['a'] } })
  t.equal((await post('/auth/logout', { refresh_token: token })).statusCode, 204)
  t.match((await get('/guarded', access)).json(), { code: 'ACCOUNTS_TOKEN_REVOKED' })
  t.match(await signIn(), { user })
})

t.test(
  'mariadb: connections that an app has a new password for each time are used as they are, and those that it keeps to itself are refused',
  { skip },
  async (t) => {
    const db = await freshDatabase(t, 'mariadb')
    const empty = { entities: [], discovery: { warnWhenNoEntities: false }, schemaGenerator }
    const changing = await ormOf(db, { ...empty, password: async () => '' })
    t.teardown(() => changing.close(true))
    const kept = await ormOf(db, { ...empty, driverOptions: (await built(changing)).getClient() })
    const { signUp, post, get } = await build(t, { orm: changing })
    const { refresh_token: token, access_token: access } = await signUp()
    t.equal((await post('/auth/logout', { refresh_token: token })).statusCode, 204)
    t.equal((await get('/strict', access)).statusCode, 401)
    await t.rejects(build(t, { orm: kept }), {
      code: 'ACCOUNTS_OPTIONS_INVALID',
      message: /its connections come from a Kysely of its own, which writes values into statements/,
    })
  }
)

t.test(
  'mariadb: a connection that is lost before a transaction begins is a 503, and is not missed',
  { skip },
  async (t) => {
    const wire = await wireTo(t, await freshDatabase(t, 'mariadb'))
    const { signUp, post } = await build(t, { db: `${wire.url}?connection_limit=1` }, { logger: { level: 'silent' } })
    const { refresh_token: token } = await signUp()
    const reached = wire.silenceAt(/@accounts_lock = /)
    const [answer] = await Promise.all([post('/auth/logout', { refresh_token: token }), reached.then(wire.away)])
    t.equal(answer.statusCode, 503)
    wire.back()
    t.equal((await post('/auth/logout', { refresh_token: token })).statusCode, 204)
  }
)

/** A connection whose client is made. */
async function built ({ em }: MikroORM): Promise<MySqlConnection> {
  const connection = em.getConnection() as MySqlConnection
  await connection.ensureConnection()
  return connection
}

t.test(
  'an app may have servers that know no backslash in texts, and nothing that is sent becomes a statement',
  { skip },
  async (t) => {
    const orm = await ormOf(await freshDatabase(t, 'mariadb'), {
      entities: [...entities],
      ensureDatabase: false,
      schemaGenerator,
    })
    t.teardown(() => orm.close(true))
    const pool = await (orm.em.getConnection() as MySqlConnection).getNativeClient()
    pool.on('connection', (connection) =>
      connection.query("set session sql_mode = 'STRICT_TRANS_TABLES,NO_BACKSLASH_ESCAPES'")
    )
    const { app } = await build(t, { orm })

    const agents = [
      "x' -- ",
      "\\', (select password_hash from accounts_users limit 1), null, null) -- ",
      '\\',
      '"',
      "it's ? ?? \\?",
    ]
    for (const [index, agent] of agents.entries()) {
      const headers = { 'user-agent': agent }
      const { statusCode, body } = await app.inject({
        method: 'POST',
        url: '/auth/register',
        headers,
        payload: { username: `it's \\ ${index}`, password },
      })
      t.equal(statusCode, 201)
      t.match(await app.accounts.sessions.list(JSON.parse(body).user.id), [{ userAgent: agent }])
    }
    t.equal(
      await orm.em
        .getConnection()
        .execute('select @@sql_mode as mode')
        .then(([{ mode }]) => mode),
      'NO_BACKSLASH_ESCAPES,STRICT_TRANS_TABLES'
    )
  }
)

t.test('what an app asks on the connections that it shares goes as it did', { skip }, async (t) => {
  const wire = await listenIn(t, await freshDatabase(t, 'mariadb'))
  const orm = await ormOf(wire.url, {
    entities: [...entities],
    schemaGenerator: { skipTables: [/^(accounts|admins)_/] },
  })
  t.teardown(() => orm.close(true))
  await build(t, { orm })
  await openDatabase({ db: '', orm, name: 'admins' })
  await orm.em.getConnection().execute('select ? as one', [1789])
  t.match(wire.heard().filter(({ text }) => text.includes('1789')), [{ kind: 'query', text: 'select 1789 as one' }])
})

t.test('a migration whose process was killed before it was noted is made again', { skip }, async (t) => {
  const db = await freshDatabase(t, 'mariadb')
  const sql = open(db)
  t.teardown(sql.close)
  const { orm, close } = await openDatabase({ db, name: 'accounts' })
  t.teardown(close)
  await orm.migrator.down({ to: 0 })
  for (const { name } of await orm.migrator.getPending()) {
    await orm.migrator.up({ to: name })
    await sql.run('delete from accounts_migrations where name = ?', name)
    await t.resolves(orm.migrator.up({ to: name }), name)
  }
  t.equal((await orm.schema.getUpdateSchemaSQL({ wrap: false, dropTables: false })).trim(), '')
})
