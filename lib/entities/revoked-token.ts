import { defineEntity, p } from '@mikro-orm/core'

/** An entry of the ordered log of revocations, kept until no token it speaks of can still be alive. */
const RevokedTokenSchema = defineEntity({
  name: 'AccountsRevokedToken',
  properties: {
    id: p.uuid().primary(),
    /** Its place in the log. Numbers appear in commit order, so a reader that polls misses none. */
    revision: p.integer().index(),
    /** What `subject` is: a session's id, a token's `jti`, or a user's id. */
    kind: p.string().length(16).$type<'session' | 'token' | 'user'>(),
    subject: p.string().length(64).index(),
    /** For a user: sessions whose `ver` is lower are over. */
    epoch: p.integer().strictNullable(),
    createdAt: p.datetime(3),
    expiresAt: p.datetime(3).index(),
  },
})

export class RevokedToken extends RevokedTokenSchema.class {}
RevokedTokenSchema.setClass(RevokedToken)
