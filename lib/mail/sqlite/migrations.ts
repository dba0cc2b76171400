import type { MigrationObject } from '@mikro-orm/core'
import { Migration } from '@mikro-orm/migrations'

/** Frozen: what is released is never changed, only followed by another. The tables begin with the `name` of the accounts. */
export function migrationsOf (name: string): MigrationObject[] {
  class Mail extends Migration {
    override up () {
      this.addSql(`create table ${name}_one_time (
        id text not null primary key, purpose text not null, user_id text null, address text null,
        address_key text null, salt text not null, challenge text null, epoch integer null,
        data json null, tries integer not null, created_at datetime not null, expires_at datetime not null, used_at datetime null,
        constraint ${name}_one_time_user_id_foreign foreign key (user_id) references ${name}_users (id) on delete cascade)`)
      this.addSql(`create index ${name}_one_time_user_id_purpose_index on ${name}_one_time (user_id, purpose)`)
      this.addSql(`create index ${name}_one_time_challenge_index on ${name}_one_time (challenge)`)
      this.addSql(`create index ${name}_one_time_expires_at_index on ${name}_one_time (expires_at)`)
      this.addSql(`create table ${name}_mails (
        id text not null primary key, kind text not null, user_id text null, address text null,
        identifier_key text null, one_time_id text null, challenge text null,
        locale text not null, data json not null, claim text null, due_at bigint null,
        tries integer not null, sent_at datetime null, failed_at datetime null, error text null,
        expires_at datetime not null, created_at datetime not null)`)
      this.addSql(`create index ${name}_mails_due_at_index on ${name}_mails (due_at)`)
      this.addSql(`create index ${name}_mails_created_at_index on ${name}_mails (created_at)`)
      for (const column of ['reset_due_at', 'closes_at', 'mail_failed_at']) {
        this.addSql(`alter table ${name}_users add column ${column} datetime null`)
      }
      this.addSql(`create index ${name}_users_closes_at_index on ${name}_users (closes_at)`)
      this.addSql(`alter table ${name}_sessions add column amr json null`)
      this.addSql(`alter table ${name}_sessions add column acr text not null default 'aal1'`)
    }

    override down () {
      for (const column of ['acr', 'amr']) this.addSql(`alter table ${name}_sessions drop column ${column}`)
      this.addSql(`drop index ${name}_users_closes_at_index`)
      for (const column of ['mail_failed_at', 'closes_at', 'reset_due_at']) {
        this.addSql(`alter table ${name}_users drop column ${column}`)
      }
      this.addSql(`drop table ${name}_mails`)
      this.addSql(`drop table ${name}_one_time`)
    }
  }

  return [{ name: '0011-mail', class: Mail }]
}
