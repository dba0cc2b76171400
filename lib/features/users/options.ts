import { RouteSchema } from '../routes.ts'

export const routes = {
  me: RouteSchema('/me', true, '`GET /me`, `PATCH /me`, `DELETE /me`.', { method: 'GET' }),
  users: RouteSchema('/users', false,
    '`GET /users`, and `GET`, `PATCH` and `DELETE /users/:id`, for [admins](admin.md).', { method: 'GET' }),
}
