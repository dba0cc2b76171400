import type { MigrationObject } from '@mikro-orm/core'
import { Migration } from '@mikro-orm/migrations'

/** Texts are compared byte by byte: what a collation takes for equal are two ids, two keys, two subjects. */
const table = 'engine = InnoDB default charset = utf8mb4 collate = utf8mb4_bin'

/**
 * MySQL and MariaDB. Frozen: what is released is never changed, only followed by another. The tables begin with the
 * `name` of the accounts. Each statement commits by itself here, so all of them can be run again after one that failed.
 */
export function migrationsOf (name: string): MigrationObject[] {
  abstract class Repeatable extends Migration {
    /** Whether a table has no such column yet: MySQL cannot ask for that where it adds one. */
    protected async lacks (table: string, column: string): Promise<boolean> {
      const [found] = await this.execute(`select 1 from information_schema.columns
        where table_schema = database() and table_name = '${name}_${table}' and column_name = '${column}'`)
      return !found
    }
  }

  class Initial extends Migration {
    override up () {
      this.addSql(`create table if not exists ${name}_users (
        id varchar(36) not null, username varchar(255) null, username_key varchar(64) null, email varchar(255) null, email_key varchar(64) null,
        email_verified_at datetime(3) null, password_hash varchar(255) not null, roles json not null, profile json not null,
        epoch int not null, disabled_at datetime(3) null, created_at datetime(3) not null, updated_at datetime(3) not null,
        password_changed_at datetime(3) not null, last_login_at datetime(3) null,
        primary key (id),
        unique index ${name}_users_username_key_unique (username_key),
        unique index ${name}_users_email_key_unique (email_key)) ${table}`)

      this.addSql(`create table if not exists ${name}_sessions (
        id varchar(36) not null, user_id varchar(36) not null, ver int not null, salt varchar(64) not null,
        gen int not null, prev_gen int null, confirmed_gen int not null, rotated_at datetime(3) not null,
        created_at datetime(3) not null, auth_time datetime(3) not null, last_used_at datetime(3) not null,
        refresh_expires_at datetime(3) not null, absolute_expires_at datetime(3) not null, transport varchar(16) not null,
        user_agent varchar(512) null, ip varchar(64) null, revoked_at datetime(3) null, revoke_reason varchar(32) null,
        primary key (id),
        index ${name}_sessions_user_id_revoked_at_index (user_id, revoked_at),
        index ${name}_sessions_refresh_expires_at_index (refresh_expires_at),
        constraint ${name}_sessions_user_id_foreign foreign key (user_id) references ${name}_users (id) on delete cascade) ${table}`)

      this.addSql(`create table if not exists ${name}_revoked_tokens (
        id varchar(36) not null, revision bigint not null, kind varchar(16) not null, subject varchar(64) not null,
        epoch int null, created_at datetime(3) not null, expires_at datetime(3) not null,
        primary key (id),
        index ${name}_revoked_tokens_revision_index (revision),
        index ${name}_revoked_tokens_expires_at_index (expires_at)) ${table}`)

      this.addSql(`create table if not exists ${name}_revision (id int unsigned not null, revision bigint not null, primary key (id)) ${table}`)
      this.addSql(`insert ignore into ${name}_revision (id, revision) values (1, 0)`)
    }

    override down () {
      for (const table of ['revision', 'revoked_tokens', 'sessions', 'users']) this.addSql(`drop table if exists ${name}_${table}`)
    }
  }

  /** A guard asks by the `jti` of a token. */
  class RevokedBySubject extends Migration {
    override async up () {
      const index = `${name}_revoked_tokens_subject_index`
      const [found] = await this.execute(`select 1 from information_schema.statistics where table_schema = database() and index_name = '${index}'`)
      if (!found) this.addSql(`create index ${index} on ${name}_revoked_tokens (subject)`)
    }

    override down () {
      this.addSql(`drop index ${name}_revoked_tokens_subject_index on ${name}_revoked_tokens`)
    }
  }

  /** The window counts from the last time that the current token was given to somebody. */
  class AnsweredAt extends Repeatable {
    override async up () {
      if (await this.lacks('sessions', 'answered_at')) this.addSql(`alter table ${name}_sessions add column answered_at datetime(3) null`)
      this.addSql(`update ${name}_sessions set answered_at = rotated_at where answered_at is null`)
      this.addSql(`alter table ${name}_sessions modify column answered_at datetime(3) not null`)
    }

    override down () {
      this.addSql(`alter table ${name}_sessions drop column answered_at`)
    }
  }

  /** Failures are counted. */
  class Throttle extends Migration {
    override up () {
      this.addSql(`create table if not exists ${name}_throttle (
        id varchar(64) not null, drained_at bigint not null, blocked_until bigint not null,
        primary key (id),
        index ${name}_throttle_drained_at_index (drained_at)) ${table}`)
    }

    override down () {
      this.addSql(`drop table if exists ${name}_throttle`)
    }
  }

  /** What happens to accounts, for those who look into it later. */
  class Events extends Migration {
    override up () {
      this.addSql(`create table if not exists ${name}_events (
        id varchar(36) not null, type varchar(32) not null, user_id varchar(36) null, session_id varchar(36) null, reason varchar(32) null,
        ip varchar(64) null, user_agent varchar(512) null, created_at datetime(3) not null,
        primary key (id),
        index ${name}_events_user_id_index (user_id),
        index ${name}_events_created_at_index (created_at)) ${table}`)
    }

    override down () {
      this.addSql(`drop table if exists ${name}_events`)
    }
  }

  /** Admins are counted before one is lost, and a row of their own makes those that take one wait for each other. */
  class Admins extends Repeatable {
    override async up () {
      if (await this.lacks('users', 'is_admin')) {
        this.addSql(`alter table ${name}_users add column is_admin tinyint(1) not null default false, add index ${name}_users_is_admin_index (is_admin)`)
      }
      this.addSql(`update ${name}_users set is_admin = true where disabled_at is null and json_contains(roles, '["admin"]')`)
      this.addSql(`insert ignore into ${name}_revision (id, revision) values (2, 0)`)
    }

    override down () {
      this.addSql(`delete from ${name}_revision where id = 2`)
      this.addSql(`alter table ${name}_users drop column is_admin`)
    }
  }

  /** Fields of the app's own that are unique. */
  class UniqueFields extends Migration {
    override up () {
      this.addSql(`create table if not exists ${name}_unique_fields (
        field varchar(64) not null, value_key varchar(64) not null, user_id varchar(36) null,
        primary key (field, value_key),
        index ${name}_unique_fields_user_id_index (user_id),
        constraint ${name}_unique_fields_user_id_foreign foreign key (user_id) references ${name}_users (id) on delete cascade) ${table}`)
    }

    override down () {
      this.addSql(`drop table if exists ${name}_unique_fields`)
    }
  }

  /** Each refresh token is one of its kind, and its issue stands in it. Tokens of before can be judged no longer: everybody signs in once. */
  class BranchingRotation extends Repeatable {
    override async up () {
      this.addSql(`update ${name}_sessions set revoked_at = now(3), revoke_reason = 'upgrade' where revoked_at is null`)
      this.addSql(`update ${name}_users set epoch = epoch + 1`)
      if (await this.lacks('sessions', 'floor_gen')) {
        this.addSql(`alter table ${name}_sessions add column prev_branch varchar(16) null, add column floor_gen int not null default 0, drop column rotated_at`)
      }
    }

    override down () {
      this.addSql(`alter table ${name}_sessions add column rotated_at datetime(3) null`)
      this.addSql(`update ${name}_sessions set rotated_at = answered_at`)
      this.addSql(`alter table ${name}_sessions modify column rotated_at datetime(3) not null, drop column prev_branch, drop column floor_gen`)
    }
  }

  /** Of a stolen session, what is known of both sides. */
  class EventDetails extends Repeatable {
    override async up () {
      if (await this.lacks('events', 'details')) this.addSql(`alter table ${name}_events add column details json null`)
    }

    override down () {
      this.addSql(`alter table ${name}_events drop column details`)
    }
  }

  /** What the app keeps of a session. */
  class SessionData extends Repeatable {
    override async up () {
      if (await this.lacks('sessions', 'data')) this.addSql(`alter table ${name}_sessions add column data json null`)
    }

    override down () {
      this.addSql(`alter table ${name}_sessions drop column data`)
    }
  }

  return [
    { name: '0001-initial', class: Initial },
    { name: '0002-revoked-by-subject', class: RevokedBySubject },
    { name: '0003-answered-at', class: AnsweredAt },
    { name: '0004-throttle', class: Throttle },
    { name: '0005-events', class: Events },
    { name: '0006-admins', class: Admins },
    { name: '0007-unique-fields', class: UniqueFields },
    { name: '0008-branching-rotation', class: BranchingRotation },
    { name: '0009-event-details', class: EventDetails },
    { name: '0010-session-data', class: SessionData },
  ]
}
