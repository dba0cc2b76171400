import { Type } from '@sinclair/typebox'
import type { Context } from '../../context.ts'
import { Busy } from './errors.ts'
import { Throttled } from '../throttle/errors.ts'
import { CredentialsInvalid } from '../../sign-in/errors.ts'
import { claimsOf, deliver, grant, requireOwnSite } from '../../sign-in/grant.ts'
import { clientOf } from '../../http/request.ts'
import { attemptedBy } from '../throttle/throttle.ts'
import { whenGone } from '../../http/signal.ts'
import { accessErrors, answers, bodyErrors, tags, tokenResponseSchema } from '../../sign-in/schema.ts'
import type { Scope } from '../../http/scope.ts'

export function reauthenticate (scope: Scope, context: Context, path: string): void {
  const { authenticate, credentials, sessions, throttle, settings: { locations } } = context

  const schema = {
    operationId: 'reauthenticate',
    summary: 'Give the password again',
    description: 'The session goes on with new tokens, as fresh as after a login, and its earlier ones are void: for routes that answer ACCOUNTS_TOKEN_STALE.',
    tags,
    body: Type.Object({ password: Type.String({ description: 'The password of the signed-in user.' }) }, { additionalProperties: false }),
    response: answers({ 200: tokenResponseSchema(context) }, ...accessErrors(locations), ...bodyErrors, CredentialsInvalid, Throttled, Busy),
  }

  scope.post(path, { schema, onRequest: authenticate }, async (request, reply) => {
    const { claims, location } = request.auth
    const client = clientOf(request)
    await throttle.guess(request, () => attemptedBy(request, context), () => credentials.confirm(claims.sub, request.body.password, client, whenGone(reply)))
    const granted = await sessions.reauthenticate(claims, async (found) => {
      requireOwnSite(context, request, found, location)
      const custom = await claimsOf(context, found, request)
      return (session) => grant(context, session, custom)
    }, client)
    return deliver(reply, granted)
  })
}
