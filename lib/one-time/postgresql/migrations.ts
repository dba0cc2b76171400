import type { MigrationObject } from '@mikro-orm/core'
import { Migration } from '@mikro-orm/migrations'

/**
 * Frozen: what is released is never changed, only followed by another. The tables begin with the `name` of accounts.
 */
export function migrationsOf (name: string): MigrationObject[] {
  class Factors extends Migration {
    override up () {
      this.addSql(`create table ${name}_spent (id varchar(64) not null, expires_at timestamptz(3) not null,
        constraint ${name}_spent_pkey primary key (id))`)
      this.addSql(`create index ${name}_spent_expires_at_index on ${name}_spent (expires_at)`)
      this.addSql(`alter table ${name}_users add column mfa_at timestamptz(3) null,
        add column factors_changed_at timestamptz(3) null`)
    }

    override down () {
      this.addSql(`alter table ${name}_users drop column factors_changed_at, drop column mfa_at`)
      this.addSql(`drop table ${name}_spent`)
    }
  }

  return [{ name: '0012-factors', class: Factors }]
}
