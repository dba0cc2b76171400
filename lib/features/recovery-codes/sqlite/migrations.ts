import type { MigrationObject } from '@mikro-orm/core'
import { Migration } from '@mikro-orm/migrations'

/**
 * Frozen: what is released is never changed, only followed by another. The tables begin with the `name` of the
 * accounts.
 */
export function migrationsOf (name: string): MigrationObject[] {
  class RecoveryCodes extends Migration {
    override up () {
      this.addSql(`create table ${name}_recovery_codes (
        id text not null primary key, user_id text not null,
        created_at datetime not null, used_at datetime null,
        constraint ${name}_recovery_codes_user_id_foreign
        foreign key (user_id) references ${name}_users (id) on delete cascade)`)
      this.addSql(`create index ${name}_recovery_codes_user_id_index on ${name}_recovery_codes (user_id)`)
    }

    override down () {
      this.addSql(`drop table ${name}_recovery_codes`)
    }
  }

  return [{ name: '0013-recovery-codes', class: RecoveryCodes }]
}
