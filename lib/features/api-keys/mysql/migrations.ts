import type { MigrationObject } from '@mikro-orm/core'
import { Migration } from '@mikro-orm/migrations'

/** Texts are compared byte by byte: what a collation takes for equal are two ids, two hashes. */
const table = 'engine = InnoDB default charset = utf8mb4 collate = utf8mb4_bin'

/** MySQL and MariaDB. Frozen: what is released is never changed, only followed by another. */
export function migrationsOf (name: string): MigrationObject[] {
  class Keys extends Migration {
    override up () {
      this.addSql(`create table if not exists ${name}_keys (
        id varchar(36) not null, user_id varchar(36) not null, name varchar(64) not null, hint varchar(8) not null,
        hash varchar(64) not null, old_hash varchar(64) null, old_until datetime(3) null, scopes json not null,
        lifetime int null,
        created_at datetime(3) not null, expires_at datetime(3) null, last_used_at datetime(3) null,
        last_used_ip varchar(64) null, revoked_at datetime(3) null, created_by varchar(36) null,
        primary key (id),
        index ${name}_keys_user_id_index (user_id),
        constraint ${name}_keys_user_id_foreign foreign key (user_id)
          references ${name}_users (id) on delete cascade) ${table}`)
    }

    override down () {
      this.addSql(`drop table if exists ${name}_keys`)
    }
  }

  return [{ name: '0015-keys', class: Keys }]
}
