import type { MigrationObject } from '@mikro-orm/core'
import { Migration } from '@mikro-orm/migrations'

/** Texts are compared byte by byte: what a collation takes for equal are two subjects. */
const table = 'engine = InnoDB default charset = utf8mb4 collate = utf8mb4_bin'

/** MySQL and MariaDB. Frozen: what is released is never changed, only followed by another. */
export function migrationsOf (name: string): MigrationObject[] {
  class Identities extends Migration {
    override up () {
      this.addSql(`create table if not exists ${name}_identities (
        id varchar(36) not null, user_id varchar(36) not null, provider varchar(64) not null,
        subject_key varchar(64) not null, issuer varchar(255) not null, subject varchar(255) not null,
        email varchar(255) null, tokens text null, key_id varchar(8) null,
        created_at datetime(3) not null, last_used_at datetime(3) not null,
        primary key (id),
        unique ${name}_identities_subject_key_unique (subject_key),
        index ${name}_identities_user_id_index (user_id),
        constraint ${name}_identities_user_id_foreign foreign key (user_id)
          references ${name}_users (id) on delete cascade) ${table}`)
    }

    override down () {
      this.addSql(`drop table if exists ${name}_identities`)
    }
  }

  return [{ name: '0019-identities', class: Identities }]
}
