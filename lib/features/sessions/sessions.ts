import { Type } from '@sinclair/typebox'
import { component } from '../../http/component.ts'
import type { Context } from '../../context.ts'
import type { Session } from '../../sessions/entity.ts'
import { TokenRevoked } from '../../sessions/errors.ts'
import { NotFound } from '../../users/errors.ts'
import { forget } from '../../sign-in/grant.ts'
import { clientOf } from '../../http/request.ts'
import { accessErrors, answers, bodyErrors, ForgottenSchema, tags } from '../../sign-in/schema.ts'
import type { Scope } from '../../http/scope.ts'

const SessionSchema = component('Session', Type.Object({
  id: Type.String({ description: 'By which it can be ended.', examples: ['01980c1e-6f3b-7d18-8a02-c4f7e1b95d60'] }),
  current: Type.Boolean({ description: 'The session that asks.', examples: [true] }),
  created_at: Type.String({ format: 'date-time', description: 'When the user signed in.', examples: ['2026-01-05T08:00:00.000Z'] }),
  last_used_at: Type.String({ format: 'date-time', description: 'To within the life of an access token.', examples: ['2026-01-05T09:30:00.000Z'] }),
  expires_at: Type.String({ format: 'date-time', description: 'Unless it is refreshed.', examples: ['2026-02-04T09:15:00.000Z'] }),
  user_agent: Type.Union([Type.String(), Type.Null()], { description: 'What the client last called itself.', examples: ['Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0'] }),
  ip: Type.Union([Type.String(), Type.Null()], { description: 'Where it last came from.', examples: ['192.0.2.7'] }),
}, { description: 'A session' }))

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
    params: Type.Object({ id: Type.String({ description: 'The id of a session.' }) }),
    response: answers({ 204: ForgottenSchema(settings) }, ...refusals, NotFound),
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
    response: answers({ 204: ForgottenSchema(settings) }, ...refusals),
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
