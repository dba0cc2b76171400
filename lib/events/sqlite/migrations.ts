import type { MigrationObject } from '@mikro-orm/core'
import { Migration } from '@mikro-orm/migrations'

/**
 * Frozen: what is released is never changed, only followed by another. The tables begin with the `name` of accounts.
 */
export function migrationsOf (name: string): MigrationObject[] {
  const index = (columns: string) => `${name}_events_${columns.replace(', ', '_')}_index`
  const indexes = ['type, id', 'user_id, id', 'actor_id, id', 'ip, id', 'seal, id']
  const columns = [
    ['actor_id', 'text'], ['request_id', 'text'], ['personal', 'text'], ['erased', 'text'], ['seal', 'integer'],
  ]

  /** Who did it, by which request, and seals that show whether somebody has changed it since. */
  class Audit extends Migration {
    override up () {
      this.addSql(`alter table ${name}_events rename column details to data`)
      for (const [column, type] of columns) this.addSql(`alter table ${name}_events add column ${column} ${type} null`)
      this.addSql(`drop index ${index('user_id')}`)
      for (const each of indexes) this.addSql(`create index ${index(each)} on ${name}_events (${each})`)
      this.addSql(`create table ${name}_seals (seq integer not null primary key, entries integer not null,
        hash text not null, kid text not null, pruned text null, created_at datetime not null)`)
    }

    override down () {
      this.addSql(`drop table ${name}_seals`)
      for (const each of indexes) this.addSql(`drop index ${index(each)}`)
      this.addSql(`create index ${index('user_id')} on ${name}_events (user_id)`)
      for (const [column] of columns) this.addSql(`alter table ${name}_events drop column ${column}`)
      this.addSql(`alter table ${name}_events rename column data to details`)
    }
  }

  return [{ name: '0016-audit', class: Audit }]
}
