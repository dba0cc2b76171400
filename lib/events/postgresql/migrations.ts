import type { MigrationObject } from '@mikro-orm/core'
import { Migration } from '@mikro-orm/migrations'

/**
 * Frozen: what is released is never changed, only followed by another. The tables begin with the `name` of accounts.
 */
export function migrationsOf (name: string): MigrationObject[] {
  const index = (columns: string) => `${name}_events_${columns.replace(', ', '_')}_index`
  const indexes = ['type, id', 'user_id, id', 'actor_id, id', 'ip, id', 'seal, id']

  /** Who did it, by which request, and seals that show whether somebody has changed it since. */
  class Audit extends Migration {
    override up () {
      this.addSql(`alter table ${name}_events rename column details to data`)
      this.addSql(`alter table ${name}_events add column actor_id uuid null, add column request_id varchar(64) null,
        add column personal varchar(64) null, add column erased varchar(64) null, add column seal int null`)
      this.addSql(`drop index ${index('user_id')}`)
      for (const each of indexes) this.addSql(`create index ${index(each)} on ${name}_events (${each})`)
      this.addSql(`create table ${name}_seals (seq int not null primary key, entries int not null,
        hash varchar(64) not null, kid varchar(16) not null, pruned varchar(64) null,
        created_at timestamptz(3) not null)`)
    }

    override down () {
      this.addSql(`drop table ${name}_seals`)
      for (const each of indexes) this.addSql(`drop index ${index(each)}`)
      this.addSql(`create index ${index('user_id')} on ${name}_events (user_id)`)
      this.addSql(`alter table ${name}_events drop column seal, drop column erased, drop column personal,
        drop column request_id, drop column actor_id`)
      this.addSql(`alter table ${name}_events rename column data to details`)
    }
  }

  return [{ name: '0016-audit', class: Audit }]
}
