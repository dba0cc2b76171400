import { Type } from '@sinclair/typebox'
import { Group } from '../../checks/kinds.ts'
import { settled, type Filled } from '../../checks/slice.ts'
import { RouteSchema } from '../routes.ts'

export const options = {
  introspection: Group({
    clients: Type.Array(Type.Object({
      id: Type.String({ minLength: 1, maxLength: 255 }),
      secret: Type.String({ minLength: 32, maxLength: 255 }),
    }, { additionalProperties: false }), {
      default: [],
      description: '`{ id, secret }` of each service that may introspect tokens. A secret has 32 characters or ' +
        'more.',
    }),
  }),
}

export const routes = {
  jwks: RouteSchema('/jwks', true, '`GET /jwks.json`, if there is a public key.',
    { method: 'GET', usualPath: '/jwks.json', isOfUse: (keys) => keys.some(({ jwk }) => jwk) }),
  revoke: RouteSchema('/revoke', false, '`POST /revoke` (RFC 7009).', { method: 'POST' }),
  introspect: RouteSchema('/introspect', true,
    '`POST /introspect` (RFC 7662), for `introspection.clients`.',
    { method: 'POST', isOfUse: (_, { introspection }: Filled<typeof options>) => introspection.clients.length > 0 }),
}

export function problems ({ introspection: { clients } }: Filled<typeof options>): string[] {
  const ids = new Set(clients.map(({ id }) => id))
  return ids.size < clients.length ? ['introspection.clients must have different ids'] : []
}

/** What the settings say of token services. */
export type IntrospectionSettings = ReturnType<typeof read>

export function read (given: Filled<typeof options>) {
  return settled(options, given)
}
