import type { EntityManager } from '@mikro-orm/core'
import { withHost, type CallHost } from '../../database/with-host.ts'
import type { Client } from '../../http/request.ts'
import type { User } from '../../users/entity.ts'
import { NotFound } from '../../users/errors.ts'
import type { Changer, Changes } from '../users/changes.ts'
import type { Spine } from '../spine.ts'
import type { ClosingSettings } from './options.ts'

/** How accounts are closed, and kept. */
export interface Closing {
  /**
   * Deletes an account, or with a grace notes when it is to be deleted: every session is over, and nobody signs in.
   * Gives that time.
   * @throws {LastAdmin} with `keepsAdmin`, when nobody else is an admin
   * @throws {UserReferenced} where a row of the host's refers to the user, and its foreign key does not let go
   * @throws {NotFound} for a user who is not there any more
   */
  close: (userId: string, changer: Omit<Changer, 'within' | 'onlyIf'>) => Promise<Date | undefined>
  /** Keeps an account. Nothing happens to one that was not to be deleted. Without `within` links of mails are void. */
  restore: (userId: string, changer: Changer) => Promise<User>
  /** Deletes an account whose time is over, at this moment in ms since 1970. False if it is not. */
  removeDue: (userId: string, now: number) => Promise<boolean>
}

export function createClosing (
  { database, mail, users: { publicUsers } }: Spine, changes: Changes,
  { closing: { graceSeconds }, hooks: { onClose } }: ClosingSettings
): Closing {
  /** Before the user is deleted: afterwards nobody knows where to write. */
  const farewell = (callHost: CallHost) => async (tx: EntityManager, user: User) => {
    await callHost(tx, onClose, publicUsers.of(user))
    if (user.email !== null) await mail?.notify(tx, 'closed', user, { address: user.email })
  }

  /** Tells of it, with a link by which it is kept. */
  async function tellOfClosing (tx: EntityManager, user: User, client: Client | undefined): Promise<void> {
    if (!mail || !mail.tellsOf('closing') || user.email === null || user.emailVerifiedAt === null) return
    const { id, email: address, emailKey: addressKey, epoch } = user
    const wanted = { purpose: 'restore', user: { id, epoch }, address, addressKey: addressKey!, seconds: graceSeconds }
    const proof = await mail.oneTimes.make(tx, { ...wanted, purpose: 'restore' })
    const data = { closesAt: user.closesAt!.getTime() }
    await mail.notify(tx, 'closing', user, { client, oneTimeId: proof.id, data, seconds: graceSeconds })
  }

  /** Whoever keeps the account by their password has no more use for the links of mails. */
  async function voidLinks (tx: EntityManager, { id }: User): Promise<void> {
    await mail?.oneTimes.voidOf(tx, id, ['restore'])
  }

  return {
    async close (userId, asked) {
      if (graceSeconds === 0) {
        const isThere = await withHost(database, (callHost) =>
          changes.remove(userId, 'closed', { ...asked, within: farewell(callHost) }))
        if (!isThere) throw new NotFound()
        return
      }
      const closesAt = new Date(Date.now() + graceSeconds * 1000)
      const within = (tx: EntityManager, user: User) => tellOfClosing(tx, user, asked.client)
      await changes.change(userId, { closesAt }, { ...asked, within })
      return closesAt
    },

    restore: (userId, { within = voidLinks, ...changer }) =>
      changes.change(userId, { closesAt: null }, { ...changer, within }),

    removeDue: (userId, now) => withHost(database, (callHost) => changes.remove(userId, 'closed', {
      within: farewell(callHost),
      onlyIf: ({ closesAt }) => closesAt !== null && closesAt.getTime() <= now,
    })),
  }
}
