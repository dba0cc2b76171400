import type { EntityClass, MikroORM } from '@mikro-orm/core'

/** Our tables, as a MikroORM of ours knows them. */
export function tablesOf (orm: MikroORM): { name: string, columns: string[] }[] {
  return orm.config.get('entities').map((entity) => {
    const { tableName, props } = orm.getMetadata().get(entity as EntityClass<object>)
    return { name: tableName, columns: props.flatMap(({ fieldNames }) => fieldNames) }
  })
}

/** A table as statements name it, in the schema that our migrations make tables in. */
export function quotedTable ({ config, em }: MikroORM, table: string): string {
  const { schema } = config.get('migrations')
  return [schema, table].flatMap((part) => part ? em.getPlatform().quoteIdentifier(part) : []).join('.')
}

/**
 * Makes sure that all of our columns can be read, by one statement that selects no row; when that fails, each column is
 * tried by itself. So tables of another version are found at the start, and not by each request.
 * @throws {Error} that names tables and columns, as in `accounts_sessions.answered_at`
 */
export async function requireTables (orm: MikroORM): Promise<void> {
  const tables = tablesOf(orm)
  const quote = (name: string) => orm.em.getPlatform().quoteIdentifier(name)

  function read (asked: typeof tables): Promise<unknown> {
    const columns = asked.flatMap(({ name, columns }) => columns.map((column) => `${quote(name)}.${quote(column)}`))
    const from = asked.map(({ name }) => `${quotedTable(orm, name)} as ${quote(name)}`)
    return orm.em.getConnection().execute(`select ${columns.join(', ')} from ${from.join(', ')} where 1 = 0`)
  }

  async function unreadable (): Promise<string[]> {
    const names: string[] = []
    for (const { name, columns } of tables) {
      const failed: string[] = []
      for (const column of columns) {
        await read([{ name, columns: [column] }]).catch(() => { failed.push(`${name}.${column}`) })
      }
      names.push(...failed.length === columns.length ? [name] : failed)
    }
    return names
  }

  await read(tables).catch(async (cause) => {
    throw new Error(`${(await unreadable()).join(', ')} cannot be read: ${cause.message}`, { cause })
  })
}
