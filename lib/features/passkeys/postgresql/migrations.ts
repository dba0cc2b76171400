import type { MigrationObject } from '@mikro-orm/core'
import { Migration } from '@mikro-orm/migrations'

/** Frozen: what is released is never changed, only followed by another. */
export function migrationsOf (name: string): MigrationObject[] {
  class Passkeys extends Migration {
    override up () {
      this.addSql(`create table ${name}_passkeys (
        id uuid not null, user_id uuid not null, credential_key varchar(64) not null, credential_id text not null,
        public_key text not null, sign_count bigint not null, synced boolean not null, backed_up boolean not null,
        second_factor boolean not null, transports varchar(255) not null, aaguid uuid not null,
        rp_id varchar(253) not null, name varchar(64) not null,
        created_at timestamptz(3) not null, last_used_at timestamptz(3) null,
        constraint ${name}_passkeys_pkey primary key (id),
        constraint ${name}_passkeys_user_id_foreign foreign key (user_id)
          references ${name}_users (id) on delete cascade)`)
      this.addSql(`alter table ${name}_passkeys
        add constraint ${name}_passkeys_credential_key_unique unique (credential_key)`)
      this.addSql(`create index ${name}_passkeys_user_id_index on ${name}_passkeys (user_id)`)
    }

    override down () {
      this.addSql(`drop table ${name}_passkeys`)
    }
  }

  return [{ name: '0014-passkeys', class: Passkeys }]
}
