import type { Sql } from '../../support/databases.ts'

/** An id as the log has it. */
const text = (column: string) => `cast(${column} as char(36))`

/** What is never true of the rows, whoever was killed and when: the condition each names finds none. */
const unlawful: Record<string, string> = {
  'a generation that is not after the one before': 'accounts_sessions where prev_gen >= gen',
  'a generation that was rotated, and no branch, or the reverse':
    'accounts_sessions where (prev_gen is null) <> (prev_branch is null)',
  'a floor above the generation, or a generation below that goes on':
    'accounts_sessions where floor_gen > gen or prev_gen < floor_gen',
  'a confirmed generation that is not there yet': 'accounts_sessions where confirmed_gen > gen',
  'a confirmed generation that was made void':
    'accounts_sessions where prev_gen < confirmed_gen and confirmed_gen < gen',
  'a session that is over without a reason, or the reverse':
    'accounts_sessions where (revoked_at is null) <> (revoke_reason is null)',
  'a session that outlives its absolute limit': 'accounts_sessions where refresh_expires_at > absolute_expires_at',
  'a session from an epoch to come':
    'accounts_sessions s where ver > (select epoch from accounts_users u where u.id = s.user_id)',
  'a session that ended, and not once in the log': `accounts_sessions s where revoke_reason is not null
    and 1 <> (select count(*) from accounts_revoked_tokens r where r.kind = 'session' and r.epoch is null and r.subject = ${text('s.id')})`,
  'a session that ended with others, and no epoch after its own in the log': `accounts_sessions s where revoke_reason in ('password', 'everywhere', 'disabled', 'address')
    and not exists (select 1 from accounts_revoked_tokens r where r.kind = 'user' and r.subject = ${text('s.user_id')} and r.epoch > s.ver)`,
  'an end in the log of a session that goes on': `accounts_revoked_tokens r where kind = 'session' and epoch is null
    and exists (select 1 from accounts_sessions s where ${text('s.id')} = r.subject and s.revoked_at is null)`,
  'a floor that is not the newest of the log': `accounts_sessions s where revoked_at is null
    and floor_gen <> (select coalesce(max(epoch), 0) from accounts_revoked_tokens r where r.kind = 'session' and r.subject = ${text('s.id')})`,
  'a user whose epoch is not the newest of the log': `accounts_users u
    where epoch <> (select coalesce(max(epoch), 0) from accounts_revoked_tokens r where r.kind = 'user' and r.subject = ${text('u.id')})`,
  'a user without the session of the registration':
    'accounts_users u where not exists (select 1 from accounts_sessions s where s.user_id = u.id)',
  'a gap or a double in the log': `accounts_revision where id = 1 and (revision <> (select count(*) from accounts_revoked_tokens)
    or revision <> (select count(distinct revision) from accounts_revoked_tokens) or revision <> (select coalesce(max(revision), 0) from accounts_revoked_tokens))`,
}

/** Who is told what was found and what was wanted: a test, for one. */
interface Judge {
  same: (found: unknown, wanted: unknown, name: string) => unknown
}

/** Looks for what must not be among the rows. */
export async function checkRows (t: Judge, sql: Sql): Promise<void> {
  for (const [name, condition] of Object.entries(unlawful)) {
    t.same(await sql.get(`select count(*) as n from ${condition}`), { n: 0 }, `no ${name.replace(/^an? /, '')}`)
  }
}
