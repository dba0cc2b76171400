import type { MikroORM } from '@mikro-orm/core'
import { quotedTable } from './tables.ts'

/**
 * The names of our migrations that have not run, all of them where the table that says so cannot be read. Only looks, in one
 * statement: the migrator asks more, and makes its table.
 */
export async function pendingIn (orm: MikroORM): Promise<string[]> {
  const { tableName, migrationsList } = orm.config.get('migrations')
  const table = quotedTable(orm, tableName!)
  const ran: { name: string }[] = await orm.em.getConnection().execute(`select name from ${table}`).catch(() => [])
  const names = migrationsList!.map(({ name }) => name)
  return names.filter((name) => !ran.some((row) => row.name === name))
}
