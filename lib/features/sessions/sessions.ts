import { Type } from '@sinclair/typebox'
import { component } from '../../http/component.ts'
import type { Session } from '../../sessions/entity.ts'
import { TokenRevoked } from '../../sessions/errors.ts'
import { placeOf } from '../../sessions/stored.ts'
import { NotFound } from '../../users/errors.ts'
import type { AddRoutes } from '../feature.ts'
import type { Spine } from '../spine.ts'
import { clientOf } from '../../http/request.ts'
import { accessErrors, bodyErrors } from '../../guards/answers.ts'
import { answers, tags } from '../../http/answers.ts'
import { ForgottenSchema } from '../../transport/schema.ts'

const SessionSchema = component(
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

const KeepSchema = Type.Object(
  {
    keep: Type.Optional(
      Type.Unsafe<'current'>({
        type: 'string',
        enum: ['current'],
        description: 'Ends the others, and keeps this one.',
      })
    ),
  },
  { additionalProperties: false }
)

export function sessions ({ guards, sessions, settings, transport }: Spine): AddRoutes {
  const { endings } = sessions
  const onRequest = guards.ownAuthenticate
  // Though it needs no body, one that comes along is looked at.
  const refusals = [...accessErrors(settings.locations), ...bodyErrors]

  const list = {
    operationId: 'listSessions',
    summary: 'List the sessions of the user',
    tags,
    response: answers(
      { 200: Type.Object({ sessions: Type.Array(SessionSchema) }, { description: 'The most recently used first' }) },
      ...accessErrors()
    ),
  }

  const endOne = {
    operationId: 'endSession',
    summary: 'End one session of the user',
    description: 'What belongs to another user is not found either.',
    tags,
    params: Type.Object({ id: Type.String({ description: 'The id of a session.' }) }),
    response: answers({ 204: ForgottenSchema(settings) }, ...refusals, NotFound),
  }

  const endAll = {
    operationId: 'endSessions',
    summary: 'End all sessions of the user, or all but this one',
    tags,
    querystring: KeepSchema,
    response: answers({ 204: ForgottenSchema(settings) }, ...refusals),
  }

  return (scope, path) => {
    scope.get(path, { schema: list, onRequest }, async ({ auth: { claims: { sub }, sessionId } }) => {
      return { sessions: (await sessions.list(sub)).map((session) => shown(session, sessionId)) }
    })

    scope.delete(`${path}/:id`, { schema: endOne, onRequest }, async (request, reply) => {
      const { params: { id }, auth: { claims: { sub }, sessionId } } = request
      if (!await endings.end(id, 'ended', { userId: sub, client: clientOf(request) })) throw new NotFound()
      if (id === sessionId) transport.forget(request, reply)
      reply.code(204)
    })

    scope.delete(path, { schema: endAll, onRequest }, async (request, reply) => {
      const { query: { keep }, auth: { claims: { sub }, sessionId } } = request
      const ender = { client: clientOf(request) }
      const isThere = await (keep === undefined ? endings.endAll(sub, ender) : endings.keepOnly(sub, sessionId, ender))
      if (!isThere) throw new TokenRevoked()
      if (keep === undefined) transport.forget(request, reply)
      reply.code(204)
    })
  }
}

function shown (session: Session, current: string) {
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
