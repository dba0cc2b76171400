import { Type } from '@sinclair/typebox'
import { accessErrors, bodyErrors, strongErrors } from '../../guards/answers.ts'
import { TokenStale } from '../../guards/errors.ts'
import { answers, NothingSchema, tags } from '../../http/answers.ts'
import { clientOf, type AnyReply, type AnyRequest } from '../../http/request.ts'
import { ProofInvalid } from '../../one-time/errors.ts'
import type { OneTimeRow } from '../../one-time/rows.ts'
import {
  ChallengeIdField, ChallengeSchema, ProofBody, TokenBody, type Challenge, type Proof,
} from '../../one-time/schema.ts'
import { UserExists } from '../../users/errors.ts'
import { readEmail } from '../../users/identifiers.ts'
import { EmailSchema } from '../../users/schema.ts'
import type { AddRoutes } from '../feature.ts'
import type { BegunMail } from '../mail/asking.ts'
import type { MailProofs } from '../mail/mail-proofs.ts'
import type { Spine } from '../spine.ts'
import { Throttled } from '../throttle/errors.ts'
import type { Changing } from './changing.ts'

interface ChangeParts {
  mail: MailProofs
  changing: Changing
  /** Whether the address of before is asked first. */
  confirmOld: boolean
}

export function changeEmail (
  { guards, settings, users: { publicUsers } }: Spine,
  { mail, changing, confirmOld }: ChangeParts
): AddRoutes {
  const { decoratorName, locations } = settings

  const ask = {
    operationId: 'changeEmail',
    summary: 'Request a change of the address',
    description: 'Nothing changes until the mail to that address is answered. The response is the same if somebody ' +
      'else has the address. Requires a password that was checked within 10 minutes: see reauthenticate.',
    tags,
    body: Type.Object({ email: EmailSchema, challenge_id: ChallengeIdField }, { additionalProperties: false }),
    response: answers({ 202: ChallengeSchema }, ...accessErrors(locations), ...strongErrors(settings), ...bodyErrors,
      TokenStale, Throttled),
  }

  const change = {
    operationId: 'confirmEmail',
    summary: 'Change the address with the link or code of a mail',
    tags,
    body: ProofBody({}),
    response: answers({ 204: NothingSchema, ...confirmOld && { 202: ChallengeSchema } },
      ...bodyErrors, ProofInvalid, UserExists, Throttled),
  }

  const revert = {
    operationId: 'revertEmail',
    summary: 'Revert a change of address with the link of a mail',
    description: 'Every session ends, and the password must be reset by a mail that is on its way.',
    tags,
    body: TokenBody,
    response: answers({ 204: NothingSchema }, ...bodyErrors, ProofInvalid, UserExists, Throttled),
  }

  /** Has the new address asked, once the one of before has agreed. */
  async function goOn (request: AnyRequest, reply: AnyReply, proof: OneTimeRow, address: string): Promise<Challenge> {
    let begun: BegunMail
    await changing.agree(proof, (tx, user) => {
      const data = { epoch: user.epoch }
      begun = mail.begin(request, {
        kind: 'change', purpose: 'change', challengeId: undefined, user: publicUsers.of(user), address, data,
      })
      return begun.write(tx)
    })
    return begun!.answer(reply)
  }

  async function changeBy (request: AnyRequest, reply: AnyReply, body: Proof): Promise<Challenge | void> {
    const proof = await mail.prove(request, 'change', body)
    const next = proof.data?.next as string | undefined
    return next === undefined ? changing.change(proof, clientOf(request)) : goOn(request, reply, proof, next)
  }

  async function revertBy (request: AnyRequest, body: Proof): Promise<void> {
    await changing.revert(await mail.prove(request, 'revert', body), clientOf(request))
  }

  return (scope, path) => {
    mail.pageActs.change = changeBy
    mail.pageActs.revert = (request, _reply, body) => revertBy(request, body)
    const onRequest = guards.ownGuard({ fresh: true, strong: 'with-factor', consistency: 'strict' })
    scope.put(path, { schema: ask, onRequest }, async (request, reply) => {
      const { auth: { claims: { ver: epoch } }, body: { email, challenge_id: challengeId } } = request
      const user = request[decoratorName as 'user']
      const address = readEmail(email)
      reply.code(202)
      return mail.ask(request, reply, {
        purpose: 'change',
        challengeId,
        user,
        ...confirmOld && user.email_verified
          ? { kind: 'change-from', data: { epoch, next: address } }
          : { kind: 'change', address, data: { epoch } },
      })
    })

    scope.post('/email/change', { schema: change }, async (request, reply) => {
      const challenge = await changeBy(request, reply, request.body)
      reply.code(challenge ? 202 : 204)
      return challenge
    })

    scope.post('/email/revert', { schema: revert }, async (request, reply) => {
      await revertBy(request, request.body)
      reply.code(204)
    })
  }
}
