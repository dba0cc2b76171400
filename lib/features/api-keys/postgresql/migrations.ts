import type { MigrationObject } from '@mikro-orm/core'
import { Migration } from '@mikro-orm/migrations'

/** Frozen: what is released is never changed, only followed by another. */
export function migrationsOf (name: string): MigrationObject[] {
  class Keys extends Migration {
    override up () {
      this.addSql(`create table ${name}_keys (
        id uuid not null, user_id uuid not null, name varchar(64) not null, hint varchar(8) not null,
        hash varchar(64) not null, old_hash varchar(64) null, old_until timestamptz(3) null, scopes jsonb not null,
        lifetime int null,
        created_at timestamptz(3) not null, expires_at timestamptz(3) null, last_used_at timestamptz(3) null,
        last_used_ip varchar(64) null, revoked_at timestamptz(3) null, created_by uuid null,
        constraint ${name}_keys_pkey primary key (id),
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
