import { Type } from '@sinclair/typebox'
import { component } from '../../http/component.ts'
import type { AddRoutes } from '../feature.ts'
import type { Spine } from '../spine.ts'
import type { User } from '../../users/entity.ts'
import { LastAdmin, UserReferenced } from './errors.ts'
import { Forbidden, TokenStale } from '../../guards/errors.ts'
import { requireFresh } from '../../guards/guard.ts'
import type { Act } from '../../guards/ranks.ts'
import { InputInvalid } from '../../http/errors.ts'
import { NotFound } from '../../users/errors.ts'
import { clientOf } from '../../http/request.ts'
import { takesAdmin } from './admins.ts'
import { RolesSchema } from '../../users/fields.ts'
import { PageSchema } from '../../users/look-up.ts'
import { accessErrors, bodyErrors, strongErrors } from '../../guards/answers.ts'
import { answers, NothingSchema, tags } from '../../http/answers.ts'
import { uniqueErrors } from '../../users/schema.ts'
import type { Changes } from './changes.ts'

export function users (
  { guards, settings, users: { fields, lookUp, permissions, publicUsers } }: Spine,
  changes: Changes
): AddRoutes {
  const { decoratorName, locations } = settings
  const mayGiveRoles = permissions.rolesWith('users:roles')
  const onRead = guards.ownGuard({ permission: 'users:read', consistency: 'strict' })
  const onChange = guards.ownGuard({ permission: 'users:write', strong: 'with-factor', consistency: 'strict' })
  const onDelete = guards.ownGuard({ permission: 'users:delete', strong: 'always', consistency: 'strict' })
  const params = Type.Object({ id: Type.String({ description: 'The id of a user.' }) })
  const refusals = [
    ...accessErrors(locations), TokenStale, ...strongErrors(settings), ...bodyErrors, Forbidden, NotFound,
  ]

  const DateSchema = Type.String({ format: 'date-time' })
  const UserSchema = component(
    'AdminUser',
    Type.Object(
      {
        ...publicUsers.schema.properties,
        disabled_at: Type.Union([DateSchema, Type.Null()], {
          description: 'When the user was disabled, or null.',
          examples: [null],
        }),
        created_at: Type.String({
          format: 'date-time',
          description: 'When they registered.',
          examples: ['2026-01-05T08:00:00.000Z'],
        }),
        last_login_at: Type.Union([DateSchema, Type.Null()], {
          description: 'When they last signed in with their password.',
          examples: ['2026-01-05T08:00:00.000Z'],
        }),
      },
      { description: 'A user, as admins see them' }
    )
  )

  function shown (user: User) {
    const { disabledAt, createdAt, lastLoginAt } = user
    const dates = {
      disabled_at: disabledAt?.toISOString() ?? null,
      created_at: createdAt.toISOString(),
      last_login_at: lastLoginAt?.toISOString() ?? null,
    }
    return { ...publicUsers.of(user), ...dates }
  }

  const list = {
    operationId: 'listUsers',
    summary: 'List users, the newest first',
    tags,
    querystring: PageSchema,
    response: answers(
      {
        200: Type.Object(
          {
            users: Type.Array(UserSchema),
            next: Type.Union([Type.String(), Type.Null()], {
              description: 'Pass it as after to get the next page; null at the end.',
              examples: [null],
            }),
          },
          { description: 'A page of the list' }
        ),
      },
      ...accessErrors(),
      Forbidden,
      InputInvalid
    ),
  }

  const show = {
    operationId: 'showUser',
    summary: 'One user',
    tags,
    params,
    response: answers({ 200: UserSchema }, ...accessErrors(), Forbidden, NotFound),
  }

  const change = {
    operationId: 'changeUser',
    summary: 'Disable or enable a user; change roles and profile',
    description:
      'Fields that are not given stay unchanged. To change roles, the admin also needs the permission users:roles, ' +
      'and must have signed in within 10 minutes. Admins cannot disable themselves, or give up users:roles.',
    tags,
    params,
    body: Type.Object(
      {
        disabled: Type.Optional(Type.Boolean({ description: 'Whether the user is disabled.' })),
        roles: Type.Optional(RolesSchema),
        ...fields.change,
      },
      { additionalProperties: false }
    ),
    response: answers({ 200: UserSchema }, ...refusals, LastAdmin, ...uniqueErrors(settings)),
  }

  const remove = {
    operationId: 'deleteUser',
    summary: 'Delete a user, with all sessions',
    description: 'The admin must have signed in within 10 minutes. Admins cannot delete themselves here.',
    tags,
    params,
    response: answers({ 204: NothingSchema }, ...refusals, LastAdmin, UserReferenced),
  }

  return (scope, path) => {
    scope.get(path, { schema: list, onRequest: onRead }, async ({ query: { limit, after } }) => {
      const { users, next } = await lookUp.page(limit, after)
      return { users: users.map(shown), next }
    })

    scope.get(`${path}/:id`, { schema: show, onRequest: onRead }, async ({ params: { id } }) => {
      const user = await lookUp.byId(id)
      if (!user) throw new NotFound()
      return shown(user)
    })

    scope.patch(`${path}/:id`, { schema: change, onRequest: onChange }, async (request) => {
      const {
        params: { id },
        body,
        auth: {
          claims: { sub },
        },
      } = request
      const { disabled, roles, ...own } = body as { disabled?: boolean; roles?: string[] }
      const { roles: ownRoles } = request[decoratorName as 'user']
      if (roles && !ownRoles.some((role) => mayGiveRoles.has(role))) throw new Forbidden()
      if (roles) requireFresh(request)
      if (id === sub && takesAdmin(permissions, { disabled, roles })) throw new Forbidden()
      return shown(
        await changes.change(id, { disabled, roles, fields: own }, {
          client: clientOf(request),
          by: { actorId: sub, needs: roles ? ['users:write', 'users:roles'] : ['users:write'] },
          keepsAdmin: true,
        })
      )
    })

    scope.delete(`${path}/:id`, { schema: remove, onRequest: onDelete }, async (request, reply) => {
      const {
        params: { id },
        auth: {
          claims: { sub },
        },
      } = request
      if (id === sub) throw new Forbidden()
      const by: Act = { actorId: sub, needs: ['users:delete'] }
      if (!(await changes.remove(id, 'user-deleted', { client: clientOf(request), by, keepsAdmin: true }))) {
        throw new NotFound()
      }
      reply.code(204)
    })
  }
}
