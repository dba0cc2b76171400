import type { EntityManager } from '@mikro-orm/core'
import type { Database } from '../database/database.ts'
import { createHold, rows } from '../sessions/revision.ts'
import type { Permission } from '../users/permissions.ts'
import type { Users } from '../users/users.ts'
import { Forbidden } from './errors.ts'

/** What an admin does to somebody else, or gives. */
export interface Act {
  actorId: string
  /** The permissions that it needs, all of them. */
  needs: Permission[]
}

/**
 * Refuses roles that permit what the admin may not do: those of a user on whom they act, and those that they give.
 * @throws {Forbidden}
 */
export type RequireWithin = (roles: string[]) => void

export interface Ranks {
  /**
   * Judges an act of an admin, as the first statements of the transaction that stores it. All of these wait here for
   * each other, and for who ceases to be an admin, and the admin's row is locked: what is read of their roles, and then
   * of those of the other user, who is locked next, holds until the act is stored.
   * @throws {Forbidden} for an admin who has lost a permission since the guard let them in
   */
  judge: (tx: EntityManager, act: Act) => Promise<RequireWithin>
}

export function createRanks (
  database: Database, { lookUp, permissions }: Pick<Users, 'lookUp' | 'permissions'>
): Ranks {
  const hold = createHold(database, rows.admins)

  return {
    async judge (tx, { actorId, needs }) {
      await hold(tx)
      const actor = await lookUp.locked(tx, actorId)
      if (!actor || actor.disabledAt || actor.closesAt) throw new Forbidden()
      const own = permissions.of(actor.roles)
      if (!needs.every((permission) => own.has(permission))) throw new Forbidden()

      return (roles) => {
        if (!permissions.areWithin(roles, own)) throw new Forbidden()
      }
    },
  }
}
