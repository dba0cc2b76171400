import { defineEntity, p } from '@mikro-orm/core'

/** An entry of the ordered log of revocations, kept until no token it speaks of can still be alive. */
const RevokedTokenSchema = defineEntity({
  name: 'AccountsRevokedToken',
  tableName: 'accounts_revoked_tokens',
  properties: {
    id: p.uuid().primary().name('id'),
    /** Its place in the log. Numbers appear in commit order, so a reader that polls misses none. */
    revision: p.bigint('number').index().name('revision'),
    /** What `subject` is: a session's id, a token's `jti`, or a user's id. */
    kind: p.string().length(16).$type<'session' | 'token' | 'user'>().name('kind'),
    subject: p.string().length(64).index().name('subject'),
    /**
     * For a user: sessions whose `ver` is lower are over. For a session that goes on: tokens of a lower generation are void;
     * null for one that is over.
     */
    epoch: p.integer().strictNullable().name('epoch'),
    createdAt: p.datetime(3).name('created_at'),
    expiresAt: p.datetime(3).index().name('expires_at'),
  },
})

export class RevokedToken extends RevokedTokenSchema.class {}
RevokedTokenSchema.setClass(RevokedToken)
