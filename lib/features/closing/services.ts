import type { InTransaction } from '../../database/transactions.ts'
import { knownOptions } from '../../http/service-options.ts'
import type { ManagedUser } from '../../users/public-user.ts'
import type { Spine } from '../spine.ts'
import type { Closing } from './closing.ts'

/** Closed accounts: a part of `app.accounts.users`. Unknown options throw `OptionsInvalid`. */
export interface ClosingServices {
  /**
   * Closes an account, as its user does at `DELETE /me`: all sessions end. With `closing.grace` it returns when the
   * account will be deleted. Without it, it deletes the account at once and returns null. It closes the account of the
   * only admin too.
   * @throws {NotFound}
   * @throws {UserReferenced} without a grace period, if a row of yours refers to the user, and its foreign key prevents
   * the deletion: nothing is deleted
   */
  close: (id: string, options?: InTransaction) => Promise<Date | null>
  /**
   * Restores an account that is scheduled for deletion. Has no effect on other accounts.
   * @throws {NotFound}
   */
  restore: (id: string, options?: InTransaction) => Promise<ManagedUser>
}

export function createClosingServices (
  { users: { lookUp, publicUsers } }: Spine, { close, restore }: Pick<Closing, 'close' | 'restore'>
): ClosingServices {
  return {
    async close (id, options = {}) {
      const { em } = knownOptions('users.close', ['em'], options)
      const closesAt = (await lookUp.byId(id, em))?.closesAt
      return closesAt ?? await close(id, { em }) ?? null
    },

    async restore (id, options = {}) {
      const { em } = knownOptions('users.restore', ['em'], options)
      return publicUsers.managed(await restore(id, { em }))
    },
  }
}
