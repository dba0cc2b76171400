import type { MigrationObject } from '@mikro-orm/core'
import { Migration } from '@mikro-orm/migrations'

/** Texts are compared byte by byte: what a collation takes for equal are two ids, two keys. */
const table = 'engine = InnoDB default charset = utf8mb4 collate = utf8mb4_bin'

/**
 * MySQL and MariaDB. Frozen: what is released is never changed, only followed by another. The tables begin with the
 * `name` of the accounts. Each statement commits by itself here, so all of them can be run again after one that failed.
 */
export function migrationsOf (name: string): MigrationObject[] {
  class Factors extends Migration {
    override async up () {
      this.addSql(`create table if not exists ${name}_spent (id varchar(64) not null, expires_at datetime(3) not null,
        primary key (id),
        index ${name}_spent_expires_at_index (expires_at)) ${table}`)
      if (await this.lacksColumns()) {
        this.addSql(`alter table ${name}_users add column mfa_at datetime(3) null,
          add column factors_changed_at datetime(3) null`)
      }
    }

    override down () {
      this.addSql(`alter table ${name}_users drop column factors_changed_at, drop column mfa_at`)
      this.addSql(`drop table if exists ${name}_spent`)
    }

    /** Whether users have no such columns yet: MySQL cannot ask for that where it adds one. */
    private async lacksColumns (): Promise<boolean> {
      const [found] = await this.execute(`select 1 from information_schema.columns
        where table_schema = database() and table_name = '${name}_users' and column_name = 'mfa_at'`)
      return !found
    }
  }

  return [{ name: '0012-factors', class: Factors }]
}
