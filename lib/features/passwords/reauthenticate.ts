import { Type } from '@sinclair/typebox'
import { accessErrors, bodyErrors } from '../../guards/answers.ts'
import { answers, tags } from '../../http/answers.ts'
import { InputInvalid } from '../../http/errors.ts'
import { clientOf, disconnectSignal, type AnyReply, type AnyRequest } from '../../http/request.ts'
import type { SessionTransport } from '../../sessions/births.ts'
import type { StepUp } from '../../sessions/reauthentication.ts'
import { CredentialsInvalid } from '../../sign-in/errors.ts'
import { deliver, type Grant } from '../../sign-in/grant.ts'
import type { StepUpProof } from '../../sign-in/sign-in.ts'
import type { AccessClaims } from '../../tokens/claims.ts'
import type { Proved } from '../../tokens/levels.ts'
import type { AddRoutes } from '../feature.ts'
import { Throttled } from '../throttle/errors.ts'
import { Busy } from './errors.ts'
import type { PasswordParts } from './passwords.ts'

export function reauthenticate ({ spine, throttle, passwords, credentials, attemptedBy }: PasswordParts): AddRoutes {
  const { guards, sessions, settings, signIn, transport } = spine

  /** When the routes are added, all features have said what they refuse. */
  const schemaOf = () => ({
    operationId: 'reauthenticate',
    summary: 'Re-authenticate with the password or another proof',
    description:
      'The session continues with new tokens, as fresh as after a login, and its earlier ones are invalid. For ' +
      'routes that answer ACCOUNTS_TOKEN_STALE.',
    tags,
    body: Type.Object({
      password: signIn.stepUps.length > 0 ? Type.Optional(PasswordField) : PasswordField,
      ...Object.fromEntries(signIn.stepUps.map(({ field, FieldSchema }) => [field, Type.Optional(FieldSchema)])),
    }, { additionalProperties: false }),
    response: answers(
      { 200: signIn.TokenResponseSchema },
      ...accessErrors(settings.locations),
      ...bodyErrors,
      CredentialsInvalid,
      Throttled,
      Busy,
      ...signIn.refusals(),
      ...signIn.stepUps.flatMap(({ Refusals }) => Refusals)
    ),
  })

  const onRequest = guards.ownGuard({ isWayOut: true })
  return (scope, path) => scope.post(path, { schema: schemaOf(), onRequest }, async (request, reply) => {
    const body = request.body as { password?: string } & Record<string, unknown>
    const stepUp = stepUpOf(body)
    return deliver(reply, await (stepUp
      ? stepUp.check(request, body[stepUp.field], (proved) => goOn(request, proved))
      : byPassword(request, reply, body.password!)))
  })

  /** What is proved in place of the password. */
  function stepUpOf (body: Record<string, unknown>): StepUpProof | undefined {
    const fields = ['password', ...signIn.stepUps.map(({ field }) => field)]
    const given = fields.filter((name) => body[name] !== undefined)
    if (given.length === 1) return signIn.stepUps.find(({ field }) => field === given[0])
    throw new InputInvalid(`body must have exactly one of ${fields.join(', ')}`)
  }

  async function byPassword (request: AnyRequest, reply: AnyReply, password: string): Promise<Grant> {
    const { sub } = request.auth.claims
    await passwords.admit(request, () => throttle.guess(request, () => attemptedBy(request), () =>
      credentials.confirm(sub, password, clientOf(request), disconnectSignal(reply))))
    return goOn(request)
  }

  /** The session goes on. What was proved by a password alone may not be enough. */
  function goOn (request: AnyRequest, stepUp?: StepUp): Promise<Grant> {
    const { claims, location } = request.auth
    return sessions.reauthenticate(claims as AccessClaims, async (found) => {
      const { id: sessionId, user } = found
      // A password says no level: the steps decide whether it is enough.
      const { acr, amr }: Partial<Proved> & Pick<Proved, 'amr'> = stepUp?.proved ?? { amr: ['pwd'] }
      const attempt = { transport: found.transport as SessionTransport, sessionId, gen: claims.gen, request }
      await signIn.judge(user, { acr, amr, ...attempt })
      transport.requireOwnSite(request, found, location)
      const custom = await signIn.customClaims(found, request)
      return (session) => signIn.grant(session, custom)
    }, clientOf(request), stepUp)
  }
}

const PasswordField = Type.String({ description: 'The password of the signed-in user.' })
