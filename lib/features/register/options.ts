import { RouteSchema } from '../routes.ts'

export const routes = {
  register: RouteSchema('/register', true, '`POST /register`.', { method: 'POST', issues: true }),
}
