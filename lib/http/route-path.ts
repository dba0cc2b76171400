/** The routes there are, each with the name of its operation. */
export type RouteName = 'register' | 'login' | 'refresh' | 'logout' | 'reauthenticate' | 'me' | 'sessions' | 'password' | 'users' | 'jwks' | 'revoke' | 'introspect'

/** Turns a route on (`true`), off (`false`), or gives it another path below the prefix. */
export type RouteSwitch = boolean | string

/** Where a route is below the prefix, or nothing when it is off. */
export function pathOf (name: RouteName, given: RouteSwitch): string | undefined {
  return given === true ? usualPaths[name] ?? `/${name}` : given || undefined
}

const usualPaths: Partial<Record<RouteName, string>> = { jwks: '/jwks.json' }
