import { withHost } from '../../database/with-host.ts'
import type { Client } from '../../http/request.ts'
import type { Mailing } from '../../mail/mail.ts'
import { ProofInvalid } from '../../one-time/errors.ts'
import type { OneTimeRow } from '../../one-time/rows.ts'
import { User } from '../../users/entity.ts'
import type { Reclaim } from '../mail/reclaim.ts'
import type { Spine } from '../spine.ts'

/**
 * Gives a user the password that this hash is of, by a proof, and ends every session. Nobody is signed in by it, and
 * second factors stay (ASVS 5 6.4.3). API keys that were made since a moment end too. Where nobody had proved the
 * address before, what was before is void.
 * @throws {ProofInvalid} where the proof does not hold any more: of many at once one alone succeeds
 */
export type Reset = (
  proof: OneTimeRow, passwordHash: string, client: Client, keysSince: Date | undefined
) => Promise<void>

export function createResetting (
  { database, sessions: { endings, revocationLog }, users: { lookUp } }: Spine, reclaim: Reclaim,
  { oneTimes, notify }: Mailing
): Reset {
  return (proof, passwordHash, client, keysSince) => withHost(database, (callHost) =>
    revocationLog.record(async (tx, write, note) => {
      const user = await lookUp.locked(tx, proof.userId!)
      const isSame = user && user.emailKey === proof.addressKey && user.epoch === proof.epoch
      if (!isSame || user.disabledAt || user.closesAt) throw new ProofInvalid()
      await oneTimes.use(tx, proof)

      const now = new Date()
      const isFirst = user.emailVerifiedAt === null
      const change = { passwordHash, passwordChangedAt: now, updatedAt: now, resetDueAt: null, mailFailedAt: null }
      await tx.nativeUpdate(User, { id: user.id }, { ...change, ...isFirst && { emailVerifiedAt: now } })
      await endings.endOthers(tx, write, user.id, 'password', undefined, isFirst ? new Date(0) : keysSince)
      await note({ type: 'reset', userId: user.id, client })
      if (isFirst) await reclaim(tx, user, { note, callHost, client })
      await notify(tx, 'passwordChanged', { ...user, emailVerifiedAt: now, mailFailedAt: null }, { client })
    }))
}
