import type { MigrationObject } from '@mikro-orm/core'
import { Migration } from '@mikro-orm/migrations'

/** Frozen: what is released is never changed, only followed by another. The tables begin with the `name` of the accounts. */
export function migrationsOf (name: string): MigrationObject[] {
  class Initial extends Migration {
    override up () {
      this.addSql(`create table ${name}_users (
        id uuid not null, username varchar(255) null, username_key varchar(64) null, email varchar(255) null, email_key varchar(64) null,
        email_verified_at timestamptz(3) null, password_hash varchar(255) not null, roles jsonb not null, profile jsonb not null,
        epoch int not null, disabled_at timestamptz(3) null, created_at timestamptz(3) not null, updated_at timestamptz(3) not null,
        password_changed_at timestamptz(3) not null, last_login_at timestamptz(3) null,
        constraint ${name}_users_pkey primary key (id),
        constraint ${name}_users_username_key_unique unique (username_key),
        constraint ${name}_users_email_key_unique unique (email_key))`)

      this.addSql(`create table ${name}_sessions (
        id uuid not null, user_id uuid not null, ver int not null, salt varchar(64) not null,
        gen int not null, prev_gen int null, confirmed_gen int not null, rotated_at timestamptz(3) not null,
        created_at timestamptz(3) not null, auth_time timestamptz(3) not null, last_used_at timestamptz(3) not null,
        refresh_expires_at timestamptz(3) not null, absolute_expires_at timestamptz(3) not null, transport varchar(16) not null,
        user_agent varchar(512) null, ip varchar(64) null, revoked_at timestamptz(3) null, revoke_reason varchar(32) null,
        constraint ${name}_sessions_pkey primary key (id),
        constraint ${name}_sessions_user_id_foreign foreign key (user_id) references ${name}_users (id) on delete cascade)`)
      this.addSql(`create index ${name}_sessions_user_id_revoked_at_index on ${name}_sessions (user_id, revoked_at)`)
      this.addSql(`create index ${name}_sessions_refresh_expires_at_index on ${name}_sessions (refresh_expires_at)`)

      this.addSql(`create table ${name}_revoked_tokens (
        id uuid not null, revision bigint not null, kind varchar(16) not null, subject varchar(64) not null,
        epoch int null, created_at timestamptz(3) not null, expires_at timestamptz(3) not null,
        constraint ${name}_revoked_tokens_pkey primary key (id))`)
      this.addSql(`create index ${name}_revoked_tokens_revision_index on ${name}_revoked_tokens (revision)`)
      this.addSql(`create index ${name}_revoked_tokens_expires_at_index on ${name}_revoked_tokens (expires_at)`)

      this.addSql(`create table ${name}_revision (id int not null, revision bigint not null, constraint ${name}_revision_pkey primary key (id))`)
      this.addSql(`insert into ${name}_revision (id, revision) values (1, 0)`)
    }

    override down () {
      for (const table of ['revision', 'revoked_tokens', 'sessions', 'users']) this.addSql(`drop table ${name}_${table}`)
    }
  }

  /** A guard asks by the `jti` of a token. */
  class RevokedBySubject extends Migration {
    override up () {
      this.addSql(`create index ${name}_revoked_tokens_subject_index on ${name}_revoked_tokens (subject)`)
    }

    override down () {
      this.addSql(`drop index ${name}_revoked_tokens_subject_index`)
    }
  }

  /** The window counts from the last time that the current token was given to somebody. */
  class AnsweredAt extends Migration {
    override up () {
      this.addSql(`alter table ${name}_sessions add column answered_at timestamptz(3) null`)
      this.addSql(`update ${name}_sessions set answered_at = rotated_at`)
      this.addSql(`alter table ${name}_sessions alter column answered_at set not null`)
    }

    override down () {
      this.addSql(`alter table ${name}_sessions drop column answered_at`)
    }
  }

  /** Failures are counted. */
  class Throttle extends Migration {
    override up () {
      this.addSql(`create table ${name}_throttle (
        id varchar(64) not null, drained_at bigint not null, blocked_until bigint not null, constraint ${name}_throttle_pkey primary key (id))`)
      this.addSql(`create index ${name}_throttle_drained_at_index on ${name}_throttle (drained_at)`)
    }

    override down () {
      this.addSql(`drop table ${name}_throttle`)
    }
  }

  /** What happens to accounts, for those who look into it later. */
  class Events extends Migration {
    override up () {
      this.addSql(`create table ${name}_events (
        id uuid not null, type varchar(32) not null, user_id uuid null, session_id uuid null, reason varchar(32) null,
        ip varchar(64) null, user_agent varchar(512) null, created_at timestamptz(3) not null,
        constraint ${name}_events_pkey primary key (id))`)
      this.addSql(`create index ${name}_events_user_id_index on ${name}_events (user_id)`)
      this.addSql(`create index ${name}_events_created_at_index on ${name}_events (created_at)`)
    }

    override down () {
      this.addSql(`drop table ${name}_events`)
    }
  }

  /** Admins are counted before one is lost, and a row of their own makes those that take one wait for each other. */
  class Admins extends Migration {
    override up () {
      this.addSql(`alter table ${name}_users add column is_admin boolean not null default false`)
      this.addSql(`update ${name}_users set is_admin = true where disabled_at is null and jsonb_typeof(roles) = 'array' and roles @> '["admin"]'`)
      this.addSql(`create index ${name}_users_is_admin_index on ${name}_users (is_admin)`)
      this.addSql(`insert into ${name}_revision (id, revision) values (2, 0)`)
    }

    override down () {
      this.addSql(`delete from ${name}_revision where id = 2`)
      this.addSql(`drop index ${name}_users_is_admin_index`)
      this.addSql(`alter table ${name}_users drop column is_admin`)
    }
  }

  /** Fields of the app's own that are unique. */
  class UniqueFields extends Migration {
    override up () {
      this.addSql(`create table ${name}_unique_fields (
        field varchar(64) not null, value_key varchar(64) not null, user_id uuid null,
        constraint ${name}_unique_fields_pkey primary key (field, value_key),
        constraint ${name}_unique_fields_user_id_foreign foreign key (user_id) references ${name}_users (id) on delete cascade)`)
      this.addSql(`create index ${name}_unique_fields_user_id_index on ${name}_unique_fields (user_id)`)
    }

    override down () {
      this.addSql(`drop table ${name}_unique_fields`)
    }
  }

  /** Each refresh token is one of its kind, and its issue stands in it. Tokens of before can be judged no longer: everybody signs in once. */
  class BranchingRotation extends Migration {
    override up () {
      this.addSql(`update ${name}_sessions set revoked_at = now(), revoke_reason = 'upgrade' where revoked_at is null`)
      this.addSql(`update ${name}_users set epoch = epoch + 1`)
      this.addSql(`alter table ${name}_sessions add column prev_branch varchar(16) null`)
      this.addSql(`alter table ${name}_sessions add column floor_gen int not null default 0`)
      this.addSql(`alter table ${name}_sessions drop column rotated_at`)
    }

    override down () {
      this.addSql(`alter table ${name}_sessions add column rotated_at timestamptz(3) null`)
      this.addSql(`update ${name}_sessions set rotated_at = answered_at`)
      this.addSql(`alter table ${name}_sessions alter column rotated_at set not null`)
      this.addSql(`alter table ${name}_sessions drop column floor_gen`)
      this.addSql(`alter table ${name}_sessions drop column prev_branch`)
    }
  }

  /** Of a stolen session, what is known of both sides. */
  class EventDetails extends Migration {
    override up () {
      this.addSql(`alter table ${name}_events add column details jsonb null`)
    }

    override down () {
      this.addSql(`alter table ${name}_events drop column details`)
    }
  }

  /** What the app keeps of a session. */
  class SessionData extends Migration {
    override up () {
      this.addSql(`alter table ${name}_sessions add column data jsonb null`)
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
