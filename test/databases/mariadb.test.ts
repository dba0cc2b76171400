import { Type } from '@sinclair/typebox'
import type { MikroORM } from '@mikro-orm/core'
import type { MySqlConnection } from '@mikro-orm/mysql'
import t from 'tap'
import { build } from '../build.ts'
import { answers, freshDatabase, ormOf } from '../databases.ts'
import { wireTo } from './proxy.ts'
import { testServer } from './on-server.ts'

const others = 'from information_schema.processlist where db = database() and id <> connection_id()'

await testServer({
  kind: 'mariadb',
  async killOthers (sql) {
    for (const { id } of await sql.all(`select id ${others}`)) await sql.run(`kill ${id}`).catch(() => {})
  },
  others: `select id ${others}`,
  tables: 'select table_name as name from information_schema.tables where table_schema = database()',
  // A server that only reads is one for all databases, and lets its administrators write.
  async onlyRead (_sql, orm) {
    const pool = await (orm.em.getConnection() as MySqlConnection).getNativeClient()
    const listener = (connection: { query: (statement: string) => void }) => connection.query('set session transaction read only')
    pool.on('connection', listener)
    return async () => { pool.off('connection', listener) }
  },
  limits: 'select @@innodb_lock_wait_timeout as lock_s, @@idle_transaction_timeout as idle_s, @@sql_mode as mode',

  elsewhere: async (db) => db,
  parameters: 'connectTimeout=5000&charset=utf8mb4_unicode_ci',
})

t.test('the driver for MySQL does the same on a MariaDB', { skip: !await answers('mariadb') && 'no MariaDB answers' }, async (t) => {
  const db = (await freshDatabase(t, 'mariadb')).replace('mariadb:', 'mysql:')
  const { signUp, signIn, refresh, get, post } = await build(t, { db, user: { fields: { tags: Type.Array(Type.String(), { default: ['a'] }) } } })
  const { user, refresh_token: first } = await signUp()
  const { access_token: access, refresh_token: token } = (await refresh(first)).json()
  t.match((await get('/guarded', access)).json(), { user: { id: user.id, tags: ['a'] } })
  t.equal((await post('/auth/logout', { refresh_token: token })).statusCode, 204)
  t.match((await get('/guarded', access)).json(), { code: 'ACCOUNTS_TOKEN_REVOKED' })
  t.match(await signIn(), { user })
})

t.test('mariadb: connections that an app keeps to itself, or has a new password for each time, are used as they are', { skip: !await answers('mariadb') && 'no MariaDB answers' }, async (t) => {
  const db = await freshDatabase(t, 'mariadb')
  const empty = { entities: [], discovery: { warnWhenNoEntities: false }, schemaGenerator: { skipTables: [/^accounts_/] } }
  const changing = await ormOf(db, { ...empty, password: async () => '' })
  t.teardown(() => changing.close(true))
  const kept = await ormOf(db, { ...empty, driverOptions: (await built(changing)).getClient() })
  for (const [orm, name] of [[changing, 'ada'], [kept, 'bob']] as const) {
    const { signUp, post, get } = await build(t, { orm })
    const { refresh_token: token, access_token: access } = await signUp(name)
    t.equal((await post('/auth/logout', { refresh_token: token })).statusCode, 204)
    t.equal((await get('/strict', access)).statusCode, 401)
  }
})

t.test('mariadb: a connection that is lost before a transaction begins is a 503, and is not missed', { skip: !await answers('mariadb') && 'no MariaDB answers' }, async (t) => {
  const wire = await wireTo(t, await freshDatabase(t, 'mariadb'))
  const { signUp, post } = await build(t, { db: `${wire.url}?connection_limit=1` }, { logger: { level: 'silent' } })
  const { refresh_token: token } = await signUp()
  const reached = wire.silenceAt(/@accounts_lock = /)
  const [answer] = await Promise.all([post('/auth/logout', { refresh_token: token }), reached.then(wire.away)])
  t.equal(answer.statusCode, 503)
  wire.back()
  t.equal((await post('/auth/logout', { refresh_token: token })).statusCode, 204)
})

/** A connection whose client is made. */
async function built ({ em }: MikroORM): Promise<MySqlConnection> {
  const connection = em.getConnection() as MySqlConnection
  await connection.ensureConnection()
  return connection
}
