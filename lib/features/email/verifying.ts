import type { EntityManager } from '@mikro-orm/core'
import type { Client } from '../../http/request.ts'
import type { Mailing } from '../../mail/mail.ts'
import { ProofInvalid } from '../../one-time/errors.ts'
import type { OneTimeRow } from '../../one-time/rows.ts'
import { User } from '../../users/entity.ts'
import type { Spine } from '../spine.ts'

/** What somebody does who has got a mail that asks whether the address is theirs. */
export interface Verifying {
  /**
   * Notes that the user's address is theirs.
   * @throws {ProofInvalid} where the proof does not hold any more: of many at once one alone succeeds
   */
  verify: (proof: OneTimeRow, client: Client) => Promise<void>
  /**
   * Takes an address that nobody has proved from the account, and ends its sessions. Who has no user name cannot sign
   * in any more: their password goes too.
   * @throws {ProofInvalid} where the proof does not hold any more, and once the address is proved
   */
  disown: (proof: OneTimeRow, client: Client) => Promise<void>
}

export function createVerifying (
  { sessions: { endings, revocationLog }, settings: { identifiers }, users: { lookUp } }: Spine,
  { oneTimes }: Pick<Mailing, 'oneTimes'>
): Verifying {
  /** Locks the user before the proof is used, as every transaction does. */
  async function use (tx: EntityManager, proof: OneTimeRow): Promise<User> {
    const user = await lookUp.locked(tx, proof.userId!)
    if (!user || user.emailKey !== proof.addressKey || user.disabledAt || user.closesAt) throw new ProofInvalid()
    await oneTimes.use(tx, proof)
    return user
  }

  return {
    verify: (proof, client) => revocationLog.record(async (tx, write, note) => {
      const { id, epoch, emailVerifiedAt } = await use(tx, proof)
      const now = new Date()
      const change = { emailVerifiedAt: emailVerifiedAt ?? now, mailFailedAt: null, updatedAt: now }
      await tx.nativeUpdate(User, { id }, change)
      await write('user', id, epoch)
      await note({ type: 'email-verified', userId: id, client })
    }),

    disown: (proof, client) => revocationLog.record(async (tx, write, note) => {
      const { id, username, emailVerifiedAt } = await use(tx, proof)
      if (emailVerifiedAt) throw new ProofInvalid()
      const now = new Date()
      const hasName = username !== null && identifiers.includes('username')
      await tx.nativeUpdate(User, { id }, {
        email: null,
        emailKey: null,
        mailFailedAt: null,
        updatedAt: now,
        ...!hasName && { passwordHash: '', passwordChangedAt: now },
      })
      await endings.endOthers(tx, write, id, 'address')
      await note({ type: 'email-disowned', userId: id, client })
    }),
  }
}
