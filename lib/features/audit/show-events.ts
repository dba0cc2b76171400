import { Type } from '@sinclair/typebox'
import { accessErrors } from '../../guards/answers.ts'
import { Forbidden } from '../../guards/errors.ts'
import { answers, tags } from '../../http/answers.ts'
import { InputInvalid } from '../../http/errors.ts'
import type { AddRoutes } from '../feature.ts'
import type { Spine } from '../spine.ts'
import type { ListEvents } from './listing.ts'
import { EventQuerySchema, EventSchema, shown, VerifiedSchema, VerifyQuerySchema } from './schema.ts'
import type { Verify } from './verifying.ts'

/** The routes of those who look into what happened. */
export function showEvents ({ guards }: Spine, listEvents: ListEvents, verify: Verify | undefined): AddRoutes {
  const onRequest = guards.ownGuard({ permission: 'audit:read', consistency: 'strict' })

  const list = {
    operationId: 'listEvents',
    summary: 'What happened to accounts, the newest first',
    description: 'All filters that are given have to fit.',
    tags,
    querystring: EventQuerySchema,
    response: answers({
      200: Type.Object({
        events: Type.Array(EventSchema),
        next: Type.Union([Type.String(), Type.Null()], {
          description: 'Goes into after, for the next part; null at the end.', examples: [null],
        }),
      }, { description: 'A part of them' }),
    }, ...accessErrors(), Forbidden, InputInvalid),
  }

  const check = {
    operationId: 'verifyEvents',
    summary: 'Whether sealed events are as they were sealed',
    description: 'Checks about 20,000 of them at most: go on with next.',
    tags,
    querystring: VerifyQuerySchema,
    response: answers({ 200: VerifiedSchema }, ...accessErrors(), Forbidden, InputInvalid),
  }

  return (scope, path) => {
    scope.get(path, { schema: list, onRequest }, async ({ query }) => {
      const { limit, after, after_time: since, before_time: until, ...filter } = query
      const { events, next } = await listEvents({
        ...filter, ...since && { afterTime: new Date(since) }, ...until && { beforeTime: new Date(until) },
      }, { limit, after })
      return { events: events.map(shown), next }
    })

    if (!verify) return
    scope.get(`${path}/verify`, { schema: check, onRequest }, async ({ query: { after } }) => {
      const { brokenAt, ...verified } = await verify({ after })
      return { ...verified, broken_at: brokenAt }
    })
  }
}
