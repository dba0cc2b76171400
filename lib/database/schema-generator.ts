import type { MikroORM } from '@mikro-orm/core'
import { OptionsInvalid } from '../http/errors.ts'

/**
 * An app's own MikroORM compares the whole database with its entities: `orm.schema.update()`, and each migration that
 * it makes, drops the tables that it does not know, with all that is in them. So it has to be told to leave ours alone.
 * @throws {OptionsInvalid} that says which option to give it, where it has not been told
 */
export function requireSkipped (host: MikroORM, name: string, tables: string[]): void {
  const skipped = host.config.get('schemaGenerator').skipTables!
  // As MikroORM compares them.
  const skips = (skip: string | RegExp, table: string) =>
    typeof skip === 'string' ? skip.toLowerCase() === table : skip.test(table)
  const dropped = tables.filter((table) => !skipped.some((skip) => skips(skip, table)))
  if (dropped.length === 0) return
  throw new OptionsInvalid(`orm.schema.update() of your MikroORM would drop ${dropped.join(', ')}: ` +
    `give it the option schemaGenerator: { skipTables: [/^${name}_/] }`)
}
