import { Type } from '@sinclair/typebox'
import { bodyErrors } from '../../guards/answers.ts'
import { answers, tags } from '../../http/answers.ts'
import { clientOf, disconnectSignal, sourceOf } from '../../http/request.ts'
import { SessionsFull } from '../../sessions/errors.ts'
import type { Attempt, Wish } from '../../sign-in/sign-in.ts'
import { CredentialsInvalid } from '../../sign-in/errors.ts'
import { deliver } from '../../sign-in/grant.ts'
import { ownSiteErrors, wishFields } from '../../transport/schema.ts'
import type { AddRoutes } from '../feature.ts'
import { Throttled } from '../throttle/errors.ts'
import type { Limits } from '../throttle/limits.ts'
import type { User } from '../../users/entity.ts'
import type { LookUp } from '../../users/look-up.ts'
import { identifierKey } from '../../users/identifiers.ts'
import type { Credentials } from './credentials.ts'
import { Busy, PasswordResetRequired } from './errors.ts'
import type { PasswordParts, Passwords } from './passwords.ts'
import type { Queue } from './queue.ts'

interface Login extends Wish, Record<string, unknown> {
  password: string
}

const words = { username: 'user name', email: 'e-mail address' }

interface IdentifyParts {
  lookUp: LookUp
  throttle: Limits
  queue: Queue
  credentials: Credentials
}

/** Makes the one way for routes to ask for a name or an address and a password: counted, and in the line. */
export function createIdentify ({ lookUp, throttle, queue, credentials }: IdentifyParts): Passwords['identify'] {
  return (request, reply, identifier, password) => {
    const find = async () => {
      const stored = await lookUp.stored.byIdentifier(identifier)
      const device = await throttle.known(request, async () => stored)
      return { key: identifierKey(identifier), id: stored?.id, stored, device }
    }
    return queue.admit(request, () => throttle.guess(request, find, ({ stored }, isJudged) =>
      credentials.identify(stored, isJudged, password, clientOf(request), disconnectSignal(reply))))
  }
}

/**
 * Keeps out whose password has to be another one first, where they have come by it.
 * @throws {PasswordResetRequired}
 */
export function refuseWhileResetIsDue (
  { resetDueAt }: Pick<User, 'resetDueAt'>, { amr }: Pick<Attempt, 'amr'>
): void {
  if (resetDueAt && amr.includes('pwd')) throw new PasswordResetRequired()
}

export function login ({ spine, throttle, passwords }: PasswordParts): AddRoutes {
  const { hooks, mail, settings: { identifiers, transport }, signIn, users: { lookUp } } = spine
  const field = identifiers.includes('username') ? 'username' : 'email'

  const schemaOf = () => ({
    operationId: 'login',
    summary: 'Sign in with a password',
    tags,
    body: Type.Object({
      [field]: Type.String({
        maxLength: 512, description: `The ${identifiers.map((name) => words[name]).join(' or ')}.`,
      }),
      password: Type.String({ description: 'As it was chosen, to the last space.' }),
      ...wishFields(transport),
    }, { additionalProperties: false }),
    response: answers({ 200: signIn.TokenResponseSchema },
      ...bodyErrors, ...ownSiteErrors(transport), CredentialsInvalid, SessionsFull, Throttled, Busy,
      ...signIn.refusals()),
  })

  return (scope, path) => scope.post(path, { schema: schemaOf() }, async (request, reply) => {
    const { [field]: identifier, password, ...wish } = request.body as Login & Record<typeof field, string>
    const beginning = signIn.beginningOf(request, wish)
    try {
      const user = await passwords.identify(request, reply, identifier, password)
      const { data, claims } = await signIn.givenByHost(user, request)
      const isKnownDevice = mail && await throttle.known(request, () => lookUp.stored.byId(user.id)) !== undefined
      const begun = { ...beginning, data, amr: ['pwd'], ...isKnownDevice && { isKnownDevice } }
      const granted = await signIn.signIn(user, begun, (session) =>
        throttle.remember(signIn.grant(session, claims), session)
      )
      hooks.onLogin?.(granted.body.user, sourceOf(request))
      await signIn.endReplaced(request, beginning.transport)
      return deliver(reply, granted)
    } catch (error) {
      if (error instanceof CredentialsInvalid) hooks.onLoginFailed?.(identifier, sourceOf(request))
      throw error
    }
  })
}
