import type { EntityManager } from '@mikro-orm/core'
import { Type, type TObject } from '@sinclair/typebox'
import { bodyErrors } from '../../guards/answers.ts'
import { answers, tags } from '../../http/answers.ts'
import { component } from '../../http/component.ts'
import { disconnectSignal, sourceOf } from '../../http/request.ts'
import { ChallengeSchema } from '../../one-time/schema.ts'
import { deliver } from '../../sign-in/grant.ts'
import { ownSiteErrors, transportFields } from '../../transport/schema.ts'
import { UserExists } from '../../users/errors.ts'
import type { AddRoutes } from '../feature.ts'
import { Busy, PasswordRejected } from '../passwords/errors.ts'
import type { Spine } from '../spine.ts'
import { Throttled } from '../throttle/errors.ts'
import { registrationFields, type Registration } from './body.ts'
import type { RegisterNeeds, RegisterSettings } from './needs.ts'
import type { StoreRegistration } from './registering.ts'

export function register (
  spine: Spine, { hooks: { onRegister } }: RegisterSettings, { throttle, email: addresses, passwords }: RegisterNeeds,
  store: StoreRegistration
): AddRoutes {
  const { hooks, settings: { transport }, signIn, users: { draft, fields, publicUsers } } = spine
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
    const { transport: wanted, username, email, password, ...profile } = request.body as Registration
    const beginning = signIn.beginningOf(request, wanted ? { transport: wanted } : {})
    const prepare = async () => {
      const user = await draft({ username, email }, { ...fields.given, ...profile }, (names) =>
        passwords.take(password, names, disconnectSignal(reply)))
      return { user, asked: addresses?.offer(request, user), ...await signIn.givenByHost(user, request) }
    }
    const { granted, asked } = await passwords.admit(request, () =>
      throttle.register(request, prepare, async ({ user, asked, data, claims }) => {
        const join = onRegister && ((em: EntityManager) =>
          onRegister(em, ...structuredClone([publicUsers.of(user), { username, email, ...profile }] as const)))
        const granted = await store(user, { ...beginning, data, amr: ['pwd'] }, (session) => {
          return throttle.remember(signIn.grant(session, claims), session)
        }, { ...asked && { within: asked.write }, ...join && { join } })
        return { granted, asked }
      }))
    hooks.onRegistered?.(granted.body.user, sourceOf(request))
    await signIn.endReplaced(request, beginning.transport)
    reply.code(201)
    return { ...deliver(reply, granted), ...asked && { email_challenge: asked.answer(reply) } }
  })
}

/** The answer where a mail is on its way to the new user too. */
function withChallenge (schema: TObject): TObject {
  return component('RegisterResponse', {
    ...schema, properties: { ...schema.properties, email_challenge: Type.Optional(ChallengeSchema) },
  })
}
