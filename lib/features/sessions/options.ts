import { RouteSchema } from '../routes.ts'

export const routes = {
  refresh: RouteSchema('/refresh', true, '`POST /refresh`.', { method: 'POST', issues: true }),
  logout: RouteSchema('/logout', true, '`POST /logout`.', { method: 'POST' }),
  sessions: RouteSchema('/sessions', true,
    '`GET /sessions`, `DELETE /sessions/:id`, `DELETE /sessions`.', { method: 'GET' }),
}
