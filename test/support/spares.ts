import type { Test, TestBase } from 'tap'
import { create, type Kind, type Sql, openDatabase } from './databases.ts'

/** A database of a server with our tables in it, and how it looked when nothing else was. */
interface Spare {
  url: string
  sql: Sql
  tables: string[]
  shape: string
}

const idle: Record<Kind, Spare[]> = { sqlite: [], postgresql: [], mariadb: [] }

const tablesOf = {
  postgresql: "select tablename as name from pg_tables where schemaname = 'public'",
  mariadb: 'select table_name as name from information_schema.tables where table_schema = database()',
}
const shapeOf = {
  postgresql: `select c.relname, a.attname, a.atttypid, a.attnotnull from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0
    where c.relnamespace = 'public'::regnamespace union all select tgname, '', 0, false from pg_trigger where not tgisinternal
    union all select nspname, '', 0, false from pg_namespace where nspname !~ '^pg_' union all select proname, '', 0, false from pg_proc where pronamespace = 'public'::regnamespace order by 1, 2`,
  mariadb: `select table_name as t, column_name as c, column_type as d from information_schema.columns where table_schema = database()
    union all select trigger_name, '', '' from information_schema.triggers where trigger_schema = database() order by 1, 2`,
}

/**
 * A database of a server with our tables and nobody in them. To make one takes longer than most tests do, so one that a
 * test has left as it was, but for its rows, serves the next test of the file.
 */
export async function migratedDatabase (t: Test, kind: 'postgresql' | 'mariadb'): Promise<string> {
  const spare = idle[kind].pop() ?? await migrate(t, kind)
  t.teardown(async () => {
    if (JSON.stringify(await spare.sql.all(shapeOf[kind])) !== spare.shape) return
    for (const table of spare.tables) {
      if (table.endsWith('_revision')) await spare.sql.run(`update ${table} set revision = 0`)
      else if (!table.endsWith('_migrations')) await spare.sql.run(`delete from ${table}`)
    }
    idle[kind].push(spare)
  })
  return spare.url
}

async function migrate (t: Test, kind: 'postgresql' | 'mariadb'): Promise<Spare> {
  let file: TestBase = t
  while (file.parent) file = file.parent
  const { url, sql } = await create(file as Test, kind)
  await (await openDatabase({ db: url, name: 'accounts' })).close()
  const tables = (await sql.all(tablesOf[kind])).map(({ name }) => name)
  return { url, sql, tables, shape: JSON.stringify(await sql.all(shapeOf[kind])) }
}
