import type { User } from './entity.ts'

/**
 * True for a user with the role `admin` who may sign in. Whoever writes `roles`, `disabledAt` or `closesAt` writes this
 * as `isAdmin`.
 */
export function isAdmin ({ roles, disabledAt, closesAt }: Pick<User, 'roles' | 'disabledAt' | 'closesAt'>): boolean {
  return disabledAt === null && closesAt === null && Array.isArray(roles) && roles.includes('admin')
}
