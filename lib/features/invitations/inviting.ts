import { Type } from '@sinclair/typebox'
import { accessErrors, bodyErrors } from '../../guards/answers.ts'
import { Forbidden } from '../../guards/errors.ts'
import { answers, NothingSchema, tags } from '../../http/answers.ts'
import { InputInvalid } from '../../http/errors.ts'
import { clientOf } from '../../http/request.ts'
import { NotFound } from '../../users/errors.ts'
import { PageSchema } from '../../users/look-up.ts'
import type { AddRoutes } from '../feature.ts'
import type { Spine } from '../spine.ts'
import { Throttled } from '../throttle/errors.ts'
import type { Limits } from '../throttle/limits.ts'
import type { Invitations } from './invitations.ts'
import { InvitationSchema, InvitedSchema, shown } from './schema.ts'

/** The routes of admins. */
export function inviting (
  { guards, settings: { locations } }: Spine, invitations: Invitations, { askForMail }: Pick<Limits, 'askForMail'>
): AddRoutes {
  const onRequest = guards.ownGuard({ permission: 'users:invite', consistency: 'strict' })
  const params = Type.Object({ id: Type.String({ description: 'The id of an invitation.' }) })
  const refusals = [...accessErrors(locations), ...bodyErrors, Forbidden]

  const create = {
    operationId: 'invite',
    summary: 'Invite somebody by mail',
    description: 'An address that is already invited keeps its invitation and gets no further mail: see ' +
      'sendInvitation.',
    tags,
    body: InvitedSchema,
    response: answers({ 201: InvitationSchema, 200: InvitationSchema }, ...refusals, Throttled),
  }

  const list = {
    operationId: 'listInvitations',
    summary: 'List valid invitations, the newest first',
    tags,
    querystring: PageSchema,
    response: answers({
      200: Type.Object({
        invitations: Type.Array(InvitationSchema),
        next: Type.Union([Type.String(), Type.Null()], {
          description: 'Pass it as after to get the next page; null at the end.', examples: [null],
        }),
      }, { description: 'A page of the list' }),
    }, ...accessErrors(), Forbidden, InputInvalid),
  }

  const remove = {
    operationId: 'revokeInvitation',
    summary: 'Withdraw an invitation',
    tags,
    params,
    response: answers({ 204: NothingSchema }, ...refusals, NotFound),
  }

  const send = {
    operationId: 'sendInvitation',
    summary: 'Send the mail of an invitation again',
    tags,
    params,
    response: answers({ 202: NothingSchema }, ...refusals, NotFound, Throttled),
  }

  return (scope, path) => {
    scope.post(path, { schema: create, onRequest }, async (request, reply) => {
      await askForMail(request)
      const asker = { inviterId: request.auth.claims.sub, client: clientOf(request) }
      const { invitation, isNew } = await invitations.create(request.body, asker)
      reply.code(isNew ? 201 : 200)
      return shown(invitation)
    })

    scope.get(path, { schema: list, onRequest }, async ({ query: { limit, after } }) => {
      const { invitations: found, next } = await invitations.page(limit, after)
      return { invitations: found.map(shown), next }
    })

    scope.delete(`${path}/:id`, { schema: remove, onRequest }, async ({ params: { id } }, reply) => {
      await invitations.revoke(id)
      reply.code(204)
    })

    scope.post(`${path}/:id/send`, { schema: send, onRequest }, async (request, reply) => {
      await askForMail(request)
      await invitations.send(request.params.id)
      reply.code(202)
    })
  }
}
