import { accessErrors, bodyErrors } from '../../guards/answers.ts'
import { TokenStale, TokenWeak } from '../../guards/errors.ts'
import { answers, NothingSchema, tags } from '../../http/answers.ts'
import { setCookies } from '../../transport/keep.ts'
import { User } from '../../users/entity.ts'
import type { AddRoutes } from '../feature.ts'
import type { Spine } from '../spine.ts'
import { LastCredential } from './errors.ts'
import type { Factors } from './factors.ts'
import type { Overview } from './overview.ts'

/** What a user sees of their own factors, and takes away at once. */
export function manageFactors (spine: Spine, factors: Factors, overview: Overview, remembers: boolean): AddRoutes {
  const { database, guards, settings: { locations }, signIn, transport: { cookies } } = spine

  const show = () => ({
    operationId: 'showFactors',
    summary: 'Show the second factors of the user',
    tags,
    response: answers({ 200: overview.schemaOf() }, ...accessErrors()),
  })
  const removeAll = {
    operationId: 'removeFactors',
    summary: 'Turn second factors off',
    description: 'Removes the authenticator app and the recovery codes. Passkeys remain for signing in. Every ' +
      'other session ends.',
    tags,
    response: answers({ 200: signIn.TokenResponseSchema }, ...accessErrors(locations), ...bodyErrors, TokenStale,
      TokenWeak, LastCredential),
  }
  const forget = {
    operationId: 'forgetDevices',
    summary: 'Forget remembered browsers',
    tags,
    response: answers({ 204: NothingSchema }, ...accessErrors(locations), ...bodyErrors),
  }
  const strong = guards.ownGuard({ strong: 'always', consistency: 'strict' })

  return (scope, path) => {
    scope.get(path, { schema: show(), onRequest: guards.ownGuard({ isWayOut: true }) }, async (request) => {
      const { user } = await factors.signedIn(request)
      return database.run((em) => overview.of(em, user))
    })

    scope.delete(path, { schema: removeAll, onRequest: strong }, async (request, reply) =>
      factors.change(request, reply, await factors.signedIn(request), {
        type: 'factors-reset',
        reason: 'user',
        secondFactor: 'off',
        endsOthers: true,
        async act (tx, { id }) {
          for (const { remove, stopAsking } of factors.methods) await (stopAsking ?? remove)(tx, id)
          return {}
        },
      }))

    if (!remembers) return
    scope.delete(`${path}/devices`, { schema: forget, onRequest: guards.ownAuthenticate }, async (request, reply) => {
      const now = new Date()
      await database.run((em) =>
        em.nativeUpdate(User, { id: request.auth.claims.sub }, { factorsChangedAt: now, updatedAt: now }))
      setCookies(reply, [cookies.drop('remember')])
      reply.code(204)
    })
  }
}
