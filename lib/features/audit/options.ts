import { RouteSchema, type RouteSwitch } from '../routes.ts'

export const routes = {
  events: RouteSchema('/events', false,
    '`GET /events`, for users with the permission `audit:read`. Needs `events.store`.', { method: 'GET' }),
}

/** Where nothing is stored there is nothing to look through. */
export function problems (
  { events, routes }: { events: { store: boolean }, routes: { events: RouteSwitch } }
): string[] {
  return routes.events && !events.store ? ['routes.events needs events.store'] : []
}
