import { Type } from '@sinclair/typebox'
import type { Context } from '../../context.ts'
import { Busy, PasswordRejected } from './errors.ts'
import { Throttled } from '../throttle/errors.ts'
import { CredentialsInvalid } from '../../sign-in/errors.ts'
import { claimsOf, deliver, requireOwnSite, welcome } from '../../sign-in/grant.ts'
import { clientOf, sourceOf } from '../../http/request.ts'
import { attemptedBy } from '../throttle/throttle.ts'
import { whenGone } from '../../http/signal.ts'
import { accessErrors, answers, bodyErrors, PasswordSchema, tags, tokenResponseSchema } from '../../sign-in/schema.ts'
import type { Scope } from '../../http/scope.ts'

export function password (scope: Scope, context: Context, path: string): void {
  const { authenticate, hooks, sessions, throttle, users, settings } = context

  const schema = {
    operationId: 'changePassword',
    summary: 'Take another password',
    description: 'This session goes on with new tokens, and its earlier ones are void; every other one is over.',
    tags,
    body: Type.Object({ current_password: Type.String({ description: 'The one that is to go.' }), new_password: PasswordSchema(settings) }, { additionalProperties: false }),
    response: answers({ 200: tokenResponseSchema(context) }, ...accessErrors(settings.locations), ...bodyErrors, CredentialsInvalid, PasswordRejected, Throttled, Busy),
  }

  scope.put(path, { schema, onRequest: authenticate }, async (request, reply) => {
    const { body: { current_password: current, new_password: next }, auth: { claims, location } } = request
    const change = { userId: claims.sub, shown: claims, current, next, client: clientOf(request), gone: whenGone(reply) }
    const granted = await throttle.guess(request, () => attemptedBy(request, context), () => users.changePassword(change, async (user) => {
      const custom = await claimsOf(context, { user, data: await sessions.dataOf(claims.sid) }, request)
      return (session) => {
        requireOwnSite(context, request, session, location)
        return welcome(context, session, custom)
      }
    }))
    hooks.tell('onPasswordChanged', granted.body.user, sourceOf(request))
    return deliver(reply, granted)
  })
}
