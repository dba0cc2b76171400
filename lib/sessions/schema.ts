import { Type } from '@sinclair/typebox'
import { component } from '../http/component.ts'
import type { Session } from './entity.ts'
import { placeOf } from './stored.ts'

/** A session, as its user and admins see it. */
export const SessionSchema = component(
  'Session',
  Type.Object(
    {
      id: Type.String({ description: 'By which it can be ended.', examples: ['01980c1e-6f3b-7d18-8a02-c4f7e1b95d60'] }),
      current: Type.Boolean({ description: 'The session that asks.', examples: [true] }),
      created_at: Type.String({
        format: 'date-time',
        description: 'When the user signed in.',
        examples: ['2026-01-05T08:00:00.000Z'],
      }),
      last_used_at: Type.String({
        format: 'date-time',
        description: 'To within the life of an access token.',
        examples: ['2026-01-05T09:30:00.000Z'],
      }),
      expires_at: Type.String({
        format: 'date-time',
        description: 'Unless it is refreshed.',
        examples: ['2026-02-04T09:15:00.000Z'],
      }),
      user_agent: Type.Union([Type.String(), Type.Null()], {
        description: 'What the client last called itself.',
        examples: ['Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0'],
      }),
      ip: Type.Union([Type.String(), Type.Null()], {
        description: 'Where it last came from.',
        examples: ['192.0.2.7'],
      }),
      borrowed: Type.Boolean({
        description: 'Whether an admin acts as the user in it: then it says of no client and no address.',
        examples: [false],
      }),
    },
    { description: 'A session' }
  )
)

/** What the schema says of a session, to who asks with the session `current`. */
export function shownSession (session: Session, current: string) {
  const { id, createdAt, lastUsedAt, refreshExpiresAt } = session
  return {
    id,
    current: id === current,
    created_at: createdAt.toISOString(),
    last_used_at: lastUsedAt.toISOString(),
    expires_at: refreshExpiresAt.toISOString(),
    ...placeOf(session),
  }
}
