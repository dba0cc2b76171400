import type { MigrationObject } from '@mikro-orm/core'
import { Migration } from '@mikro-orm/migrations'

/** Frozen: what is released is never changed, only followed by another. */
export function migrationsOf (name: string): MigrationObject[] {
  class Identities extends Migration {
    override up () {
      this.addSql(`create table ${name}_identities (
        id uuid not null, user_id uuid not null, provider varchar(64) not null, subject_key varchar(64) not null,
        issuer varchar(255) not null, subject varchar(255) not null, email varchar(255) null, tokens text null,
        key_id varchar(8) null,
        created_at timestamptz(3) not null, last_used_at timestamptz(3) not null,
        constraint ${name}_identities_pkey primary key (id),
        constraint ${name}_identities_user_id_foreign foreign key (user_id)
          references ${name}_users (id) on delete cascade)`)
      this.addSql(`alter table ${name}_identities
        add constraint ${name}_identities_subject_key_unique unique (subject_key)`)
      this.addSql(`create index ${name}_identities_user_id_index on ${name}_identities (user_id)`)
    }

    override down () {
      this.addSql(`drop table ${name}_identities`)
    }
  }

  return [{ name: '0019-identities', class: Identities }]
}
