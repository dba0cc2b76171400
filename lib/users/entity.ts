import { defineEntity, p } from '@mikro-orm/core'

/** Whose account it is. */
export type Kind = 'person' | 'service'

/**
 * The account of a person or a service. The `…Key` columns are hashes of the folded name and address: unique on every
 * database, whatever its collation thinks of case and accents.
 */
const UserSchema = defineEntity({
  name: 'AccountsUser',
  tableName: 'accounts_users',
  properties: {
    id: p.uuid().primary().name('id'),
    /** A `service` is a program: no way of signing in opens it, only API keys do. */
    kind: p.string().$type<Kind>().length(8).default('person').name('kind'),
    username: p.string().length(255).strictNullable().name('username'),
    usernameKey: p.string().length(64).unique().strictNullable().name('username_key'),
    email: p.string().length(255).strictNullable().name('email'),
    emailKey: p.string().length(64).unique().strictNullable().name('email_key'),
    emailVerifiedAt: p.datetime(3).strictNullable().name('email_verified_at'),
    passwordHash: p.string().length(255).name('password_hash'),
    roles: p.json<string[]>().name('roles'),
    /** Whether the user counts as an admin (`isAdmin`), as a column that can be counted by an index. */
    isAdmin: p.boolean().default(false).index().name('is_admin'),
    profile: p.json<Record<string, unknown>>().name('profile'),
    /** Rises by one when every session of the user must end; a token with a lower `ver` is dead. */
    epoch: p.integer().name('epoch'),
    disabledAt: p.datetime(3).strictNullable().name('disabled_at'),
    createdAt: p.datetime(3).name('created_at'),
    updatedAt: p.datetime(3).name('updated_at'),
    passwordChangedAt: p.datetime(3).name('password_changed_at'),
    lastLoginAt: p.datetime(3).strictNullable().name('last_login_at'),
    /** Of reset: since when a right password opens nothing until another one is chosen by mail. */
    resetDueAt: p.datetime(3).strictNullable().name('reset_due_at'),
    /** Of closing: when the account is deleted. */
    closesAt: p.datetime(3).strictNullable().index().name('closes_at'),
    /** Of mail: since when the address takes no mail. */
    mailFailedAt: p.datetime(3).strictNullable().name('mail_failed_at'),
    /** Of factors: since when a first factor alone signs nobody in. */
    mfaAt: p.datetime(3).strictNullable().name('mfa_at'),
    /** Of factors: when they last changed: what was half done before is void. */
    factorsChangedAt: p.datetime(3).strictNullable().name('factors_changed_at'),
  },
})

/** The account of a person or a service, as an entity of MikroORM. */
export class User extends UserSchema.class {}
UserSchema.setClass(User)
