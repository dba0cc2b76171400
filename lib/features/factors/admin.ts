import { Type } from '@sinclair/typebox'
import { accessErrors, bodyErrors } from '../../guards/answers.ts'
import { Forbidden, TokenStale, TokenWeak } from '../../guards/errors.ts'
import { answers, NothingSchema, tags } from '../../http/answers.ts'
import { NotFound } from '../../users/errors.ts'
import type { AddRoutes } from '../feature.ts'
import type { Spine } from '../spine.ts'
import { LastCredential } from './errors.ts'
import type { Factors } from './factors.ts'
import type { Reset, Which } from './reset.ts'

/** An admin takes the factors of somebody away who has lost them. */
export function resetFactors ({ guards, settings }: Spine, { methods }: Factors, reset: Reset): AddRoutes {
  const schemaOf = () => ({
    operationId: 'resetFactors',
    summary: 'Remove second factors that a user has lost',
    description: 'Removes all if none is named. Every session of the user ends. Requires all factors of the admin, ' +
      'proved within 10 minutes. Admins cannot reset their own here.',
    tags,
    params: Type.Object({ id: Type.String({ description: 'The id of a user.' }) }),
    body: Type.Object({
      ...Object.fromEntries([...methods.map(({ shown: { name } }) => name), 'devices'].map((name) =>
        [name, Type.Optional(Type.Boolean({ description: 'Whether to remove these.' }))])),
    }, { additionalProperties: false }),
    response: answers({ 204: NothingSchema }, ...accessErrors(settings.locations), ...bodyErrors, TokenStale, TokenWeak,
      Forbidden, NotFound, LastCredential),
  })
  const onRequest = guards.ownGuard({ permission: 'factors:reset', strong: 'always', consistency: 'strict' })

  return (scope, path) =>
    scope.delete(`${path}/:id/factors`, { schema: schemaOf(), onRequest }, async (request, reply) => {
      const { id } = request.params as { id: string }
      const { sub: actorId } = request.auth.claims
      if (id === actorId) throw new Forbidden()
      await reset(id, request.body as Which, { request, by: { actorId, needs: ['factors:reset'] } })
      reply.code(204)
    })
}
