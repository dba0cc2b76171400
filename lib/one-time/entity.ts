import { defineEntity, p } from '@mikro-orm/core'
import { User } from '../users/entity.ts'

/**
 * What somebody may do once who reads a mailbox: verify an address, choose another password. The row opens nothing: its
 * link and its code are computed of it with a key that no database holds (`one-time/secrets.ts`).
 */
const OneTimeSchema = defineEntity({
  name: 'AccountsOneTime',
  tableName: 'accounts_one_time',
  properties: {
    id: p.uuid().primary().name('id'),
    purpose: p.string().length(16).name('purpose'),
    /** Null where there is no user yet: a registration, an invitation. */
    user: () => p.manyToOne(User).joinColumn('user_id').deleteRule('cascade').strictNullable().index(false),
    /** The address that is proved by it, which stays what it is whatever the user changes meanwhile. */
    address: p.string().length(255).strictNullable().name('address'),
    addressKey: p.string().length(64).strictNullable().name('address_key'),
    salt: p.string().length(32).name('salt'),
    /** The SHA-256 of what whoever asked was given: without it no code is good. */
    challenge: p.string().length(64).strictNullable().index().name('challenge'),
    /** The user's epoch, where another one makes it void. */
    epoch: p.integer().strictNullable().name('epoch'),
    data: p.json<Record<string, unknown>>().strictNullable().name('data'),
    /** How many codes were tried. */
    tries: p.integer().name('tries'),
    createdAt: p.datetime(3).name('created_at'),
    expiresAt: p.datetime(3).index().name('expires_at'),
    usedAt: p.datetime(3).strictNullable().name('used_at'),
  },
  indexes: [{ properties: ['user', 'purpose'] }],
})

export class OneTime extends OneTimeSchema.class {}
OneTimeSchema.setClass(OneTime)
