import type { MigrationObject } from '@mikro-orm/core'
import { Migration } from '@mikro-orm/migrations'

/** Texts are compared byte by byte: what a collation takes for equal are two ids, two keys. */
const table = 'engine = InnoDB default charset = utf8mb4 collate = utf8mb4_bin'

/**
 * MySQL and MariaDB. Frozen: what is released is never changed, only followed by another. The tables begin with the
 * `name` of the accounts. Each statement commits by itself here, so all of them can be run again after one that failed.
 */
export function migrationsOf (name: string): MigrationObject[] {
  class Totp extends Migration {
    override up () {
      this.addSql(`create table if not exists ${name}_totp (
        user_id varchar(36) not null, sealed varchar(255) not null,
        key_id varchar(8) not null, last_step int not null, failures int not null, counted_for datetime(3) null,
        created_at datetime(3) not null, last_used_at datetime(3) null,
        primary key (user_id),
        index ${name}_totp_key_id_index (key_id),
        constraint ${name}_totp_user_id_foreign
        foreign key (user_id) references ${name}_users (id) on update cascade on delete cascade) ${table}`)
    }

    override down () {
      this.addSql(`drop table if exists ${name}_totp`)
    }
  }

  return [{ name: '0014-totp', class: Totp }]
}
