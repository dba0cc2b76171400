import { Type } from '@sinclair/typebox'
import { accessErrors, bodyErrors, borrowedErrors } from '../../guards/answers.ts'
import { answers, NothingSchema, tags } from '../../http/answers.ts'
import { clientOf, type AnyReply, type AnyRequest } from '../../http/request.ts'
import { ProofInvalid } from '../../one-time/errors.ts'
import type { Purpose } from '../../one-time/purposes.ts'
import { ChallengeIdField, ChallengeSchema, ProofBody, TokenBody, type Proof } from '../../one-time/schema.ts'
import { TokenRevoked } from '../../sessions/errors.ts'
import type { User } from '../../users/entity.ts'
import type { Factors } from '../factors/factors.ts'
import type { AddRoutes } from '../feature.ts'
import type { MailProofs } from '../mail/mail-proofs.ts'
import type { Spine } from '../spine.ts'
import { Throttled } from '../throttle/errors.ts'
import { EmailMissing } from './errors.ts'
import type { Verifying } from './verifying.ts'

interface Parts {
  mail: MailProofs
  verifying: Verifying
  factors: Factors | undefined
}

export function verifyEmail (
  { guards, settings, users: { lookUp, publicUsers } }: Spine, { mail, verifying, factors }: Parts
): AddRoutes {
  const send = {
    operationId: 'sendVerification',
    summary: 'Request a mail that verifies the address',
    description: 'If the address is already verified, nothing is sent, and the answer is 204.' +
      (factors ? ' Takes the ticket of a refusal that asked for an enrolment, too.' : ''),
    tags,
    body: Type.Object({ challenge_id: ChallengeIdField, ...factors && { ticket: factors.TicketSchema } }, {
      additionalProperties: false,
    }),
    response: answers({ 202: ChallengeSchema, 204: NothingSchema },
      ...accessErrors(settings.locations), ...bodyErrors, ...borrowedErrors(settings), EmailMissing, Throttled),
  }

  const verify = {
    operationId: 'verifyEmail',
    summary: 'Verify an address with the link or code of a mail',
    tags,
    body: ProofBody({}),
    response: answers({ 204: NothingSchema }, ...bodyErrors, ProofInvalid, Throttled),
  }

  const disown = {
    operationId: 'disownEmail',
    summary: 'Disown an address or invitation with the link of a mail',
    description: 'The address is removed from the account, whose sessions end; an invitation becomes invalid.',
    tags,
    body: TokenBody,
    response: answers({ 204: NothingSchema }, ...bodyErrors, ProofInvalid, Throttled),
  }

  const guard = guards.ownGuard({ isWayOut: true })

  /** Who has to set a factor up proves their address first: they come with a ticket, which stands in the body. */
  async function askerOf (request: AnyRequest, reply: AnyReply): Promise<User> {
    if (factors) {
      const { ticket } = request.body as { ticket?: string }
      return (await factors.halfSignedIn(request, reply, guard, ticket)).user
    }
    const user = await lookUp.byId(request.auth.claims.sub)
    if (!user) throw new TokenRevoked()
    return user
  }

  const verifyBy = async (request: AnyRequest, body: Proof) =>
    verifying.verify(await mail.prove(request, 'verify', body), clientOf(request))

  async function disownBy (request: AnyRequest, token: string): Promise<void> {
    const proof = await mail.proveLink(request, Object.keys(mail.disownActs) as Purpose[], token)
    await mail.disownActs[proof.purpose]!(proof, clientOf(request))
  }

  return (scope, path) => {
    mail.pageActs.verify = (request, _reply, body) => verifyBy(request, body)
    mail.pageActs.disown = (request, _reply, { token = '' }) => disownBy(request, token)
    mail.disownActs.verify = verifying.disown
    scope.post('/email/verify/send', { schema: send, ...!factors && { onRequest: guard } }, async (request, reply) => {
      const user = await askerOf(request, reply)
      if (user.email === null) throw new EmailMissing()
      if (user.emailVerifiedAt && !user.mailFailedAt) return reply.code(204).send()
      reply.code(202)
      return mail.ask(request, reply, {
        kind: 'verify', purpose: 'verify', challengeId: request.body.challenge_id, user: publicUsers.of(user),
      })
    })

    scope.post(path, { schema: verify }, async (request, reply) => {
      await verifyBy(request, request.body)
      reply.code(204)
    })

    scope.post('/email/disown', { schema: disown }, async (request, reply) => {
      await disownBy(request, request.body.token)
      reply.code(204)
    })
  }
}
