import { Type } from '@sinclair/typebox'
import type { Context } from '../../context.ts'
import { LastAdmin, UserReferenced } from './errors.ts'
import { TokenStale } from '../../guards/errors.ts'
import { TokenRevoked } from '../../sessions/errors.ts'
import { NotFound } from '../../users/errors.ts'
import { forget } from '../../sign-in/grant.ts'
import { clientOf } from '../../http/request.ts'
import type { AccountsUser } from '../../users/public-user.ts'
import { accessErrors, answers, bodyErrors, ForgottenSchema, tags, uniqueErrors } from '../../sign-in/schema.ts'
import type { Scope } from '../../http/scope.ts'

export function me (scope: Scope, context: Context, path: string): void {
  const { authenticate, guard, changes, fields, publicUsers, settings } = context
  const { decoratorName, locations } = settings

  const show = {
    operationId: 'me',
    summary: 'The signed-in user',
    tags,
    response: answers({ 200: publicUsers.schema }, ...accessErrors()),
  }
  scope.get(path, { schema: show, onRequest: authenticate }, async (request): Promise<AccountsUser> => request[decoratorName as 'user'])

  const change = {
    operationId: 'changeMe',
    summary: 'Change the own profile',
    description: 'What is not given stays as it is.',
    tags,
    body: Type.Object(fields.ownChange, { additionalProperties: false }),
    response: answers({ 200: publicUsers.schema }, ...accessErrors(locations), ...bodyErrors, ...uniqueErrors(settings)),
  }
  scope.patch(path, { schema: change, onRequest: authenticate }, async (request) => {
    const changed = changes.change(request.auth.claims.sub, { fields: request.body }, { client: clientOf(request) })
    return publicUsers.of(await changed.catch(orOver))
  })

  const close = {
    operationId: 'closeAccount',
    summary: 'Close the own account, and end every session of it',
    description: 'Asks for a password that was given within 10 minutes: see reauthenticate.',
    tags,
    response: answers({ 204: ForgottenSchema(settings) }, ...accessErrors(locations), ...bodyErrors, TokenStale, LastAdmin, UserReferenced),
  }
  scope.delete(path, { schema: close, onRequest: guard({ fresh: true, consistency: 'strict' }) }, async (request, reply) => {
    if (!await changes.remove(request.auth.claims.sub, 'closed', { client: clientOf(request), keepsAdmin: true })) throw new TokenRevoked()
    forget(context, request, reply)
    reply.code(204)
  })
}

/** Who was deleted since the guard looked is signed in no longer. */
function orOver (error: unknown): never {
  throw error instanceof NotFound ? new TokenRevoked() : error
}
