import type { MigrationObject } from '@mikro-orm/core'
import { Migration } from '@mikro-orm/migrations'

/** Texts are compared byte by byte: what a collation takes for equal are two ids, two keys. */
const table = 'engine = InnoDB default charset = utf8mb4 collate = utf8mb4_bin'

/** MySQL and MariaDB. Frozen: what is released is never changed, only followed by another. */
export function migrationsOf (name: string): MigrationObject[] {
  class Passkeys extends Migration {
    override up () {
      this.addSql(`create table if not exists ${name}_passkeys (
        id varchar(36) not null, user_id varchar(36) not null, credential_key varchar(64) not null,
        credential_id text not null, public_key text not null, sign_count bigint not null,
        synced tinyint(1) not null, backed_up tinyint(1) not null, second_factor tinyint(1) not null,
        transports varchar(255) not null, aaguid varchar(36) not null, rp_id varchar(253) not null,
        name varchar(64) not null,
        created_at datetime(3) not null, last_used_at datetime(3) null,
        primary key (id),
        unique ${name}_passkeys_credential_key_unique (credential_key),
        index ${name}_passkeys_user_id_index (user_id),
        constraint ${name}_passkeys_user_id_foreign foreign key (user_id)
          references ${name}_users (id) on delete cascade) ${table}`)
    }

    override down () {
      this.addSql(`drop table if exists ${name}_passkeys`)
    }
  }

  return [{ name: '0014-passkeys', class: Passkeys }]
}
