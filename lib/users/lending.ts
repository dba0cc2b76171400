import type { User } from './entity.ts'
import type { Permissions } from './permissions.ts'

/** Whose borrowed sessions: those that the user has borrowed of others, or those that others have borrowed of them. */
export type Lent = 'by' | 'of'

/**
 * Which borrowed sessions are over when the roles of a user change: what they have borrowed, where they may not borrow
 * any more; and what was borrowed of them, where they have become somebody of whom nobody borrows.
 */
export function lentUntil (permissions: Permissions, before: Pick<User, 'roles'>, after: Pick<User, 'roles'>): Lent[] {
  const [had, has] = [rightsOf(permissions, before), rightsOf(permissions, after)]
  return [
    ...had.has('users:impersonate') && !has.has('users:impersonate') ? ['by' as const] : [],
    ...had.size === 0 && has.size > 0 ? ['of' as const] : [],
  ]
}

/** What the roles of a user permit: nothing, for roles that are no list, which only the database can have. */
export function rightsOf (permissions: Permissions, { roles }: Pick<User, 'roles'>): ReadonlySet<string> {
  return permissions.of(Array.isArray(roles) ? roles : [])
}
