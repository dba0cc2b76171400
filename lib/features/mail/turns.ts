import { MailRow } from '../../mail/entity.ts'
import type { Spine } from '../spine.ts'
import type { Limits } from '../throttle/limits.ts'

/**
 * Whether a mail that was asked for may go to an address: `now`; `later`, where it has had one just now; undefined
 * where it is not sent at all, since the address has had as many as it may, which is told, or since another mail of the
 * same challenge waits already.
 */
export type MayGo = (
  mail: MailRow, addressKey: string, userId?: string
) => Promise<'now' | { later: number } | undefined>

export function createMayGo (
  { database, events }: Pick<Spine, 'database' | 'events'>, { mailTo }: Pick<Limits, 'mailTo'>
): MayGo {
  /** Whoever asks again before the first mail is sent gets one. */
  async function isWaiting ({ id, kind, challenge }: MailRow): Promise<boolean> {
    if (challenge === null) return false
    const others = { kind, challenge, dueAt: { $ne: null }, id: { $lt: id } }
    return await database.run((em) => em.count(MailRow, others, { connectionType: 'write' })) > 0
  }

  return async (mail, addressKey, userId) => {
    const waitMs = await mailTo(addressKey)
    if (waitMs === 0) return 'now'
    if (waitMs < Infinity) return await isWaiting(mail) ? undefined : { later: waitMs }
    await events.happen({ type: 'mail-suppressed', userId, data: { kind: mail.kind } })
  }
}
