import type { Opened } from './open.ts'
import { quotedTable } from './tables.ts'

/**
 * The names of the migrations of the accounts `name` that have not run, all of them where the table that says so cannot be
 * read. Only looks, in one statement: the migrator asks more, and makes its table.
 */
export async function pendingIn ({ dialect, orm }: Pick<Opened, 'dialect' | 'orm'>, name: string): Promise<string[]> {
  const table = quotedTable(orm, orm.config.get('migrations').tableName!)
  const ran: { name: string }[] = await orm.em.getConnection().execute(`select name from ${table}`).catch(() => [])
  return dialect.migrationsOf(name).map(({ name }) => name).filter((name) => !ran.some((row) => row.name === name))
}
