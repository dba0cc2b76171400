import { RouteSchema } from '../routes.ts'

export const routes = {
  me: RouteSchema('/me', true, '`GET /me`, `PATCH /me`, `DELETE /me`.', { method: 'GET' }),
  users: RouteSchema('/users', false,
    '`GET /users`, `GET`, `PATCH` and `DELETE /users/:id`, and what is below it, for [admins](admin.md).', {
      method: 'GET',
    }),
}
