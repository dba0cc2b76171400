import type { MigrationObject } from '@mikro-orm/core'
import { Migration } from '@mikro-orm/migrations'

/** Texts are compared byte by byte: what a collation takes for equal are two ids, two keys. */
const table = 'engine = InnoDB default charset = utf8mb4 collate = utf8mb4_bin'

/**
 * MySQL and MariaDB. Frozen: what is released is never changed, only followed by another. The tables begin with the
 * `name` of the accounts. Each statement commits by itself here, so all of them can be run again after one that failed.
 */
export function migrationsOf (name: string): MigrationObject[] {
  const index = (columns: string) => `${name}_events_${columns.replace(', ', '_')}_index`
  const indexes = ['type, id', 'user_id, id', 'actor_id, id', 'ip, id', 'seal, id']

  /** Who did it, by which request, and seals that show whether somebody has changed it since. */
  class Audit extends Migration {
    override async up () {
      this.addSql(`create table if not exists ${name}_seals (seq int unsigned not null, entries int not null,
        hash varchar(64) not null, kid varchar(16) not null, pruned varchar(64) null, created_at datetime(3) not null,
        primary key (seq)) ${table}`)
      if (await this.lacksColumns()) {
        this.addSql(`alter table ${name}_events change column details data json null,
          add column actor_id varchar(36) null, add column request_id varchar(64) null,
          add column personal varchar(64) null, add column erased varchar(64) null, add column seal int null,
          drop index ${index('user_id')},
          ${indexes.map((each) => `add index ${index(each)} (${each})`).join(', ')}`)
      }
    }

    override down () {
      this.addSql(`alter table ${name}_events ${indexes.map((each) => `drop index ${index(each)}`).join(', ')},
        add index ${index('user_id')} (user_id), drop column seal, drop column erased, drop column personal,
        drop column request_id, drop column actor_id, change column data details json null`)
      this.addSql(`drop table if exists ${name}_seals`)
    }

    /** Whether events have no such columns yet: MySQL cannot ask for that where it adds one. */
    private async lacksColumns (): Promise<boolean> {
      const [found] = await this.execute(`select 1 from information_schema.columns
        where table_schema = database() and table_name = '${name}_events' and column_name = 'actor_id'`)
      return !found
    }
  }

  return [{ name: '0016-audit', class: Audit }]
}
