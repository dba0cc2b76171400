import type { MigrationObject } from '@mikro-orm/core'
import { Migration } from '@mikro-orm/migrations'

/** Frozen: what is released is never changed, only followed by another. The tables begin with the `name` of the accounts. */
export function migrationsOf (name: string): MigrationObject[] {
  class Mail extends Migration {
    override up () {
      this.addSql(`create table ${name}_one_time (
        id uuid not null, purpose varchar(16) not null, user_id uuid null, address varchar(255) null,
        address_key varchar(64) null, salt varchar(32) not null, challenge varchar(64) null, epoch int null,
        data jsonb null, tries int not null, created_at timestamptz(3) not null, expires_at timestamptz(3) not null, used_at timestamptz(3) null,
        constraint ${name}_one_time_pkey primary key (id),
        constraint ${name}_one_time_user_id_foreign foreign key (user_id) references ${name}_users (id) on delete cascade)`)
      this.addSql(`create index ${name}_one_time_user_id_purpose_index on ${name}_one_time (user_id, purpose)`)
      this.addSql(`create index ${name}_one_time_challenge_index on ${name}_one_time (challenge)`)
      this.addSql(`create index ${name}_one_time_expires_at_index on ${name}_one_time (expires_at)`)
      this.addSql(`create table ${name}_mails (
        id uuid not null, kind varchar(32) not null, user_id uuid null, address varchar(255) null,
        identifier_key varchar(64) null, one_time_id uuid null, challenge varchar(64) null,
        locale varchar(16) not null, data jsonb not null, claim uuid null, due_at bigint null,
        tries int not null, sent_at timestamptz(3) null, failed_at timestamptz(3) null, error varchar(64) null,
        expires_at timestamptz(3) not null, created_at timestamptz(3) not null, constraint ${name}_mails_pkey primary key (id))`)
      this.addSql(`create index ${name}_mails_due_at_index on ${name}_mails (due_at)`)
      this.addSql(`create index ${name}_mails_created_at_index on ${name}_mails (created_at)`)
      this.addSql(`alter table ${name}_users add column reset_due_at timestamptz(3) null, add column closes_at timestamptz(3) null,
        add column mail_failed_at timestamptz(3) null`)
      this.addSql(`create index ${name}_users_closes_at_index on ${name}_users (closes_at)`)
      this.addSql(`alter table ${name}_sessions add column amr jsonb null, add column acr varchar(16) not null default 'aal1'`)
    }

    override down () {
      this.addSql(`alter table ${name}_sessions drop column acr, drop column amr`)
      this.addSql(`drop index ${name}_users_closes_at_index`)
      this.addSql(`alter table ${name}_users drop column mail_failed_at, drop column closes_at, drop column reset_due_at`)
      this.addSql(`drop table ${name}_mails`)
      this.addSql(`drop table ${name}_one_time`)
    }
  }

  return [{ name: '0011-mail', class: Mail }]
}
