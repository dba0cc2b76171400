import { open } from '../databases.ts'
import { testServer } from './on-server.ts'

const others = 'from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()'

await testServer({
  kind: 'postgresql',
  killOthers: (sql) => sql.all(`select pg_terminate_backend(pid) ${others}`),
  others: `select pid as id ${others}`,
  tables: "select table_name as name from information_schema.tables where table_schema = 'public'",

  async elsewhere (db) {
    const sql = open(db)
    await sql.run(`alter database ${new URL(db).pathname.slice(1)} set timezone to 'Asia/Kathmandu'`)
    await sql.close()
    return db
  },

  parameters: 'application_name=accounts&sslmode=disable',
})
