import { Type } from '@sinclair/typebox'
import { bodyErrors } from '../../guards/answers.ts'
import { answers, tags } from '../../http/answers.ts'
import { ProofInvalid } from '../../one-time/errors.ts'
import { TokenBody } from '../../one-time/schema.ts'
import type { AddRoutes } from '../feature.ts'
import type { MailProofs } from '../mail/mail-proofs.ts'
import { Throttled } from '../throttle/errors.ts'
import type { Invitations } from './invitations.ts'

/** Shows an invitation to whoever has its link. */
export function showInvitation (mail: MailProofs, invitations: Invitations): AddRoutes {
  const schema = {
    operationId: 'showInvitation',
    summary: 'Show an invitation',
    description: 'Only the member public of its data.',
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

  return (scope, path) => scope.post(`${path}/show`, { schema }, async (request) => {
    const proof = await mail.prove(request, 'invite', request.body)
    const { email, data, expiresAt } = await invitations.read(proof)
    return { email, expires_at: expiresAt.toISOString(), data: data?.public ?? null }
  })
}
