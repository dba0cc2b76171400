import type { InTransaction } from '../../database/transactions.ts'
import { knownOptions } from '../../http/service-options.ts'
import type { ManagedUser } from '../../users/public-user.ts'
import type { Spine } from '../spine.ts'
import type { Closing } from './closing.ts'

/**
 * What code may do with accounts that are closed: parts of `app.accounts.users`. Options that they do not know are
 * `OptionsInvalid`.
 */
export interface ClosingServices {
  /**
   * Closes an account, as its user does at `DELETE /me`: all sessions end, and with `closing.grace` it is deleted when
   * that is over, which is given. Without it is deleted at once, and null is given. The only admin goes too.
   * @throws {NotFound}
   * @throws {UserReferenced} without a grace, where a row of yours refers to the user, and its foreign key does not let
   * go: nothing is deleted
   */
  close: (id: string, options?: InTransaction) => Promise<Date | null>
  /**
   * Keeps an account that was to be deleted. Nothing happens to another one.
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
