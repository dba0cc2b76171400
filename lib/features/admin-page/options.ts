import { RouteSchema, type RouteSwitch } from '../routes.ts'
import type { TransportSettings } from '../../transport/options.ts'

export const routes = {
  adminPage: RouteSchema('/admin', false,
    '`GET /admin`, a page for [admins](admin.md) in a browser ([how](admin-page.md)). Needs `routes.users` and ' +
    "`routes.login`, and a `transport` other than `'cookie'`.", { method: 'GET' }),
}

interface Given extends Pick<TransportSettings, 'transport'> {
  routes: { adminPage: RouteSwitch, users: RouteSwitch, login: RouteSwitch }
}

export function problems ({ routes, transport }: Given): string[] {
  if (!routes.adminPage) return []
  const missing = (['users', 'login'] as const).filter((name) => !routes[name])
  return [
    ...missing.map((name) => `routes.adminPage needs routes.${name}`),
    ...transport === 'cookie'
      ? ["routes.adminPage needs transport 'body' or 'both': the page keeps its tokens in memory"]
      : [],
  ]
}
