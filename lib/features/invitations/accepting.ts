import type { EntityManager } from '@mikro-orm/core'
import { Type, type TSchema } from '@sinclair/typebox'
import { withHost } from '../../database/with-host.ts'
import type { Happening } from '../../events/events.ts'
import { accessErrors, bodyErrors } from '../../guards/answers.ts'
import { Forbidden } from '../../guards/errors.ts'
import { answers, NothingSchema, tags } from '../../http/answers.ts'
import { InputInvalid } from '../../http/errors.ts'
import { clientOf, disconnectSignal, sourceOf } from '../../http/request.ts'
import { ProofInvalid } from '../../one-time/errors.ts'
import type { OneTimeRow } from '../../one-time/rows.ts'
import { TokenBody } from '../../one-time/schema.ts'
import { TokenRevoked } from '../../sessions/errors.ts'
import { deliver } from '../../sign-in/grant.ts'
import type { Wish } from '../../sign-in/sign-in.ts'
import { ownSiteErrors, transportFields } from '../../transport/schema.ts'
import { isAdmin } from '../../users/admin.ts'
import { User } from '../../users/entity.ts'
import { UserExists } from '../../users/errors.ts'
import type { PublicFields } from '../../users/public-user.ts'
import { UsernameSchema } from '../../users/schema.ts'
import type { AddRoutes } from '../feature.ts'
import type { MailProofs } from '../mail/mail-proofs.ts'
import { Busy, PasswordRejected } from '../passwords/errors.ts'
import type { Passwords } from '../passwords/passwords.ts'
import type { StoreRegistration } from '../register/registering.ts'
import type { Spine } from '../spine.ts'
import { Throttled } from '../throttle/errors.ts'
import type { Limits } from '../throttle/limits.ts'
import type { InvitationEvents } from './events.ts'
import type { Invitation, Invitations } from './invitations.ts'
import type { InvitationSettings } from './options.ts'

interface AcceptParts {
  throttle: Limits
  mail: MailProofs
  passwords: Passwords
  invitations: Invitations
  store: StoreRegistration
}

/** What somebody accepts with who has no account yet, fields of the app's own included. */
interface Acceptance extends Pick<Wish, 'transport'> {
  token: string
  username?: string
  password?: string
}

