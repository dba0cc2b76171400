import { Type } from '@sinclair/typebox'
import { bodyErrors } from '../../guards/answers.ts'
import { keysToRevoke, revokeKeysField } from '../../guards/revoke-keys.ts'
import { answers, NothingSchema, tags } from '../../http/answers.ts'
import { InputInvalid } from '../../http/errors.ts'
import { clientOf, disconnectSignal, sourceOf } from '../../http/request.ts'
import { ProofInvalid } from '../../one-time/errors.ts'
import { ChallengeIdField, ChallengeSchema, ProofBody } from '../../one-time/schema.ts'
import type { AddRoutes } from '../feature.ts'
import type { MailProofs, PageAct } from '../mail/mail-proofs.ts'
import { Busy, PasswordRejected } from '../passwords/errors.ts'
import type { Passwords } from '../passwords/passwords.ts'
import type { Spine } from '../spine.ts'
import { Throttled } from '../throttle/errors.ts'
import type { Reset } from './resetting.ts'

interface ResetParts {
  mail: MailProofs
  passwords: Passwords
  reset: Reset
}

export function resetPassword (
  { hooks, settings, users: { lookUp, publicUsers } }: Spine,
  { mail, passwords, reset }: ResetParts
): AddRoutes {
  const { identifiers } = settings
  const typed = (what: string) => Type.Optional(Type.String({ maxLength: 512, description: `The ${what}.` }))
  const forgot = {
    operationId: 'forgotPassword',
    summary: 'Request a password reset by mail',
    description: 'The response is the same whether there is such an account or not.',
    tags,
    body: Type.Object({
      ...identifiers.includes('username') && { username: typed('user name') },
      email: typed('e-mail address'),
      challenge_id: ChallengeIdField,
    }, { additionalProperties: false }),
    response: answers({ 202: ChallengeSchema }, ...bodyErrors, Throttled),
  }

  const choose = {
    operationId: 'resetPassword',
    summary: 'Reset the password with the link or code of a mail',
    description: 'Every session ends, and nobody is signed in.',
    tags,
    body: ProofBody({ new_password: passwords.PasswordSchema, ...revokeKeysField(settings) }),
    response: answers({ 204: NothingSchema }, ...bodyErrors, ProofInvalid, PasswordRejected, Throttled, Busy),
  }

  const act: PageAct = async (request, reply, { new_password: password, ...body }) => {
    const gone = disconnectSignal(reply)
    const user = await passwords.admit(request, async () => {
      const proof = await mail.prove(request, 'reset', body)
      const found = await lookUp.byId(proof.userId!)
      if (!found || found.disabledAt) throw new ProofInvalid()
      await reset(proof, await passwords.take(password, found, gone), clientOf(request), keysToRevoke(body))
      return found
    })
    hooks.onPasswordChanged?.(publicUsers.of(user), sourceOf(request))
  }

  return (scope, path) => {
    scope.post(path, { schema: forgot }, async (request, reply) => {
      const { username, email, challenge_id: challengeId } = request.body as
        { username?: string, email?: string, challenge_id?: string }
      const identifier = username ?? email
      if (identifier === undefined || (username !== undefined && email !== undefined)) {
        throw new InputInvalid(`body must have ${identifiers.toSorted().join(' or ')}`)
      }
      reply.code(202)
      return mail.ask(request, reply, { kind: 'reset', purpose: 'reset', identifier, challengeId })
    })

    mail.pageActs.reset = act
    scope.post('/password/reset', { schema: choose }, async (request, reply) => {
      await act(request, reply, request.body)
      reply.code(204)
    })
  }
}
