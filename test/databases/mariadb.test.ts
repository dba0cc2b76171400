import { testServer } from './on-server.ts'

const others = 'from information_schema.processlist where db = database() and id <> connection_id()'

await testServer({
  kind: 'mariadb',
  async killOthers (sql) {
    for (const { id } of await sql.all(`select id ${others}`)) await sql.run(`kill ${id}`).catch(() => {})
  },
  countOthers: `select count(*) as n ${others}`,
  tables: 'select table_name as name from information_schema.tables where table_schema = database()',
  elsewhere: async (db) => db,
  parameters: 'connectTimeout=5000&charset=utf8mb4_unicode_ci',
})
