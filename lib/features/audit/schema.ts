import { Type, type Static } from '@sinclair/typebox'
import type { Event } from '../../events/entity.ts'
import { component } from '../../http/component.ts'
import { PageSchema } from '../../users/look-up.ts'

const orNull = (description: string, example: string | null = null) =>
  Type.Union([Type.String(), Type.Null()], { description, examples: [example] })

const anId = '0199a1b2-0000-7000-8000-000000000000'

/** An event, as admins see it. */
export const EventSchema = component('Event', Type.Object({
  id: Type.String({ description: 'Ids grow with time.', examples: [anId] }),
  type: Type.String({ description: 'The name of its channel.', examples: ['login'] }),
  user_id: orNull('Whom it happened to.', anId),
  actor_id: orNull('Who did it, where that was not the user.'),
  session_id: orNull('The session that it happened to, or in.', anId),
  reason: orNull('Which of several ways it happened in.'),
  ip: orNull('Where it was asked for; null for code, and where it was erased.', '192.0.2.1'),
  user_agent: orNull('By which browser.'),
  request_id: orNull('The id of the request, as in the log.', 'req-1'),
  data: Type.Union([Type.Object({}, { additionalProperties: true }), Type.Null()], {
    description: 'What else is told of this type.', examples: [null],
  }),
  seal: Type.Union([Type.Integer(), Type.Null()], {
    description: 'The number of the seal that it is in; null until it is sealed.', examples: [1],
  }),
  created_at: Type.String({ format: 'date-time', examples: ['2026-01-05T08:00:00.000Z'] }),
}, { description: 'What happened to an account' }))

const TimeSchema = (description: string) => Type.Optional(Type.String({ format: 'date-time', description }))

/** No text of a column has a control character, and not every database can be asked for one. */
const TextSchema = (maxLength: number, description: string) =>
  Type.Optional(Type.String({ minLength: 1, maxLength, pattern: '^\\P{C}*$', description }))

/** The query of a part of the events. */
export const EventQuerySchema = Type.Object({
  user: Type.Optional(Type.String({ description: 'The id of whom they happened to.' })),
  actor: Type.Optional(Type.String({ description: 'The id of who did it, where that was not the user.' })),
  type: TextSchema(32, 'The name of a channel.'),
  ip: TextSchema(64, 'The address of the client.'),
  after_time: TimeSchema('From then on.'),
  before_time: TimeSchema('Before then.'),
  ...PageSchema.properties,
}, { additionalProperties: false })

/** The query of a part of the seals. */
export const VerifyQuerySchema = Type.Object({
  after: Type.Optional(Type.Integer({ minimum: 0, maximum: 2 ** 31 - 1, description: 'The next of the part before.' })),
}, { additionalProperties: false })

const numberOrNull = (description: string) =>
  Type.Union([Type.Integer(), Type.Null()], { description, examples: [null] })

/** What came of checking a part of the seals. */
export const VerifiedSchema = component('VerifiedEvents', Type.Object({
  whole: Type.Boolean({ description: 'Nothing was changed in this part.' }),
  entries: Type.Integer({ description: 'How many events were checked.' }),
  seals: Type.Integer({ description: 'In how many seals.' }),
  broken_at: numberOrNull('The number of the first seal with which something is wrong.'),
  problem: orNull('What is wrong: missing, entries, changed, personal, key or pruned.'),
  head: orNull('The hash of the last seal that was checked.'),
  next: numberOrNull('Goes into after, for the next part; null at the end, and where something is wrong.'),
}, { description: 'Whether sealed events are as they were sealed' }))

export function shown (
  { id, type, userId, actorId, sessionId, reason, ip, userAgent, requestId, data, seal, createdAt }: Event
): Static<typeof EventSchema> {
  return {
    id,
    type,
    user_id: userId,
    actor_id: actorId,
    session_id: sessionId,
    reason,
    ip,
    user_agent: userAgent,
    request_id: requestId,
    data,
    seal,
    created_at: createdAt.toISOString(),
  }
}
