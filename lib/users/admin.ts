import type { User } from './entity.ts'
import type { Permissions } from './permissions.ts'

/**
 * True for a user who may sign in and give roles: they have the permission `users:roles`. Whoever writes `roles`,
 * `disabledAt` or `closesAt` writes this as `isAdmin`.
 */
export type IsAdmin = (user: Pick<User, 'kind' | 'roles' | 'disabledAt' | 'closesAt'>) => boolean

export function createIsAdmin ({ rolesWith }: Permissions): IsAdmin {
  const giving = rolesWith('users:roles')
  return ({ kind, roles, disabledAt, closesAt }) =>
    kind === 'person' && disabledAt === null && closesAt === null &&
    Array.isArray(roles) && roles.some((role) => giving.has(role))
}
