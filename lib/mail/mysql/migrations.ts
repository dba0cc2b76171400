import type { MigrationObject } from '@mikro-orm/core'
import { Migration } from '@mikro-orm/migrations'

/** Texts are compared byte by byte: what a collation takes for equal are two ids, two keys. */
const table = 'engine = InnoDB default charset = utf8mb4 collate = utf8mb4_bin'

/**
 * MySQL and MariaDB. Frozen: what is released is never changed, only followed by another. The tables begin with the
 * `name` of the accounts. Each statement commits by itself here, so all of them can be run again after one that failed.
 */
export function migrationsOf (name: string): MigrationObject[] {
  class Mail extends Migration {
    override async up () {
      this.addSql(`create table if not exists ${name}_one_time (
        id varchar(36) not null, purpose varchar(16) not null, user_id varchar(36) null, address varchar(255) null,
        address_key varchar(64) null, salt varchar(32) not null, challenge varchar(64) null, epoch int null,
        data json null, tries int not null, created_at datetime(3) not null, expires_at datetime(3) not null,
        used_at datetime(3) null,
        primary key (id),
        index ${name}_one_time_user_id_purpose_index (user_id, purpose),
        index ${name}_one_time_challenge_index (challenge),
        index ${name}_one_time_expires_at_index (expires_at),
        constraint ${name}_one_time_user_id_foreign foreign key (user_id) references ${name}_users (id) on delete cascade) ${table}`)
      this.addSql(`create table if not exists ${name}_mails (
        id varchar(36) not null, kind varchar(32) not null, user_id varchar(36) null, address varchar(255) null,
        identifier_key varchar(64) null, one_time_id varchar(36) null, challenge varchar(64) null,
        locale varchar(16) not null, data json not null, claim varchar(36) null, due_at bigint null,
        tries int not null, sent_at datetime(3) null, failed_at datetime(3) null, error varchar(64) null,
        expires_at datetime(3) not null, created_at datetime(3) not null,
        primary key (id),
        index ${name}_mails_due_at_index (due_at),
        index ${name}_mails_created_at_index (created_at)) ${table}`)
      if (await this.lacks('users', 'closes_at')) {
        this.addSql(`alter table ${name}_users add column reset_due_at datetime(3) null, add column closes_at datetime(3) null,
          add column mail_failed_at datetime(3) null, add index ${name}_users_closes_at_index (closes_at)`)
      }
      if (await this.lacks('sessions', 'amr')) {
        this.addSql(`alter table ${name}_sessions add column amr json null, add column acr varchar(16) not null default 'aal1'`)
      }
    }

    override down () {
      this.addSql(`alter table ${name}_sessions drop column acr, drop column amr`)
      this.addSql(`alter table ${name}_users drop index ${name}_users_closes_at_index, drop column mail_failed_at,
        drop column closes_at, drop column reset_due_at`)
      this.addSql(`drop table if exists ${name}_mails`)
      this.addSql(`drop table if exists ${name}_one_time`)
    }

    /** Whether a table has no such column yet: MySQL cannot ask for that where it adds one. */
    private async lacks (table: string, column: string): Promise<boolean> {
      const [found] = await this.execute(`select 1 from information_schema.columns
        where table_schema = database() and table_name = '${name}_${table}' and column_name = '${column}'`)
      return !found
    }
  }

  return [{ name: '0011-mail', class: Mail }]
}
