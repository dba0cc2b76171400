import { Type } from '@sinclair/typebox'
import { clientOf } from '../client.ts'
import type { Context } from '../context.ts'
import { CredentialsInvalid, PasswordRejected } from '../errors.ts'
import { claimsOf, deliver, grant, requireOwnSite } from '../grants.ts'
import { sourceOf } from '../hooks.ts'
import { accessErrors, answers, bodyErrors, PasswordSchema, tags, tokenResponseSchema } from './schemas.ts'
import type { Scope } from './scope.ts'

export function password (scope: Scope, context: Context, path: string): void {
  const { authenticate, hooks, users, settings } = context

  const schema = {
    operationId: 'changePassword',
    summary: 'Take another password',
    description: 'This session goes on with new tokens; every other one is over.',
    tags,
    body: Type.Object({ current_password: Type.String({ description: 'The one that is to go.' }), new_password: PasswordSchema(settings) }, { additionalProperties: false }),
    response: answers({ 200: tokenResponseSchema(context) }, ...accessErrors(settings.locations), ...bodyErrors, CredentialsInvalid, PasswordRejected),
  }

  scope.put(path, { schema, onRequest: authenticate }, async (request, reply) => {
    const { body: { current_password: current, new_password: next }, auth: { claims: { sub }, sessionId, location } } = request
    const granted = await users.changePassword({ userId: sub, sessionId, current, next, client: clientOf(request) }, async (user) => {
      const claims = await claimsOf(context, user, request)
      return (session) => {
        requireOwnSite(context, request, session, location)
        return grant(context, session, claims)
      }
    })
    hooks.tell('onPasswordChanged', granted.body.user, sourceOf(request))
    return deliver(reply, granted)
  })
}
