import type { User } from './entity.ts'

/**
 * True for a user with the role `admin` who may sign in. Whoever writes `roles` or `disabledAt` writes this as
 * `isAdmin`.
 */
export function isAdmin ({ roles, disabledAt }: Pick<User, 'roles' | 'disabledAt'>): boolean {
  return disabledAt === null && Array.isArray(roles) && roles.includes('admin')
}
