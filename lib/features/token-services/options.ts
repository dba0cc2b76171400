import { Type } from '@sinclair/typebox'
import { Group } from '../../checks/kinds.ts'
import { settled, type Filled } from '../../checks/slice.ts'

export const options = {
  introspection: Group({
    clients: Type.Array(Type.Object({
      id: Type.String({ minLength: 1, maxLength: 255 }),
      secret: Type.String({ minLength: 32, maxLength: 255 }),
    }, { additionalProperties: false }), {
      default: [],
      description: '`{ id, secret }` of each service that may ask about tokens; a secret has 32 characters or more.',
    }),
  }),
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
