import type { EntityManager } from '@mikro-orm/core'
import { Type } from '@sinclair/typebox'
import { bodyErrors } from '../../guards/answers.ts'
import { answers, NothingSchema, tags } from '../../http/answers.ts'
import { InputInvalid } from '../../http/errors.ts'
import { clientOf, type AnyRequest } from '../../http/request.ts'
import { ProofInvalid } from '../../one-time/errors.ts'
import type { Proof } from '../../one-time/schema.ts'
import { CredentialsInvalid } from '../../sign-in/errors.ts'
import type { AddRoutes } from '../feature.ts'
import type { MailProofs } from '../mail/mail-proofs.ts'
import { Busy } from '../passwords/errors.ts'
import type { Passwords } from '../passwords/passwords.ts'
import type { Spine } from '../spine.ts'
import { Throttled } from '../throttle/errors.ts'
import type { Closing } from './closing.ts'

interface RestoreParts {
  closing: Closing
  passwords: Passwords
  /** Undefined where there are no mails. */
  mail: MailProofs | undefined
}

export function restore (
  { settings: { identifiers } }: Spine, { closing, passwords, mail }: RestoreParts
): AddRoutes {
  const field = identifiers.includes('username') ? 'username' : 'email'
  const schema = {
    operationId: 'restoreAccount',
    summary: 'Restore an account that is scheduled for deletion',
    description: `By the link of the mail, or by ${field} and password. Nobody is signed in by it.`,
    tags,
    body: Type.Object({
      ...mail && {
        token: Type.Optional(Type.String({
          maxLength: 128,
          description: 'The token of the link in the ' +
        'mail.'
        }))
      },
      [field]: Type.Optional(Type.String({ maxLength: 512, description: 'As for a login.' })),
      password: Type.Optional(Type.String({ description: 'The password of the account.' })),
    }, { additionalProperties: false }),
    response: answers({ 204: NothingSchema }, ...bodyErrors, ...mail ? [ProofInvalid] : [], CredentialsInvalid,
      Throttled, Busy),
  }

  const byMail = mail && (async (request: AnyRequest, { token, code }: Proof) => {
    const proof = await mail.prove(request, 'restore', { token, code })
    const within = (tx: EntityManager) => mail.mailing.oneTimes.use(tx, proof)
    await closing.restore(proof.userId!, { client: clientOf(request), within })
  })

  return (scope, path) => {
    if (byMail) mail.pageActs.restore = (request, _reply, body) => byMail(request, body)
    scope.post(path, { schema }, async (request, reply) => {
      const { token, password, [field]: identifier } = request.body as Record<string, string | undefined>
      const isByMail = token !== undefined && password === undefined && identifier === undefined
      if (byMail && isByMail) {
        await byMail(request, { token })
      } else if (token === undefined && password !== undefined && identifier !== undefined) {
        const { id } = await passwords.identify(request, reply, identifier, password)
        await closing.restore(id, { client: clientOf(request) })
      } else {
        throw new InputInvalid(`body must have ${mail ? 'either token, or ' : ''}${field} and password`)
      }
      reply.code(204)
    })
  }
}
