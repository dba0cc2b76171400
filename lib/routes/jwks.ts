import { Type } from '@sinclair/typebox'
import type { Context } from '../context.ts'
import { tags } from './schemas.ts'
import type { Scope } from './scope.ts'

/** How long others may keep the keys. A new key is shown for at least that long before it signs. */
const cacheSeconds = 300

export function jwks (scope: Scope, { keyring }: Context, path: string): void {
  const schema = {
    operationId: 'jwks',
    summary: 'The public keys that access tokens can be verified with',
    tags,
    response: {
      200: Type.Object({
        keys: Type.Array(Type.Object({
          kty: Type.String(),
          kid: Type.String(),
          use: Type.Literal('sig'),
          alg: Type.String(),
          n: Type.Optional(Type.String()),
          e: Type.Optional(Type.String()),
          crv: Type.Optional(Type.String()),
          x: Type.Optional(Type.String()),
          y: Type.Optional(Type.String()),
        }, { description: 'A public key (RFC 7517)' })),
      }, { description: 'The keys, the signing one first' }),
    },
  }

  scope.get(path, { schema }, async (_request, reply) => {
    reply.removeHeader('pragma').header('cache-control', `public, max-age=${cacheSeconds}`).type('application/jwk-set+json')
    return { keys: keyring.jwks }
  })
}
