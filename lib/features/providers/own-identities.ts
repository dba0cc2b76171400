import { Type, type Static } from '@sinclair/typebox'
import { accessErrors, bodyErrors } from '../../guards/answers.ts'
import { TokenStale, TokenWeak } from '../../guards/errors.ts'
import { answers, NothingSchema, tags } from '../../http/answers.ts'
import { component } from '../../http/component.ts'
import { clientOf } from '../../http/request.ts'
import { TokenRevoked } from '../../sessions/errors.ts'
import { NotFound } from '../../users/errors.ts'
import type { AddRoutes } from '../feature.ts'
import { LastCredential } from '../factors/errors.ts'
import type { ProviderParts } from './parts.ts'
import type { RemoveIdentity } from './removing.ts'
import type { IdentityRow } from './rows.ts'

const time = (description: string) =>
  Type.String({ format: 'date-time', description, examples: ['2026-01-05T08:00:00.000Z'] })

const IdentitySchema = component('Identity', Type.Object({
  id: Type.String({
    description: 'By which it can be taken away.', examples: ['01980c1e-6f3b-7d18-8a02-c4f7e1b95d60'],
  }),
  provider: Type.String({ description: 'The id of the provider.', examples: ['google'] }),
  email: Type.Union([Type.String(), Type.Null()], {
    description: 'The address that the provider last said, whoever has it here.', examples: ['ada@example.com'],
  }),
  created_at: time('When it was linked.'),
  last_used_at: time('When it was used last.'),
}, { description: 'An identity at another provider' }))

/** The identities of who is signed in. */
export function ownIdentities (
  { spine, rows }: Pick<ProviderParts, 'spine' | 'rows'>, remove: RemoveIdentity
): AddRoutes {
  const { database, guards, sessions, settings: { locations }, users: { lookUp } } = spine
  const onRemoval = guards.ownGuard({ strong: 'always', consistency: 'strict' })

  const list = {
    operationId: 'listIdentities',
    summary: 'The identities of the signed-in user at other providers',
    tags,
    response: answers({
      200: Type.Object({ identities: Type.Array(IdentitySchema) }, { description: 'The oldest first' }),
    }, ...accessErrors()),
  }

  const removal = {
    operationId: 'unlinkIdentity',
    summary: 'Sign in by this identity no more',
    description: 'Asks for all factors, proved within 10 minutes. Sessions go on. The last way in stays.',
    tags,
    params: Type.Object({ id: Type.String({ description: 'The id of an identity.' }) }),
    response: answers({ 204: NothingSchema }, ...accessErrors(locations), ...bodyErrors, TokenStale, TokenWeak,
      NotFound, LastCredential),
  }

  return (scope, path) => {
    scope.get(path, { schema: list, onRequest: guards.ownAuthenticate }, async ({ auth: { claims: { sub } } }) => {
      const found = await database.run((em) => rows.ofUser(em, sub))
      return { identities: found.map(shown) }
    })

    scope.delete(`${path}/:id`, { schema: removal, onRequest: onRemoval }, async (request, reply) => {
      const { params: { id }, auth: { claims: { sub } } } = request
      await sessions.revocationLog.record(async (tx, _, note) => {
        const user = await lookUp.locked(tx, sub)
        if (!user) throw new TokenRevoked()
        await remove(tx, user, id, { note, client: clientOf(request) })
      })
      reply.code(204)
    })
  }
}

function shown ({ id, provider, email, createdAt, lastUsedAt }: IdentityRow): Static<typeof IdentitySchema> {
  return { id, provider, email, created_at: createdAt.toISOString(), last_used_at: lastUsedAt.toISOString() }
}
