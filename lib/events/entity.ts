import { defineEntity, p } from '@mikro-orm/core'

/**
 * Something that happened to an account, for those who look into it later. It points at no row, so it outlives them.
 */
const EventSchema = defineEntity({
  name: 'AccountsEvent',
  tableName: 'accounts_events',
  properties: {
    /** Ids grow with time. */
    id: p.uuid().primary().name('id'),
    type: p.string().length(32).name('type'),
    userId: p.uuid().strictNullable().index().name('user_id'),
    sessionId: p.uuid().strictNullable().name('session_id'),
    reason: p.string().length(32).strictNullable().name('reason'),
    ip: p.string().length(64).strictNullable().name('ip'),
    userAgent: p.string().length(512).strictNullable().name('user_agent'),
    /** What else is told of it. */
    details: p.json<object>().strictNullable().name('details'),
    createdAt: p.datetime(3).index().name('created_at'),
  },
})

export class Event extends EventSchema.class {}
EventSchema.setClass(Event)
