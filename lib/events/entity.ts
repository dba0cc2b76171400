import { defineEntity, p } from '@mikro-orm/core'
import type { EventReason, ReuseDetails, StoredEvent } from './telemetry.ts'

/** Something that happened to an account, for those who look into it later. It points at no row, so it outlives them. */
const EventSchema = defineEntity({
  name: 'AccountsEvent',
  tableName: 'accounts_events',
  properties: {
    /** Ids grow with time. */
    id: p.uuid().primary().name('id'),
    type: p.string().length(32).$type<StoredEvent>().name('type'),
    userId: p.uuid().strictNullable().index().name('user_id'),
    sessionId: p.uuid().strictNullable().name('session_id'),
    reason: p.string().length(32).$type<EventReason>().strictNullable().name('reason'),
    ip: p.string().length(64).strictNullable().name('ip'),
    userAgent: p.string().length(512).strictNullable().name('user_agent'),
    /** Of a theft. */
    details: p.json<ReuseDetails>().strictNullable().name('details'),
    createdAt: p.datetime(3).index().name('created_at'),
  },
})

export class Event extends EventSchema.class {}
EventSchema.setClass(Event)
