import { Type } from '@sinclair/typebox'
import type { AddRoutes } from '../feature.ts'
import { clientOf } from '../../http/request.ts'
import { isOurs } from '../../http/our-error.ts'
import { tokenFields, tokenForms } from './schema.ts'
import type { RevokeToken } from './services.ts'
import { bodyErrors } from '../../guards/answers.ts'
import { answers, NothingSchema, tags } from '../../http/answers.ts'
import { acceptForms } from '../../http/scope.ts'

export function revoke (revokeToken: RevokeToken): AddRoutes {
  const schema = {
    operationId: 'revoke',
    summary: 'Revoke a token (RFC 7009)',
    description:
      'An access token on its own, or with a refresh token its whole session. The response does not reveal ' +
      'anything about the token.',
    tags,
    consumes: tokenForms,
    // RFC 7009 §2.1: other parameters, such as client_id, are ignored.
    body: Type.Object(tokenFields),
    response: answers({ 200: NothingSchema }, ...bodyErrors),
  }

  return (scope, path) => acceptForms(scope, (forms) => forms.post(path, { schema }, async (request, reply) => {
    await revokeToken(request.body.token, clientOf(request)).catch((error) => {
      // RFC 7009 §2.2: a token that is not good has nothing left to revoke.
      if (!isOurs(error) || error.statusCode !== 401) throw error
    })
    return reply.code(200).send()
  }))
}
