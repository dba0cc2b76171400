import { Type } from '@sinclair/typebox'
import type { Happening } from '../../events/events.ts'
import { accessErrors, bodyErrors } from '../../guards/answers.ts'
import { Forbidden } from '../../guards/errors.ts'
import { answers, NothingSchema, tags } from '../../http/answers.ts'
import { InputInvalid } from '../../http/errors.ts'
import { clientOf, disconnectSignal, type AnyReply, type AnyRequest } from '../../http/request.ts'
import { ProofInvalid } from '../../one-time/errors.ts'
import { TokenBody } from '../../one-time/schema.ts'
import type { Wish } from '../../sign-in/sign-in.ts'
import { ownSiteErrors, transportFields } from '../../transport/schema.ts'
import { UserExists } from '../../users/errors.ts'
import { optionalFields } from '../../users/fields.ts'
import { UsernameSchema } from '../../users/schema.ts'
import type { AddRoutes } from '../feature.ts'
import type { MailProofs } from '../mail/mail-proofs.ts'
import { Busy, PasswordRejected } from '../passwords/errors.ts'
import type { Passwords } from '../passwords/passwords.ts'
import type { OpenAccount } from '../register/opening.ts'
import type { Spine } from '../spine.ts'
import { Throttled } from '../throttle/errors.ts'
import type { InvitationEvents } from './events.ts'
import type { Invitations } from './invitations.ts'
import type { Join } from './joining.ts'
import type { InvitationSettings } from './options.ts'

interface AcceptParts {
  mail: MailProofs
  passwords: Passwords
  invitations: Invitations
  openAccount: OpenAccount
  join: Join
}

/** What somebody accepts with who has no account yet, fields of the app's own included. */
interface Acceptance extends Pick<Wish, 'transport'> {
  token: string
  username?: string
  password?: string
}

/** Accepts an invitation: it opens an account, or is for one that somebody is signed in to. */
export function acceptInvitation (
  spine: Spine, { hooks: { onInvitationAccepted } }: InvitationSettings, parts: AcceptParts
): AddRoutes {
  const { events, guards, input, settings: { identifiers, locations, transport }, signIn, users } = spine
  const { draft, fields, publicUsers } = users
  const { mail, passwords, invitations, openAccount, join } = parts
  const { oneTimes } = mail.mailing
  const readProfile = input.reader(Type.Object(fields.registration, { additionalProperties: false }), 'whole')

  const schema = {
    operationId: 'acceptInvitation',
    summary: 'Accept an invitation',
    description: 'Creates an account with the invited address, and signs in. A signed-in user with that address ' +
      'accepts for their existing account.',
    tags,
    body: Type.Object({
      ...TokenBody.properties,
      ...identifiers.includes('username') && { username: Type.Optional(UsernameSchema) },
      password: Type.Optional(passwords.PasswordSchema),
      ...optionalFields(fields.registration),
      ...transportFields(transport),
    }, { additionalProperties: false }),
    response: answers({ 201: signIn.TokenResponseSchema, 204: NothingSchema }, ...accessErrors(locations),
      ...bodyErrors, ...ownSiteErrors(transport), Forbidden, ProofInvalid, UserExists, PasswordRejected, Throttled,
      Busy),
  }

  async function open (request: AnyRequest, reply: AnyReply, { token, transport, ...body }: Acceptance) {
    const { username, password, ...given } = body
    if (password === undefined) throw new InputInvalid('body must have password')
    const profile = readProfile(given)
    const opening = openAccount(request, transport)
    const granted = await passwords.admit(request, async () => {
      const proof = await mail.prove(request, 'invite', { token })
      const { email, roles, data, inviterId } = await invitations.read(proof)
      const past = { emailVerifiedAt: new Date() }
      const user = await draft({ username, email, roles, past }, { ...fields.given, ...profile }, (names) =>
        passwords.take(password, names, disconnectSignal(reply)))
      const happening: Happening<InvitationEvents> = {
        type: 'invitation-accepted', userId: user.id, client: clientOf(request),
      }
      const granted = await opening.store(user, await opening.givenByHost(user), {
        async within (tx) {
          await oneTimes.use(tx, proof)
          await events.write(tx, happening)
        },
        join: (callHost, tx) => callHost(tx, onInvitationAccepted, publicUsers.of(user), { data, inviterId }),
      })
      events.tell(happening)
      return granted
    })
    return opening.answer(reply, granted)
  }

  return (scope, path) => scope.post(`${path}/accept`, {
    schema, onRequest: guards.ownGuard({ optional: true }),
  }, async (request, reply) => {
    const { token, ...body } = request.body as Acceptance
    if (!request.auth) return open(request, reply, { token, ...body })

    if (Object.keys(body).length > 0) throw new InputInvalid('body must have a token alone, of who is signed in')
    const proof = await mail.prove(request, 'invite', { token })
    await join(request.auth.claims.sub, proof, await invitations.read(proof), clientOf(request))
    return reply.code(204).send()
  })
}
