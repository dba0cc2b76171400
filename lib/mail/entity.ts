import { defineEntity, p } from '@mikro-orm/core'

/**
 * A mail that is to be sent, or was. It is written in the transaction of what it tells of, and holds no secret: links
 * and codes are computed when it is sent. It points at no row, so it outlives them.
 */
const MailSchema = defineEntity({
  name: 'AccountsMail',
  tableName: 'accounts_mails',
  properties: {
    id: p.uuid().primary().name('id'),
    kind: p.string().length(32).name('kind'),
    userId: p.uuid().strictNullable().name('user_id'),
    /** Where it goes, if not to the address that the user has when it is sent. */
    address: p.string().length(255).strictNullable().name('address'),
    /** Whom somebody asked for who is not signed in: the hash of what was typed, which may be anything. */
    identifierKey: p.string().length(64).strictNullable().name('identifier_key'),
    oneTimeId: p.uuid().strictNullable().name('one_time_id'),
    challenge: p.string().length(64).strictNullable().name('challenge'),
    locale: p.string().length(16).name('locale'),
    data: p.json<Record<string, unknown>>().name('data'),
    /** Whoever sends it just now. */
    claim: p.uuid().strictNullable().name('claim'),
    /** When to send it, or to try again: ms, which nobody's time zone moves. Null once it is sent, or given up. */
    dueAt: p.bigint('number').strictNullable().index().name('due_at'),
    tries: p.integer().name('tries'),
    sentAt: p.datetime(3).strictNullable().name('sent_at'),
    failedAt: p.datetime(3).strictNullable().name('failed_at'),
    error: p.string().length(64).strictNullable().name('error'),
    expiresAt: p.datetime(3).name('expires_at'),
    createdAt: p.datetime(3).index().name('created_at'),
  },
})

/** A mail that is to be sent, or was, as an entity of MikroORM. */
export class MailRow extends MailSchema.class {}
MailSchema.setClass(MailRow)
