import { Type } from '@sinclair/typebox'
import { TokenRevoked } from '../../sessions/errors.ts'
import { SessionSchema, shownSession } from '../../sessions/schema.ts'
import { NotFound } from '../../users/errors.ts'
import type { AddRoutes } from '../feature.ts'
import type { Spine } from '../spine.ts'
import { clientOf } from '../../http/request.ts'
import { accessErrors, bodyErrors } from '../../guards/answers.ts'
import { answers, tags } from '../../http/answers.ts'
import { ForgottenSchema } from '../../transport/schema.ts'

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
      return { sessions: (await sessions.list(sub)).map((session) => shownSession(session, sessionId)) }
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
