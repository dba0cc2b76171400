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
    userId: p.uuid().strictNullable().name('user_id'),
    /** Who did it, where that is not the user. */
    actorId: p.uuid().strictNullable().name('actor_id'),
    sessionId: p.uuid().strictNullable().name('session_id'),
    reason: p.string().length(32).strictNullable().name('reason'),
    ip: p.string().length(64).strictNullable().name('ip'),
    userAgent: p.string().length(512).strictNullable().name('user_agent'),
    /** Fastify's id of the request, as in its log. */
    requestId: p.string().length(64).strictNullable().name('request_id'),
    /** What else is told of it, of the schema of its type. */
    data: p.json<object>().strictNullable().name('data'),
    /** A MAC of what can be erased: the chain of seals holds it in place of that. */
    personal: p.string().length(64).strictNullable().name('personal'),
    /** A MAC that says that it was erased. */
    erased: p.string().length(64).strictNullable().name('erased'),
    /** The number of the seal that it is in. Null until it is sealed. */
    seal: p.integer().strictNullable().name('seal'),
    createdAt: p.datetime(3).index().name('created_at'),
  },
  // Each list of events is one of these from its newest end, since ids grow with time.
  indexes: [
    { properties: ['type', 'id'] }, { properties: ['userId', 'id'] }, { properties: ['actorId', 'id'] },
    { properties: ['ip', 'id'] }, { properties: ['seal', 'id'] },
  ],
})

export class Event extends EventSchema.class {}
EventSchema.setClass(Event)
