import { Type } from '@sinclair/typebox'
import { accessErrors, bodyErrors } from '../../guards/answers.ts'
import { answers, tags } from '../../http/answers.ts'
import { clientOf, disconnectSignal } from '../../http/request.ts'
import { CredentialsInvalid } from '../../sign-in/errors.ts'
import type { SessionTransport } from '../../sessions/births.ts'
import { deliver } from '../../sign-in/grant.ts'
import type { AddRoutes } from '../feature.ts'
import { Throttled } from '../throttle/errors.ts'
import { Busy } from './errors.ts'
import type { PasswordParts } from './passwords.ts'

export function reauthenticate ({ spine, throttle, passwords, credentials, attemptedBy }: PasswordParts): AddRoutes {
  const { guards, sessions, settings, signIn, transport } = spine

  /** When the routes are added, all features have said what they refuse. */
  const schemaOf = () => ({
    operationId: 'reauthenticate',
    summary: 'Give the password again',
    description:
      'The session goes on with new tokens, as fresh as after a login, and its earlier ones are void: for routes ' +
      'that answer ACCOUNTS_TOKEN_STALE.',
    tags,
    body: Type.Object(
      { password: Type.String({ description: 'The password of the signed-in user.' }) },
      { additionalProperties: false }
    ),
    response: answers(
      { 200: signIn.TokenResponseSchema },
      ...accessErrors(settings.locations),
      ...bodyErrors,
      CredentialsInvalid,
      Throttled,
      Busy,
      ...signIn.refusals()
    ),
  })

  const onRequest = guards.ownGuard({ isWayOut: true })
  return (scope, path) => scope.post(path, { schema: schemaOf(), onRequest }, async (request, reply) => {
    const { auth: { claims, location }, body: { password } } = request
    const client = clientOf(request)
    await passwords.admit(request, () => throttle.guess(request, () => attemptedBy(request), () =>
      credentials.confirm(claims.sub, password, client, disconnectSignal(reply))))
    const granted = await sessions.reauthenticate(claims, async (found) => {
      const { id: sessionId, user } = found
      const attempt = { transport: found.transport as SessionTransport, sessionId, gen: claims.gen, request }
      await signIn.judge(user, { amr: ['pwd'], ...attempt })
      transport.requireOwnSite(request, found, location)
      const custom = await signIn.customClaims(found, request)
      return (session) => signIn.grant(session, custom)
    }, client)
    return deliver(reply, granted)
  })
}
