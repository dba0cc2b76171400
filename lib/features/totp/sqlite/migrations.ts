import type { MigrationObject } from '@mikro-orm/core'
import { Migration } from '@mikro-orm/migrations'

/**
 * Frozen: what is released is never changed, only followed by another. The tables begin with the `name` of the
 * accounts.
 */
export function migrationsOf (name: string): MigrationObject[] {
  class Totp extends Migration {
    override up () {
      this.addSql(`create table ${name}_totp (
        user_id text not null primary key, sealed text not null, key_id text not null,
        last_step integer not null, failures integer not null, counted_for datetime null, created_at datetime not null,
        last_used_at datetime null,
        constraint ${name}_totp_user_id_foreign
        foreign key (user_id) references ${name}_users (id) on update cascade on delete cascade)`)
      this.addSql(`create index ${name}_totp_key_id_index on ${name}_totp (key_id)`)
    }

    override down () {
      this.addSql(`drop table ${name}_totp`)
    }
  }

  return [{ name: '0014-totp', class: Totp }]
}
