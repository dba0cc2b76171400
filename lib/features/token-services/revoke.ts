import { Type } from '@sinclair/typebox'
import type { Context } from '../../context.ts'
import { clientOf } from '../../http/request.ts'
import { isOurs } from '../../http/our-error.ts'
import { answers, bodyErrors, NothingSchema, tags, tokenFields, tokenForms } from '../../sign-in/schema.ts'
import { acceptForms, type Scope } from '../../http/scope.ts'

export function revoke (scope: Scope, { revokeToken }: Context, path: string): void {
  const schema = {
    operationId: 'revoke',
    summary: 'Revoke a token (RFC 7009)',
    description: 'An access token alone, or with a refresh token its whole session. The answer tells nothing of what was sent.',
    tags,
    consumes: tokenForms,
    // RFC 7009 §2.1: other parameters, such as client_id, are ignored.
    body: Type.Object(tokenFields),
    response: answers({ 200: NothingSchema }, ...bodyErrors),
  }

  acceptForms(scope, (forms) => forms.post(path, { schema }, async (request, reply) => {
    await revokeToken(request.body.token, clientOf(request)).catch((error) => {
      // RFC 7009 §2.2: a token that is not good has nothing left to revoke.
      if (!isOurs(error) || error.statusCode !== 401) throw error
    })
    return reply.code(200).send()
  }))
}
