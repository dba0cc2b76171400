import type { MigrationObject } from '@mikro-orm/core'
import { Migration } from '@mikro-orm/migrations'

/**
 * Frozen: what is released is never changed, only followed by another. The tables begin with the `name` of the
 * accounts.
 */
export function migrationsOf (name: string): MigrationObject[] {
  /** Pages are left a tenth empty: a refresh, which changes no column that is indexed, finds room beside its row. */
  class ExpiryDays extends Migration {
    override up () {
      this.addSql(`alter table ${name}_sessions add column expires_day int not null default 0`)
      this.addSql(`update ${name}_sessions set expires_day = floor(extract(epoch from refresh_expires_at) / 86400)`)
      this.addSql(`drop index ${name}_sessions_refresh_expires_at_index`)
      this.addSql(`create index ${name}_sessions_expires_day_index on ${name}_sessions (expires_day)`)
      this.addSql(`alter table ${name}_sessions set (fillfactor = 90)`)
    }

    override down () {
      this.addSql(`alter table ${name}_sessions reset (fillfactor)`)
      this.addSql(`drop index ${name}_sessions_expires_day_index`)
      this.addSql(`create index ${name}_sessions_refresh_expires_at_index on ${name}_sessions (refresh_expires_at)`)
      this.addSql(`alter table ${name}_sessions drop column expires_day`)
    }
  }

  /** Which admin has borrowed a session. */
  class BorrowedSessions extends Migration {
    override up () {
      this.addSql(`alter table ${name}_sessions add column actor_id uuid null`)
      this.addSql(`create index ${name}_sessions_actor_id_index on ${name}_sessions (actor_id)`)
    }

    override down () {
      this.addSql(`drop index ${name}_sessions_actor_id_index`)
      this.addSql(`alter table ${name}_sessions drop column actor_id`)
    }
  }

  return [
    { name: '0018-borrowed-sessions', class: BorrowedSessions },
    { name: '0021-expiry-days', class: ExpiryDays },
  ]
}
