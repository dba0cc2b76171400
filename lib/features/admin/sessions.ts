import { Type } from '@sinclair/typebox'
import { accessErrors, bodyErrors, strongErrors } from '../../guards/answers.ts'
import { Forbidden, TokenStale } from '../../guards/errors.ts'
import { answers, NothingSchema, tags } from '../../http/answers.ts'
import { clientOf } from '../../http/request.ts'
import { SessionSchema, shownSession } from '../../sessions/schema.ts'
import { NotFound } from '../../users/errors.ts'
import type { AddRoutes } from '../feature.ts'
import type { Spine } from '../spine.ts'
import type { EndForAdmin } from './ending.ts'

/** Admins see where a user is signed in, and end it. */
export function userSessions (
  { guards, sessions, settings, users: { lookUp } }: Spine, end: EndForAdmin
): AddRoutes {
  const needs = { permission: 'sessions:end', consistency: 'strict' } as const
  const onRead = guards.ownGuard(needs)
  const onEnd = guards.ownGuard({ ...needs, strong: 'with-factor' })
  const user = { id: Type.String({ description: 'The id of a user.' }) }
  const ofUser = Type.Object(user)
  const ofSession = Type.Object({ ...user, sid: Type.String({ description: 'The id of a session of that user.' }) })
  const refusals = [
    ...accessErrors(settings.locations), TokenStale, ...strongErrors(settings), ...bodyErrors, Forbidden, NotFound,
  ]

  const list = {
    operationId: 'listSessionsOfUser',
    summary: 'List the sessions of another user',
    tags,
    params: ofUser,
    response: answers(
      { 200: Type.Object({ sessions: Type.Array(SessionSchema) }, { description: 'The most recently used first' }) },
      ...accessErrors(), Forbidden, NotFound
    ),
  }

  const endOne = {
    operationId: 'endSessionOfUser',
    summary: 'End one session of another user',
    description: 'What belongs to somebody else than the user of the path is not found.',
    tags,
    params: ofSession,
    response: answers({ 204: NothingSchema }, ...refusals),
  }

  const endAll = {
    operationId: 'endSessionsOfUser',
    summary: 'End all sessions of another user',
    description: 'What the user has borrowed of others ends too. Admins end their own by the routes of sessions.',
    tags,
    params: ofUser,
    response: answers({ 204: NothingSchema }, ...refusals),
  }

  return (scope, path) => {
    scope.get(`${path}/:id/sessions`, { schema: list, onRequest: onRead }, async (request) => {
      const { params: { id }, auth: { sessionId } } = request
      if (!await lookUp.byId(id)) throw new NotFound()
      return { sessions: (await sessions.list(id)).map((session) => shownSession(session, sessionId)) }
    })

    scope.delete(`${path}/:id/sessions/:sid`, { schema: endOne, onRequest: onEnd }, async (request, reply) => {
      const { params: { id, sid }, auth: { claims: { sub: actorId } } } = request
      await end(id, sid, { actorId, client: clientOf(request) })
      reply.code(204)
    })

    scope.delete(`${path}/:id/sessions`, { schema: endAll, onRequest: onEnd }, async (request, reply) => {
      const { params: { id }, auth: { claims: { sub: actorId } } } = request
      await end(id, undefined, { actorId, client: clientOf(request) })
      reply.code(204)
    })
  }
}
