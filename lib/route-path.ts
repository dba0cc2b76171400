/** The routes there are, each with the name of its operation. */
export type RouteName = 'register' | 'login' | 'refresh' | 'logout' | 'me'

/** Turns a route on (`true`), off (`false`), or gives it another path below the prefix. */
export type RouteSwitch = boolean | string

/** Where a route is below the prefix, or nothing when it is off. */
export function pathOf (name: RouteName, given: RouteSwitch): string | undefined {
  return given === true ? `/${name}` : given || undefined
}
