import type { MigrationObject } from '@mikro-orm/core'
import { Migration } from '@mikro-orm/migrations'

/** Texts are compared byte by byte: what a collation takes for equal are two ids, two keys. */
const table = 'engine = InnoDB default charset = utf8mb4 collate = utf8mb4_bin'

/**
 * MySQL and MariaDB. Frozen: what is released is never changed, only followed by another. The tables begin with the
 * `name` of the accounts. Each statement commits by itself here, so all of them can be run again after one that failed.
 */
export function migrationsOf (name: string): MigrationObject[] {
  class RecoveryCodes extends Migration {
    override up () {
      this.addSql(`create table if not exists ${name}_recovery_codes (
        id varchar(64) not null, user_id varchar(36) not null,
        created_at datetime(3) not null, used_at datetime(3) null,
        primary key (id),
        index ${name}_recovery_codes_user_id_index (user_id),
        constraint ${name}_recovery_codes_user_id_foreign
        foreign key (user_id) references ${name}_users (id) on delete cascade) ${table}`)
    }

    override down () {
      this.addSql(`drop table if exists ${name}_recovery_codes`)
    }
  }

  return [{ name: '0013-recovery-codes', class: RecoveryCodes }]
}