/** The routes of those who are invited. */
export function accepting (
  spine: Spine, { hooks: { onInvitationAccepted } }: InvitationSettings, parts: AcceptParts
): AddRoutes {
  const { database, events, guards, hooks, input, sessions, settings, signIn, users } = spine
  const { identifiers, locations, transport } = settings
  const { draft, fields, lookUp, publicUsers } = users
  const { throttle, mail, passwords, invitations, store } = parts
  const { oneTimes } = mail.mailing
  const readProfile = input.reader(Type.Object(fields.registration, { additionalProperties: false }), 'whole')

  const show = {
    operationId: 'showInvitation',
    summary: 'What an invitation is about',
    description: 'Of its data the member public alone.',
    tags,
    body: TokenBody,
    response: answers({
      200: Type.Object({
        email: Type.String({ examples: ['eve@example.com'] }),
        expires_at: Type.String({ format: 'date-time', examples: ['2026-01-12T08:00:00.000Z'] }),
        data: Type.Unknown({ examples: [null] }),
      }, { description: 'The invitation' }),
    }, ...bodyErrors, ProofInvalid, Throttled),
  }

  const accept = {
    operationId: 'acceptInvitation',
    summary: 'Accept an invitation',
    description: 'Opens an account with the address that is invited, and signs in; or, of somebody who is signed in ' +
      'and has that address, does nothing more than that.',
    tags,
    body: Type.Object({
      ...TokenBody.properties,
      ...identifiers.includes('username') && { username: Type.Optional(UsernameSchema) },
      password: Type.Optional(passwords.PasswordSchema),
      ...optional(fields.registration),
      ...transportFields(transport),
    }, { additionalProperties: false }),
    response: answers({ 201: signIn.TokenResponseSchema, 204: NothingSchema }, ...accessErrors(locations),
      ...bodyErrors, ...ownSiteErrors(transport), Forbidden, ProofInvalid, UserExists, PasswordRejected, Throttled,
      Busy),
  }

  function callHook (user: PublicFields, { data, inviterId }: Invitation) {
    return onInvitationAccepted && ((em: EntityManager) =>
      onInvitationAccepted(em, structuredClone(publicUsers.of(user)), structuredClone({ data, inviterId })))
  }

  /** Somebody who is signed in: the invitation proves their address, if it is theirs. */
  async function join (userId: string, proof: OneTimeRow, invitation: Invitation, client: object): Promise<void> {
    await withHost(database, (callHost) => sessions.revocationLog.record(async (tx, write, note) => {
      const user = await lookUp.locked(tx, userId)
      if (!user) throw new TokenRevoked()
      if (user.emailKey !== proof.addressKey) throw new Forbidden()
      await oneTimes.use(tx, proof)
      const roles = [...new Set([...user.roles, ...invitation.roles])]
      const now = new Date()
      const change = { roles, isAdmin: isAdmin({ ...user, roles }), emailVerifiedAt: user.emailVerifiedAt ?? now }
      await tx.nativeUpdate(User, { id: userId }, { ...change, updatedAt: now })
      await write('user', userId, user.epoch)
      await note({ type: 'invitation-accepted', userId, client })
      const hook = callHook({ ...user, roles }, invitation)
      if (hook) await callHost(tx, hook)
    }))
  }

  return (scope, path) => {
    scope.post(`${path}/show`, { schema: show }, async (request) => {
      const proof = await mail.prove(request, 'invite', request.body)
      const { email, data, expiresAt } = await invitations.read(proof)
      return { email, expires_at: expiresAt.toISOString(), data: data?.public ?? null }
    })

    scope.post(`${path}/accept`, {
      schema: accept, onRequest: guards.ownGuard({ optional: true }),
    }, async (request, reply) => {
      const { token, ...body } = request.body as Acceptance
      const client = clientOf(request)
      if (request.auth) {
        if (Object.keys(body).length > 0) throw new InputInvalid('body must have a token alone, of who is signed in')
        const proof = await mail.prove(request, 'invite', { token })
        await join(request.auth.claims.sub, proof, await invitations.read(proof), client)
        reply.code(204)
        return
      }
      const { transport: wanted, username, password, ...given } = body
      if (password === undefined) throw new InputInvalid('body must have password')
      const profile = readProfile(given)
      const beginning = signIn.beginningOf(request, wanted ? { transport: wanted } : {})
      const granted = await passwords.admit(request, async () => {
        const proof = await mail.prove(request, 'invite', { token })
        const invitation = await invitations.read(proof)
        const { email, roles } = invitation
        const past = { emailVerifiedAt: new Date() }
        const user = await draft({ username, email, roles, past }, { ...fields.given, ...profile }, (names) =>
          passwords.take(password, names, disconnectSignal(reply)))
        const { data, claims } = await signIn.givenByHost(user, request)
        const hook = callHook(user, invitation)
        const happening: Happening<InvitationEvents> = { type: 'invitation-accepted', userId: user.id, client }
        const granted = await store(user, { ...beginning, data, amr: ['pwd'] },
          (session) => throttle.remember(signIn.grant(session, claims), session), {
            async within (tx) {
              await oneTimes.use(tx, proof)
              await events.write(tx, happening)
            },
            ...hook && { join: hook },
          })
        events.tell(happening)
        return granted
      })
      hooks.onRegistered?.(granted.body.user, sourceOf(request))
      await signIn.endReplaced(request, beginning.transport)
      reply.code(201)
      return deliver(reply, granted)
    })
  }
}

/** Fields that need not be there, and have no default yet: who is signed in gives none. */
function optional (fields: Record<string, TSchema>): Record<string, TSchema> {
  return Object.fromEntries(Object.entries(fields).map(([name, { default: _, ...field }]) =>
    [name, Type.Optional(field as TSchema)]))
}
