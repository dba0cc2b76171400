import { Type } from '@sinclair/typebox'
import { accessErrors, bodyErrors, strongErrors } from '../../guards/answers.ts'
import { keysToRevoke, revokeKeysField } from '../../guards/revoke-keys.ts'
import { answers, tags } from '../../http/answers.ts'
import { clientOf, disconnectSignal, sourceOf } from '../../http/request.ts'
import { CredentialsInvalid } from '../../sign-in/errors.ts'
import { deliver } from '../../sign-in/grant.ts'
import type { AddRoutes } from '../feature.ts'
import { Throttled } from '../throttle/errors.ts'
import { Busy, PasswordRejected } from './errors.ts'
import type { PasswordParts } from './passwords.ts'

export function password ({ spine, throttle, passwords, changePassword, attemptedBy }: PasswordParts): AddRoutes {
  const { guards, hooks, sessions, settings, signIn, transport } = spine

  const schema = {
    operationId: 'changePassword',
    summary: 'Change the password',
    description: 'This session continues with new tokens, and its earlier ones are invalid. Every other session ' +
      'ends.',
    tags,
    body: Type.Object({
      current_password: Type.String({ description: 'The current password.' }),
      new_password: passwords.PasswordSchema,
      ...revokeKeysField(settings),
    }, { additionalProperties: false }),
    response: answers({ 200: signIn.TokenResponseSchema },
      ...accessErrors(settings.locations), ...strongErrors(settings), ...bodyErrors,
      CredentialsInvalid, PasswordRejected, Throttled, Busy),
  }

  const onRequest = guards.ownGuard({ strong: 'with-factor' })
  return (scope, path) => scope.put(path, { schema, onRequest }, async (request, reply) => {
    const { auth: { claims, location }, body: { current_password: current, new_password: next } } = request
    const client = clientOf(request)
    const [gone, keysSince] = [disconnectSignal(reply), keysToRevoke(request.body)]
    const change = { userId: claims.sub, shown: claims, current, next, client, gone, keysSince }
    const granted = await passwords.admit(request, () => throttle.guess(request, () => attemptedBy(request), () =>
      changePassword(change, async (user) => {
        const custom = await signIn.customClaims({ user, data: await sessions.dataOf(claims.sid) }, request)
        return (session) => {
          transport.requireOwnSite(request, session, location)
          return throttle.remember(signIn.grant(session, custom), session)
        }
      })))
    hooks.onPasswordChanged?.(granted.body.user, sourceOf(request))
    return deliver(reply, granted)
  })
}
