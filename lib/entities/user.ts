import { defineEntity, p } from '@mikro-orm/core'

/**
 * A person's account. The `…Key` columns are hashes of the folded name and address: unique on every database,
 * whatever its collation thinks of case and accents.
 */
const UserSchema = defineEntity({
  name: 'AccountsUser',
  properties: {
    id: p.uuid().primary(),
    username: p.string().length(255).strictNullable(),
    usernameKey: p.string().length(64).unique().strictNullable(),
    email: p.string().length(255).strictNullable(),
    emailKey: p.string().length(64).unique().strictNullable(),
    emailVerifiedAt: p.datetime(3).strictNullable(),
    passwordHash: p.string().length(255),
    roles: p.json<string[]>(),
    profile: p.json<Record<string, unknown>>(),
    /** Rises by one when every session of the user must end; a token with a lower `ver` is dead. */
    epoch: p.integer(),
    disabledAt: p.datetime(3).strictNullable(),
    createdAt: p.datetime(3),
    updatedAt: p.datetime(3),
    passwordChangedAt: p.datetime(3),
    lastLoginAt: p.datetime(3).strictNullable(),
  },
})

export class User extends UserSchema.class {}
UserSchema.setClass(User)
