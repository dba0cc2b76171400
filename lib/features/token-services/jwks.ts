import { Type } from '@sinclair/typebox'
import { component } from '../../http/component.ts'
import type { AddRoutes } from '../feature.ts'
import type { Spine } from '../spine.ts'
import { tags } from '../../http/answers.ts'
import { jwksCacheSeconds } from '../../tokens/keyring.ts'

const JwkSchema = component(
  'Jwk',
  Type.Object(
    {
      kty: Type.String({ description: 'RSA, EC or OKP.', examples: ['EC'] }),
      kid: Type.String({
        description: 'The name that stands in the header of tokens.',
        examples: ['2Yv0cW3kXo8hJ5dQmTzR1sLpNfUeAb7GiKxEyHqVwCg'],
      }),
      use: Type.Literal('sig'),
      alg: Type.String({ description: 'The one algorithm that the key is for.', examples: ['ES256'] }),
      n: Type.Optional(Type.String({ description: 'RSA: the modulus.' })),
      e: Type.Optional(Type.String({ description: 'RSA: the exponent.' })),
      crv: Type.Optional(Type.String({ description: 'EC and OKP: the curve.', examples: ['P-256'] })),
      x: Type.Optional(
        Type.String({
          description: 'EC and OKP: a coordinate, or the key.',
          examples: ['f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU'],
        })
      ),
      y: Type.Optional(
        Type.String({
          description: 'EC: the other coordinate.',
          examples: ['x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0'],
        })
      ),
    },
    { description: 'A public key (RFC 7517)' }
  )
)

export function jwks ({ keyring }: Spine): AddRoutes {
  const schema = {
    operationId: 'jwks',
    summary: 'The public keys that verify access tokens',
    tags,
    produces: ['application/jwk-set+json'],
    response: {
      200: Type.Object({
        keys: Type.Array(JwkSchema),
      }, { description: 'The keys, the signing one first' }),
    },
  }

  return (scope, path) => scope.get(path, { schema }, async (_request, reply) => {
    reply
      .removeHeader('pragma')
      .header('cache-control', `public, max-age=${jwksCacheSeconds}`)
      .type('application/jwk-set+json')
    return { keys: keyring.jwks }
  })
}
