import { defineEntity, p } from '@mikro-orm/core'
import { User } from '../../users/entity.ts'

/** An API key of a user, of which the hash alone is stored. */
const ApiKeySchema = defineEntity({
  name: 'AccountsKey',
  tableName: 'accounts_keys',
  properties: {
    id: p.uuid().primary().name('id'),
    user: () => p.manyToOne(User).joinColumn('user_id').deleteRule('cascade').index(),
    name: p.string().length(64).name('name'),
    /** The last characters of the key. */
    hint: p.string().length(8).name('hint'),
    /** The SHA-256 of the key. */
    hash: p.string().length(64).name('hash'),
    /** That of the key before it was rotated, which is good until `oldUntil`. */
    oldHash: p.string().length(64).strictNullable().name('old_hash'),
    oldUntil: p.datetime(3).strictNullable().name('old_until'),
    scopes: p.json<string[]>().name('scopes'),
    /** How long it lives, in seconds from when it was made or rotated; null for ever. */
    lifetime: p.integer().strictNullable().name('lifetime'),
    createdAt: p.datetime(3).name('created_at'),
    expiresAt: p.datetime(3).strictNullable().name('expires_at'),
    lastUsedAt: p.datetime(3).strictNullable().name('last_used_at'),
    lastUsedIp: p.string().length(64).strictNullable().name('last_used_ip'),
    revokedAt: p.datetime(3).strictNullable().name('revoked_at'),
    /** Who has made it, where that is not its user. */
    createdBy: p.uuid().strictNullable().name('created_by'),
  },
})

export class ApiKey extends ApiKeySchema.class {}
ApiKeySchema.setClass(ApiKey)
