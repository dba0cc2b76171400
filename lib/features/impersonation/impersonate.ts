import { Type, type Static } from '@sinclair/typebox'
import { accessErrors, bodyErrors, strongErrors } from '../../guards/answers.ts'
import { Forbidden, TokenStale } from '../../guards/errors.ts'
import { answers, tags } from '../../http/answers.ts'
import { component } from '../../http/component.ts'
import { NotFound } from '../../users/errors.ts'
import type { AddRoutes } from '../feature.ts'
import type { Spine } from '../spine.ts'
import type { Borrow } from './borrowing.ts'

export const ReasonSchema = Type.String({
  minLength: 1,
  maxLength: 200,
  pattern: '[^\\s\\p{C}]',
  description: 'Why. It is kept with the event.',
  examples: ['Ticket 4711: the invoice is not shown'],
})

/** An admin borrows a session of a user. */
export function impersonate ({ guards, settings, users: { publicUsers } }: Spine, borrow: Borrow): AddRoutes {
  const Body = Type.Object({ reason: ReasonSchema }, { additionalProperties: false })
  const schema = {
    operationId: 'impersonate',
    summary: 'Act as a user for a while, under the own name',
    description: 'Gives an access token that names the admin in `act` (RFC 8693 §4.1). It is never fresh and cannot ' +
      'be refreshed. Asks for a password that was given within 10 minutes. Nobody with a permission is borrowed.',
    tags,
    params: Type.Object({ id: Type.String({ description: 'The id of a user.' }) }),
    body: Body,
    response: answers({
      200: component('BorrowedTokens', Type.Object({
        access_token: Type.String({ description: 'Goes into the header Authorization, after Bearer.' }),
        token_type: Type.Literal('Bearer', { description: 'How it is sent.' }),
        expires_in: Type.Integer({ description: 'When the session is over, in seconds.', examples: [900] }),
        user: publicUsers.schema,
      }, { description: 'The token of the borrowed session' })),
    }, ...accessErrors(settings.locations), ...strongErrors(settings), ...bodyErrors, TokenStale, Forbidden, NotFound),
  }
  const onRequest = guards.ownGuard({
    permission: 'users:impersonate', fresh: true, strong: 'with-factor', consistency: 'strict',
  })

  return (scope, path) => scope.post(`${path}/:id/impersonate`, { schema, onRequest }, async (request) => {
    const { id } = request.params as { id: string }
    const { reason } = request.body as Static<typeof Body>
    const { sub: actorId, ver } = request.auth.claims
    return borrow(id, { actorId, ver, reason, request })
  })
}
