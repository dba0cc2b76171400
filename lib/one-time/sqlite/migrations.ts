import type { MigrationObject } from '@mikro-orm/core'
import { Migration } from '@mikro-orm/migrations'

/**
 * Frozen: what is released is never changed, only followed by another. The tables begin with the `name` of accounts.
 */
export function migrationsOf (name: string): MigrationObject[] {
  class Factors extends Migration {
    override up () {
      this.addSql(`create table ${name}_spent (id text not null primary key, expires_at datetime not null)`)
      this.addSql(`create index ${name}_spent_expires_at_index on ${name}_spent (expires_at)`)
      for (const column of ['mfa_at', 'factors_changed_at']) {
        this.addSql(`alter table ${name}_users add column ${column} datetime null`)
      }
    }

    override down () {
      for (const column of ['factors_changed_at', 'mfa_at']) {
        this.addSql(`alter table ${name}_users drop column ${column}`)
      }
      this.addSql(`drop table ${name}_spent`)
    }
  }

  return [{ name: '0012-factors', class: Factors }]
}
