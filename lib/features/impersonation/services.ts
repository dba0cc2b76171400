import { Type, type Static } from '@sinclair/typebox'
import type { InTransaction } from '../../database/transactions.ts'
import type { AnyRequest } from '../../http/request.ts'
import { knownOptions } from '../../http/service-options.ts'
import type { Spine } from '../spine.ts'
import type { Borrow, BorrowedResponse } from './borrowing.ts'
import { ReasonSchema } from './impersonate.ts'

/** Who borrows a session, and why. */
export interface ImpersonateOptions extends InTransaction {
  /** The id of the admin, who must have the permission `users:impersonate`. */
  actorId: string
  /** Why, in 1 to 200 characters. */
  reason: string
  /** Given to `claims` and `hooks.onSession`, and the source of the session's address and user agent. */
  request?: AnyRequest
}

/** What code may do with borrowed sessions: a part of `app.accounts.users`. */
export interface ImpersonationServices {
  /**
   * Begins a session of a user for an admin, and gives its access token, which names the admin in `act`.
   * @throws {NotFound} where there is no such user, or no such admin
   * @throws {Forbidden} for oneself, for a user who has a permission, is disabled or closes the account, and for an
   * admin without the permission
   * @throws {InputInvalid} for a reason that is none
   * @throws {OptionsInvalid} without the option `admin.impersonation`, and for options that are not
   * @throws {IssuingOff} where there are public keys only
   */
  impersonate: (userId: string, options: ImpersonateOptions) => Promise<BorrowedResponse>
}

export function createImpersonationServices ({ input }: Spine, borrow: Borrow): ImpersonationServices {
  const Schema = Type.Object({ actorId: Type.String(), reason: ReasonSchema })
  const read = input.reader(Schema, 'whole')

  return {
    async impersonate (userId, options) {
      const { em, request, ...given } =
        knownOptions('users.impersonate', ['actorId', 'reason', 'request', 'em'], options)
      const { actorId, reason } = read(given) as Static<typeof Schema>
      return borrow(userId, { actorId, reason, request, em })
    },
  }
}
