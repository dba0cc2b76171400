import type { User } from './entity.ts'

/** True for who has the role `admin` and may sign in: what the column `is_admin` holds, for whoever writes one of the two. */
export function isAdmin ({ roles, disabledAt }: Pick<User, 'roles' | 'disabledAt'>): boolean {
  return disabledAt === null && Array.isArray(roles) && roles.includes('admin')
}
