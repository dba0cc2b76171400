import { defineEntity, p } from '@mikro-orm/core'

/** An entry of the ordered log of revocations, kept until all tokens that it ends have expired. */
const RevokedTokenSchema = defineEntity({
  name: 'AccountsRevokedToken',
  tableName: 'accounts_revoked_tokens',
  properties: {
    id: p.uuid().primary().name('id'),
    /** The number of the entry. Numbers appear in the order of commits, so a reader that polls misses none. */
    revision: p.bigint('number').index().name('revision'),
    /** Whether `subject` is a session's id, a token's `jti`, or a user's id. */
    kind: p.string().length(16).$type<'session' | 'token' | 'user'>().name('kind'),
    subject: p.string().length(64).index().name('subject'),
    /**
     * Of a user: sessions with a lower epoch (`ver`) are over. Of a session that goes on: tokens of a lower generation
     * are void. Null for a session that is over, and for a token.
     */
    epoch: p.integer().strictNullable().name('epoch'),
    createdAt: p.datetime(3).name('created_at'),
    expiresAt: p.datetime(3).index().name('expires_at'),
  },
})

export class RevokedToken extends RevokedTokenSchema.class {}
RevokedTokenSchema.setClass(RevokedToken)
