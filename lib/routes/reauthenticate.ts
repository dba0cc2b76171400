import { Type } from '@sinclair/typebox'
import { clientOf } from '../client.ts'
import type { Context } from '../context.ts'
import { CredentialsInvalid } from '../errors.ts'
import { claimsOf, deliver, grant, requireOwnSite } from '../grants.ts'
import { accessErrors, answers, bodyErrors, tags, tokenResponseSchema } from './schemas.ts'
import type { Scope } from './scope.ts'

export function reauthenticate (scope: Scope, context: Context, path: string): void {
  const { authenticate, credentials, sessions, settings: { locations } } = context

  const schema = {
    operationId: 'reauthenticate',
    summary: 'Give the password again',
    description: 'The same session goes on, as fresh as after a login: for routes that answer ACCOUNTS_TOKEN_STALE.',
    tags,
    body: Type.Object({ password: Type.String({ description: 'The password of the signed-in user.' }) }, { additionalProperties: false }),
    response: answers({ 200: tokenResponseSchema(context) }, ...accessErrors(locations), ...bodyErrors, CredentialsInvalid),
  }

  scope.post(path, { schema, onRequest: authenticate }, async (request, reply) => {
    const { claims: { sub }, sessionId, location } = request.auth
    await credentials.confirm(sub, request.body.password, clientOf(request))
    const { session, prepared } = await sessions.reauthenticate(sessionId, async (found) => {
      requireOwnSite(context, request, found, location)
      return claimsOf(context, found.user, request)
    })
    return deliver(reply, grant(context, session, prepared))
  })
}
