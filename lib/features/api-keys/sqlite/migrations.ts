import type { MigrationObject } from '@mikro-orm/core'
import { Migration } from '@mikro-orm/migrations'

/** Frozen: what is released is never changed, only followed by another. */
export function migrationsOf (name: string): MigrationObject[] {
  class Keys extends Migration {
    override up () {
      this.addSql(`create table ${name}_keys (
        id text not null primary key, user_id text not null, name text not null, hint text not null,
        hash text not null, old_hash text null, old_until datetime null, scopes json not null, lifetime integer null,
        created_at datetime not null, expires_at datetime null, last_used_at datetime null, last_used_ip text null,
        revoked_at datetime null, created_by text null,
        constraint ${name}_keys_user_id_foreign foreign key (user_id)
          references ${name}_users (id) on delete cascade)`)
      this.addSql(`create index ${name}_keys_user_id_index on ${name}_keys (user_id)`)
    }

    override down () {
      this.addSql(`drop table ${name}_keys`)
    }
  }

  return [{ name: '0015-keys', class: Keys }]
}
