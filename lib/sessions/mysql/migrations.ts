import type { MigrationObject } from '@mikro-orm/core'
import { Migration } from '@mikro-orm/migrations'

/**
 * MySQL and MariaDB. Frozen: what is released is never changed, only followed by another. The tables begin with the
 * `name` of the accounts. Each statement commits by itself here, so all of them can be run again after one that failed.
 */
export function migrationsOf (name: string): MigrationObject[] {
  abstract class Repeatable extends Migration {
    /** Whether sessions have no such column yet: MySQL cannot ask for that where it adds one. */
    protected async lacks (column: string): Promise<boolean> {
      const [found] = await this.execute(`select 1 from information_schema.columns
        where table_schema = database() and table_name = '${name}_sessions' and column_name = '${column}'`)
      return !found
    }
  }

  /** Which admin has borrowed a session. */
  class BorrowedSessions extends Repeatable {
    override async up () {
      if (await this.lacks('actor_id')) {
        this.addSql(`alter table ${name}_sessions add column actor_id varchar(36) null,
          add index ${name}_sessions_actor_id_index (actor_id)`)
      }
    }

    override down () {
      this.addSql(`alter table ${name}_sessions drop index ${name}_sessions_actor_id_index, drop column actor_id`)
    }
  }

  class ExpiryDays extends Repeatable {
    override async up () {
      if (await this.lacks('expires_day')) {
        this.addSql(`alter table ${name}_sessions add column expires_day int not null default 0,
          drop index ${name}_sessions_refresh_expires_at_index,
          add index ${name}_sessions_expires_day_index (expires_day)`)
      }
      this.addSql(`update ${name}_sessions set expires_day = timestampdiff(day, '1970-01-01', refresh_expires_at)`)
    }

    override down () {
      this.addSql(`alter table ${name}_sessions drop index ${name}_sessions_expires_day_index, drop column expires_day,
        add index ${name}_sessions_refresh_expires_at_index (refresh_expires_at)`)
    }
  }

  return [
    { name: '0018-borrowed-sessions', class: BorrowedSessions },
    { name: '0021-expiry-days', class: ExpiryDays },
  ]
}
