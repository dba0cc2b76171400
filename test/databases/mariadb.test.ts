import { Type } from '@sinclair/typebox'
import t from 'tap'
import { build } from '../build.ts'
import { answers, freshDatabase } from '../databases.ts'
import { testServer } from './on-server.ts'

const others = 'from information_schema.processlist where db = database() and id <> connection_id()'

await testServer({
  kind: 'mariadb',
  async killOthers (sql) {
    for (const { id } of await sql.all(`select id ${others}`)) await sql.run(`kill ${id}`).catch(() => {})
  },
  others: `select id ${others}`,
  tables: 'select table_name as name from information_schema.tables where table_schema = database()',
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
