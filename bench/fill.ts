import type { Kind, Sql } from '../test/support/databases.ts'

/** How each database says what the rows are made of; `i` counts from 1. */
const dialects = {
  sqlite: {
    numbers: (count: number) =>
      `(with recursive n(i) as (select 1 union all select i + 1 from n where i < ${count}) select i from n)`,
    id: (prefix: string, i: string) => `printf('${prefix}%04x-%04x-7000-8000-%012x', ${i} / 65536, ${i} % 65536, ${i})`,
    date: (ms: number) => `${ms}`,
  },
  postgresql: {
    numbers: (count: number) => `(select i from generate_series(1, ${count}) as i) as n`,
    id: (prefix: string, i: string) =>
      `concat('${prefix}', lpad(to_hex(${i} / 65536), 4, '0'), '-', lpad(to_hex(${i} % 65536), 4, '0'), '-7000-8000-', lpad(to_hex(${i}), 12, '0'))::uuid`,
    date: (ms: number) => `timestamptz '${new Date(ms).toISOString()}'`,
  },
  mariadb: {
    numbers: (count: number) => `(select seq as i from seq_1_to_${count}) as n`,
    id: (prefix: string, i: string) =>
      `lower(concat('${prefix}', lpad(hex(${i} div 65536), 4, '0'), '-', lpad(hex(${i} % 65536), 4, '0'), '-7000-8000-', lpad(hex(${i}), 12, '0')))`,
    date: (ms: number) => `timestamp '${new Date(ms).toISOString().slice(0, -1).replace('T', ' ')}'`,
  },
}

const day = 86_400_000

/**
 * So many sessions, ten of each user; the first of them expired yesterday. Ids are in the order of time, as ours are.
 */
export async function fillSessions (
  sql: Sql,
  kind: Kind,
  { sessions, expired }: { sessions: number, expired: number }
): Promise<void> {
  const { numbers, id, date } = dialects[kind]
  const users = Math.ceil(sessions / 10)
  const now = Date.now()
  const [then, past, soon, late] = [now - 90 * day, now - day, now + 30 * day, now + 90 * day].map(date)

  await sql.run(`insert into accounts_users (id, username, username_key, password_hash, roles, profile, epoch, created_at, updated_at, password_changed_at)
    select ${id('0180', 'i')}, ${id('user', 'i').replace('::uuid', '')}, ${id('key0', 'i').replace('::uuid', '')}, '$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaGhhc2hoYXNoaGFzaGhhc2g', '[]', '{}', 0, ${then}, ${then}, ${then}
    from ${numbers(users)}`)
  await sql.run(`insert into accounts_sessions (id, user_id, ver, salt, gen, prev_gen, confirmed_gen, answered_at, created_at, auth_time, last_used_at, refresh_expires_at, expires_day, absolute_expires_at, transport, user_agent, ip)
    select ${id('0190', 'i')}, ${id('0180', `(1 + i % ${users})`)}, 0, ${id('salt', 'i').replace('::uuid', '')}, 3, 2, 3, ${then}, ${then}, ${then}, ${then},
      case when i <= ${expired} then ${past} else ${soon} end,
      case when i <= ${expired} then ${Math.floor((now - day) / day)} else ${Math.floor((now + 30 * day) / day)} end, ${late}, 'body', 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Safari/537.36', '192.0.2.1'
    from ${numbers(sessions)}`)
  await recount(sql, kind)
}

/** So many living entries of the log, of sessions that nobody has. */
export async function fillRevocations (sql: Sql, kind: Kind, count: number): Promise<void> {
  const { numbers, id, date } = dialects[kind]
  const now = Date.now()
  await sql.run(`insert into accounts_revoked_tokens (id, revision, kind, subject, epoch, created_at, expires_at)
    select ${id('01a0', 'i')}, i, 'session', ${id('0190', 'i').replace('::uuid', '')}, null, ${date(now)}, ${date(now + day)}
    from ${numbers(count)}`)
  await sql.run('update accounts_revision set revision = ?', count)
  await recount(sql, kind)
}

/** Servers plan by what they have counted, and MariaDB tells no newer size. */
async function recount (sql: Sql, kind: Kind): Promise<void> {
  if (kind === 'postgresql') await sql.run('analyze')
  if (kind === 'mariadb') await sql.run('analyze table accounts_sessions, accounts_revoked_tokens')
}
