import { defineEntity, p } from '@mikro-orm/core'
import { User } from './user.ts'

/** One login, one row, for its whole life. `sessions/rotation.ts` says how its generations move. */
const SessionSchema = defineEntity({
  name: 'AccountsSession',
  properties: {
    id: p.uuid().primary(),
    user: () => p.manyToOne(User).deleteRule('cascade').index(false),
    /** The user's epoch as read before the password was verified. */
    ver: p.integer(),
    /** Makes the `jti` of a refresh token computable and unguessable, so no token is ever stored. */
    salt: p.string().length(64),
    gen: p.integer(),
    prevGen: p.integer().strictNullable(),
    confirmedGen: p.integer(),
    rotatedAt: p.datetime(3),
    createdAt: p.datetime(3),
    authTime: p.datetime(3),
    lastUsedAt: p.datetime(3),
    refreshExpiresAt: p.datetime(3),
    absoluteExpiresAt: p.datetime(3),
    transport: p.string().length(16),
    userAgent: p.string().length(512).strictNullable(),
    ip: p.string().length(64).strictNullable(),
    revokedAt: p.datetime(3).strictNullable(),
    revokeReason: p.string().length(32).strictNullable(),
  },
  indexes: [{ properties: ['user', 'revokedAt'] }, { properties: ['refreshExpiresAt'] }],
})

export class Session extends SessionSchema.class {}
SessionSchema.setClass(Session)
