import type { MigrationObject } from '@mikro-orm/core'
import { Migration } from '@mikro-orm/migrations'

/** Frozen: what is released is never changed, only followed by another. */
export function migrationsOf (name: string): MigrationObject[] {
  class Identities extends Migration {
    override up () {
      this.addSql(`create table ${name}_identities (
        id text not null primary key, user_id text not null, provider text not null, subject_key text not null,
        issuer text not null, subject text not null, email text null, tokens text null, key_id text null,
        created_at datetime not null, last_used_at datetime not null,
        constraint ${name}_identities_user_id_foreign foreign key (user_id)
          references ${name}_users (id) on delete cascade)`)
      this.addSql(`create unique index ${name}_identities_subject_key_unique on ${name}_identities (subject_key)`)
      this.addSql(`create index ${name}_identities_user_id_index on ${name}_identities (user_id)`)
    }

    override down () {
      this.addSql(`drop table ${name}_identities`)
    }
  }

  return [{ name: '0019-identities', class: Identities }]
}
