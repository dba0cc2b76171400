import type { EntityManager } from '@mikro-orm/core'
import type { InTransaction } from '../../database/transactions.ts'
import { knownOptions } from '../../http/service-options.ts'
import type { Mailing } from '../../mail/mail.ts'
import type { User } from '../../users/entity.ts'
import type { ManagedUser } from '../../users/public-user.ts'
import { EmailMissing } from '../email/errors.ts'
import type { Spine } from '../spine.ts'
import type { Changes } from '../users/changes.ts'

/** Forced password resets: a part of `app.accounts.users`. */
export interface ResetServices {
  /**
   * Forces a user to choose a new password: all sessions end, a login is refused until then (`PasswordResetRequired`),
   * and a mail with a link is sent. Called again, it sends another mail.
   * @throws {NotFound}
   * @throws {EmailMissing} if the user has no address: set another password, or disable the user
   * @throws {OptionsInvalid} without the option mail or the route resetPassword, because nobody could choose a password
   */
  requireReset: (id: string, options?: InTransaction) => Promise<ManagedUser>
}

/** For how long it makes sense to send the mail, in seconds. */
const day = 86_400

export function createResetServices (
  { users: { publicUsers } }: Spine, { write, localeFor }: Mailing, changes: Changes
): ResetServices {
  async function writeTo (tx: EntityManager, user: User): Promise<void> {
    if (user.email === null) throw new EmailMissing()
    const locale = localeFor(publicUsers.of(user), undefined)
    await write(tx, { kind: 'reset', userId: user.id, locale, seconds: day })
  }

  return {
    async requireReset (id, options = {}) {
      const { em } = knownOptions('users.requireReset', ['em'], options)
      return publicUsers.managed(await changes.change(id, { resetDueAt: new Date() }, { em, within: writeTo }))
    },
  }
}
