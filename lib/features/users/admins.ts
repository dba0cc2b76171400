import { raw, type EntityManager } from '@mikro-orm/core'
import type { Database } from '../../database/database.ts'
import { createHold, rows } from '../../sessions/revision.ts'
import { User } from '../../users/entity.ts'
import type { Permissions } from '../../users/permissions.ts'
import { LastAdmin } from './errors.ts'

/** True for a change after which a user is no admin. */
export function takesAdmin (permissions: Permissions, { roles, disabled, closesAt }: {
  roles?: string[] | undefined
  disabled?: boolean | undefined
  closesAt?: Date | null | undefined
}): boolean {
  const loses = roles !== undefined && !permissions.of(roles).has('users:roles')
  return disabled === true || Boolean(closesAt) || loses
}

export interface Admins {
  /**
   * Makes sure that this user is not the only admin, as the first statement of a transaction that takes the right of
   * one: all of these wait here for each other, so that of two at once the second sees what the first has done. The row
   * that they wait for is their own, so no logout waits with them.
   * @throws {LastAdmin}
   */
  requireAnother: (tx: EntityManager, userId: string) => Promise<void>
}

export function createAdmins (database: Database): Admins {
  const hold = createHold(database, rows.admins)
  const twoOfThem = database.statement(({ query }) => query(User).select('id').where({ isAdmin: raw('true') }).limit(2))

  return {
    async requireAnother (tx, userId) {
      await hold(tx)
      const admins = await twoOfThem.all<Pick<User, 'id'>>(tx, {})
      if (admins.length === 1 && admins[0]!.id === userId) throw new LastAdmin()
    },
  }
}
