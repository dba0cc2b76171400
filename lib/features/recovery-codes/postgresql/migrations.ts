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
        id varchar(64) not null, user_id uuid not null,
        created_at timestamptz(3) not null, used_at timestamptz(3) null,
        constraint ${name}_recovery_codes_pkey primary key (id))`)
      this.addSql(`create index ${name}_recovery_codes_user_id_index on ${name}_recovery_codes (user_id)`)
      this.addSql(`alter table ${name}_recovery_codes add constraint ${name}_recovery_codes_user_id_foreign
        foreign key (user_id) references ${name}_users (id) on delete cascade`)
    }

    override down () {
      this.addSql(`drop table ${name}_recovery_codes`)
    }
  }

  return [{ name: '0013-recovery-codes', class: RecoveryCodes }]
}
