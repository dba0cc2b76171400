import type { MigrationObject } from '@mikro-orm/core'
import { Migration } from '@mikro-orm/migrations'

/** Frozen: what is released is never changed, only followed by another. */
export function migrationsOf (name: string): MigrationObject[] {
  class Passkeys extends Migration {
    override up () {
      this.addSql(`create table ${name}_passkeys (
        id text not null primary key, user_id text not null, credential_key text not null, credential_id text not null,
        public_key text not null, sign_count bigint not null, synced integer not null, backed_up integer not null,
        second_factor integer not null, transports text not null, aaguid text not null, rp_id text not null,
        name text not null,
        created_at datetime not null, last_used_at datetime null,
        constraint ${name}_passkeys_user_id_foreign foreign key (user_id)
          references ${name}_users (id) on delete cascade)`)
      this.addSql(`create unique index ${name}_passkeys_credential_key_unique on ${name}_passkeys (credential_key)`)
      this.addSql(`create index ${name}_passkeys_user_id_index on ${name}_passkeys (user_id)`)
    }

    override down () {
      this.addSql(`drop table ${name}_passkeys`)
    }
  }

  return [{ name: '0014-passkeys', class: Passkeys }]
}
