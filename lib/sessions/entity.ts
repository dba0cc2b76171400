import { defineEntity, p } from '@mikro-orm/core'
import { User } from '../users/entity.ts'

/** A login has one row, for its whole life. `sessions/rotation.ts` says how its generations move. */
const SessionSchema = defineEntity({
  name: 'AccountsSession',
  tableName: 'accounts_sessions',
  properties: {
    id: p.uuid().primary().name('id'),
    user: () => p.manyToOne(User).joinColumn('user_id').deleteRule('cascade').index(false),
    /** The user's epoch as it was before the password was verified. */
    ver: p.integer().name('ver'),
    /** Makes the `jti` of a refresh token computable and unguessable, so no token is ever stored. */
    salt: p.string().length(64).name('salt'),
    gen: p.integer().name('gen'),
    prevGen: p.integer().strictNullable().name('prev_gen'),
    prevBranch: p.string().length(16).strictNullable().name('prev_branch'),
    confirmedGen: p.integer().name('confirmed_gen'),
    floorGen: p.integer().default(0).name('floor_gen'),
    answeredAt: p.datetime(3).name('answered_at'),
    createdAt: p.datetime(3).name('created_at'),
    authTime: p.datetime(3).name('auth_time'),
    lastUsedAt: p.datetime(3).name('last_used_at'),
    refreshExpiresAt: p.datetime(3).name('refresh_expires_at'),
    /** The day of that, in days since 1970, by which what has expired is found: a refresh seldom moves its index. */
    expiresDay: p.integer().default(0).index().name('expires_day'),
    absoluteExpiresAt: p.datetime(3).name('absolute_expires_at'),
    transport: p.string().length(16).name('transport'),
    userAgent: p.string().length(512).strictNullable().name('user_agent'),
    ip: p.string().length(64).strictNullable().name('ip'),
    /** What the app keeps of the session, by the option `sessions.data`. */
    data: p.json<Record<string, unknown>>().strictNullable().name('data'),
    /** How it was proved who began it: authentication methods (RFC 8176). Null where that is not known. */
    amr: p.json<string[]>().strictNullable().name('amr'),
    /** How well it was proved: the authentication context class. */
    acr: p.string().length(16).default('aal1').name('acr'),
    /** Of impersonation: the admin who has borrowed it. Null where the user began it. */
    actorId: p.uuid().strictNullable().index().name('actor_id'),
    revokedAt: p.datetime(3).strictNullable().name('revoked_at'),
    revokeReason: p.string().length(32).strictNullable().name('revoke_reason'),
  },
  indexes: [{ properties: ['user', 'revokedAt'] }],
})

export class Session extends SessionSchema.class {}
SessionSchema.setClass(Session)
