import type { MikroORM } from '@mikro-orm/core'
import { quotedTable } from './tables.ts'

/**
 * The names of our migrations that have not run: all of them where the migrator's table cannot be read. It writes
 * nothing and asks once, where the migrator would ask more, and make its table.
 */
export async function pendingIn (orm: MikroORM): Promise<string[]> {
  const { tableName, migrationsList } = orm.config.get('migrations')
  const table = quotedTable(orm, tableName!)
  const ran: { name: string }[] = await orm.em.getConnection().execute(`select name from ${table}`).catch(() => [])
  const names = migrationsList!.map(({ name }) => name)
  return names.filter((name) => !ran.some((row) => row.name === name))
}
