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
        user_id uuid not null, sealed varchar(255) not null, key_id varchar(8) not null,
        last_step int not null, failures int not null, counted_for timestamptz(3) null,
        created_at timestamptz(3) not null,
        last_used_at timestamptz(3) null,
        constraint ${name}_totp_pkey primary key (user_id))`)
      this.addSql(`create index ${name}_totp_key_id_index on ${name}_totp (key_id)`)
      this.addSql(`alter table ${name}_totp add constraint ${name}_totp_user_id_foreign
        foreign key (user_id) references ${name}_users (id) on update cascade on delete cascade`)
    }

    override down () {
      this.addSql(`drop table ${name}_totp`)
    }
  }

  return [{ name: '0014-totp', class: Totp }]
}
