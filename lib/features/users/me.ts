import { Type } from '@sinclair/typebox'
import type { AddRoutes } from '../feature.ts'
import type { Spine } from '../spine.ts'
import { LastAdmin, UserReferenced } from './errors.ts'
import { TokenStale } from '../../guards/errors.ts'
import { TokenRevoked } from '../../sessions/errors.ts'
import { NotFound } from '../../users/errors.ts'
import { clientOf } from '../../http/request.ts'
import type { AccountsUser } from '../../users/public-user.ts'
import { accessErrors, bodyErrors } from '../../guards/answers.ts'
import { answers, tags } from '../../http/answers.ts'
import { ForgottenSchema } from '../../transport/schema.ts'
import { uniqueErrors } from '../../users/schema.ts'
import type { Changes } from './changes.ts'

export function me ({ guards, settings, transport, users }: Spine, changes: Changes): AddRoutes {
  const { fields, publicUsers } = users
  const onRequest = guards.ownAuthenticate
  const { decoratorName, locations } = settings

  const show = {
    operationId: 'me',
    summary: 'The signed-in user',
    tags,
    response: answers({ 200: publicUsers.schema }, ...accessErrors()),
  }

  const change = {
    operationId: 'changeMe',
    summary: 'Change the own profile',
    description: 'What is not given stays as it is.',
    tags,
    body: Type.Object(fields.ownChange, { additionalProperties: false }),
    response: answers(
      { 200: publicUsers.schema },
      ...accessErrors(locations),
      ...bodyErrors,
      ...uniqueErrors(settings)
    ),
  }

  const close = {
    operationId: 'closeAccount',
    summary: 'Close the own account, and end every session of it',
    description: 'Asks for a password that was given within 10 minutes: see reauthenticate.',
    tags,
    response: answers(
      { 204: ForgottenSchema(settings) },
      ...accessErrors(locations),
      ...bodyErrors,
      TokenStale,
      LastAdmin,
      UserReferenced
    ),
  }

  return (scope, path) => {
    scope.get(
      path,
      { schema: show, onRequest },
      async (request): Promise<AccountsUser> => request[decoratorName as 'user']
    )

    scope.patch(path, { schema: change, onRequest }, async (request) => {
      const changed = changes.change(request.auth.claims.sub, { fields: request.body }, { client: clientOf(request) })
      return publicUsers.of(await changed.catch(orOver))
    })

    scope.delete(
      path,
      { schema: close, onRequest: guards.ownGuard({ fresh: true, consistency: 'strict' }) },
      async (request, reply) => {
        const asked = { client: clientOf(request), keepsAdmin: true }
        if (!await changes.remove(request.auth.claims.sub, 'closed', asked)) throw new TokenRevoked()
        transport.forget(request, reply)
        reply.code(204)
      }
    )
  }
}

/** Who was deleted since the guard looked is signed in no longer. */
function orOver (error: unknown): never {
  throw error instanceof NotFound ? new TokenRevoked() : error
}
