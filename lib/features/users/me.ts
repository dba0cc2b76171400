import { Type } from '@sinclair/typebox'
import type { AddRoutes } from '../feature.ts'
import type { Spine } from '../spine.ts'
import { TokenRevoked } from '../../sessions/errors.ts'
import { NotFound } from '../../users/errors.ts'
import { clientOf } from '../../http/request.ts'
import type { AccountsUser } from '../../users/public-user.ts'
import { accessErrors, bodyErrors } from '../../guards/answers.ts'
import { answers, tags } from '../../http/answers.ts'
import { uniqueErrors } from '../../users/schema.ts'
import type { Changes } from './changes.ts'

export function me ({ guards, settings, users }: Spine, changes: Changes): AddRoutes {
  const { fields, publicUsers } = users
  const onRequest = guards.ownGuard({ impersonated: true })
  const { apiKeys, decoratorName, locations } = settings
  const onShow = apiKeys ? guards.ownGuard({ impersonated: true, keys: true }) : onRequest

  const show = {
    operationId: 'me',
    summary: 'The signed-in user',
    tags,
    response: answers({ 200: publicUsers.schema }, ...accessErrors()),
  }

  const change = {
    operationId: 'changeMe',
    summary: 'Change the profile of the signed-in user',
    description: 'Fields that are not given stay unchanged.',
    tags,
    body: Type.Object(fields.ownChange, { additionalProperties: false }),
    response: answers(
      { 200: publicUsers.schema },
      ...accessErrors(locations),
      ...bodyErrors,
      ...uniqueErrors(settings)
    ),
  }

  return (scope, path) => {
    scope.get(
      path,
      { schema: show, onRequest: onShow },
      async (request): Promise<AccountsUser> => request[decoratorName as 'user']
    )

    scope.patch(path, { schema: change, onRequest }, async (request) => {
      const changed = changes.change(request.auth.claims.sub, { fields: request.body }, { client: clientOf(request) })
      return publicUsers.of(await changed.catch(orOver))
    })
  }
}

/** Who was deleted since the guard looked is signed in no longer. */
function orOver (error: unknown): never {
  throw error instanceof NotFound ? new TokenRevoked() : error
}
