import { Type, type TObject } from '@sinclair/typebox'
import { bodyErrors } from '../../guards/answers.ts'
import { answers, tags } from '../../http/answers.ts'
import { component } from '../../http/component.ts'
import { disconnectSignal } from '../../http/request.ts'
import { ChallengeSchema } from '../../one-time/schema.ts'
import { ownSiteErrors, transportFields } from '../../transport/schema.ts'
import { UserExists } from '../../users/errors.ts'
import type { AddRoutes } from '../feature.ts'
import { Busy, PasswordRejected } from '../passwords/errors.ts'
import type { Spine } from '../spine.ts'
import { Throttled } from '../throttle/errors.ts'
import { registrationFields, type Registration } from './body.ts'
import type { RegisterNeeds, RegisterSettings } from './needs.ts'
import type { OpenAccount } from './opening.ts'

export function register (
  spine: Spine, { hooks: { onRegister } }: RegisterSettings, { throttle, email: addresses, passwords }: RegisterNeeds,
  openAccount: OpenAccount
): AddRoutes {
  const { settings: { transport }, signIn, users: { draft, fields, publicUsers } } = spine
  const { TokenResponseSchema } = signIn

  const schema = {
    operationId: 'register',
    summary: 'Open an account and sign in',
    tags,
    body: Type.Object({
      ...registrationFields(spine, passwords, false),
      ...transportFields(transport),
    }, { additionalProperties: false }),
    response: answers({ 201: addresses?.isOffered ? withChallenge(TokenResponseSchema) : TokenResponseSchema },
      ...bodyErrors, ...ownSiteErrors(transport), PasswordRejected, UserExists, Throttled, Busy),
  }

  return (scope, path) => scope.post(path, { schema }, async (request, reply) => {
    const { transport, username, email, password, ...profile } = request.body as Registration
    const opening = openAccount(request, transport)
    const prepare = async () => {
      const user = await draft({ username, email }, { ...fields.given, ...profile }, (names) =>
        passwords.take(password, names, disconnectSignal(reply)))
      return { user, asked: addresses?.offer(request, user), given: await opening.givenByHost(user) }
    }
    const { granted, asked } = await passwords.admit(request, () =>
      throttle.register(request, prepare, async ({ user, asked, given }) => {
        const granted = await opening.store(user, given, {
          ...asked && { within: asked.write },
          join: (callHost, tx) =>
            callHost(tx, onRegister, publicUsers.of(user), { username, email, ...profile }),
        })
        return { granted, asked }
      }))
    const body = await opening.answer(reply, granted)
    return { ...body, ...asked && { email_challenge: asked.answer(reply) } }
  })
}

/** The answer where a mail is on its way to the new user too. */
function withChallenge (schema: TObject): TObject {
  return component('RegisterResponse', {
    ...schema, properties: { ...schema.properties, email_challenge: Type.Optional(ChallengeSchema) },
  })
}
