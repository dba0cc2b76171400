import { Type } from '@sinclair/typebox'
import { clientOf } from '../client.ts'
import type { Context } from '../context.ts'
import type { Session } from '../entities/session.ts'
import { NotFound, TokenRevoked } from '../errors.ts'
import { forget } from '../grants.ts'
import { accessErrors, answers, bodyErrors, NothingSchema, tags } from './schemas.ts'
import type { Scope } from './scope.ts'

const SessionSchema = Type.Object({
  id: Type.String(),
  current: Type.Boolean({ description: 'The session that asks.' }),
  created_at: Type.String({ format: 'date-time' }),
  last_used_at: Type.String({ format: 'date-time' }),
  expires_at: Type.String({ format: 'date-time', description: 'Unless it is refreshed.' }),
  user_agent: Type.Union([Type.String(), Type.Null()]),
  ip: Type.Union([Type.String(), Type.Null()]),
}, { description: 'A session' })

const KeepSchema = Type.Object({
  keep: Type.Optional(Type.Unsafe<'current'>({ type: 'string', enum: ['current'], description: 'Ends the others, and keeps this one.' })),
}, { additionalProperties: false })

export function sessions (scope: Scope, context: Context, path: string): void {
  const { authenticate, endings, sessions, settings } = context
  // Though it needs no body, one that comes along is looked at.
  const refusals = [...accessErrors(settings.locations), ...bodyErrors]

  const list = {
    operationId: 'listSessions',
    summary: 'Where the user is signed in',
    tags,
    response: answers({ 200: Type.Object({ sessions: Type.Array(SessionSchema) }, { description: 'The one used last first' }) }, ...accessErrors()),
  }
  scope.get(path, { schema: list, onRequest: authenticate }, async ({ auth: { claims: { sub }, sessionId } }) => {
    return { sessions: (await sessions.list(sub)).map((session) => shown(session, sessionId)) }
  })

  const endOne = {
    operationId: 'endSession',
    summary: 'End one session of the user',
    description: 'Not found, too, is what belongs to somebody else.',
    tags,
    params: Type.Object({ id: Type.String() }),
    response: answers({ 204: NothingSchema }, ...refusals, NotFound),
  }
  scope.delete(`${path}/:id`, { schema: endOne, onRequest: authenticate }, async (request, reply) => {
    const { params: { id }, auth: { claims: { sub }, sessionId } } = request
    if (!await endings.end(id, 'ended', { userId: sub, client: clientOf(request) })) throw new NotFound()
    if (id === sessionId) forget(context, request, reply)
    reply.code(204)
  })

  const endAll = {
    operationId: 'endSessions',
    summary: 'End every session of the user, or every other one',
    tags,
    querystring: KeepSchema,
    response: answers({ 204: NothingSchema }, ...refusals),
  }
  scope.delete(path, { schema: endAll, onRequest: authenticate }, async (request, reply) => {
    const { query: { keep }, auth: { claims: { sub }, sessionId } } = request
    const ender = { client: clientOf(request) }
    const isThere = await (keep === undefined ? endings.endAll(sub, ender) : endings.keepOnly(sub, sessionId, ender))
    if (!isThere) throw new TokenRevoked()
    if (keep === undefined) forget(context, request, reply)
    reply.code(204)
  })
}

function shown ({ id, createdAt, lastUsedAt, refreshExpiresAt, userAgent, ip }: Session, current: string) {
  return {
    id,
    current: id === current,
    created_at: createdAt.toISOString(),
    last_used_at: lastUsedAt.toISOString(),
    expires_at: refreshExpiresAt.toISOString(),
    user_agent: userAgent,
    ip,
  }
}
