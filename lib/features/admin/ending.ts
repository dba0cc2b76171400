import { Forbidden } from '../../guards/errors.ts'
import type { Client } from '../../http/request.ts'
import { isId } from '../../tokens/claims.ts'
import { NotFound } from '../../users/errors.ts'
import type { Spine } from '../spine.ts'

/** The admin who ends sessions, and from where. */
export interface EndingAdmin {
  actorId: string
  client: Client
}

/**
 * Ends a session of a user for an admin, or all of them where none is named.
 * @throws {NotFound} where there is no such user, or the session is not one of theirs that goes on
 * @throws {Forbidden} for oneself, and for an admin who may not do it (any more), or not to this user
 */
export type EndForAdmin = (userId: string, sessionId: string | undefined, admin: EndingAdmin) => Promise<void>

export function createEndForAdmin (
  { ranks, sessions: { endings, revocationLog }, users: { lookUp } }: Spine
): EndForAdmin {
  return async (userId, sessionId, { actorId, client }) => {
    if (userId === actorId) throw new Forbidden()
    if (!isId(userId)) throw new NotFound()
    await revocationLog.record(async (tx, write, note) => {
      const requireWithin = await ranks.judge(tx, { actorId, needs: ['sessions:end'] })
      const user = await lookUp.locked(tx, userId)
      if (!user) throw new NotFound()
      requireWithin(user.roles)
      const by = { type: 'logout' as const, userId, actor: actorId, client }
      if (sessionId === undefined) {
        await endings.endOthers(tx, write, userId, 'everywhere')
        return note({ ...by, reason: 'everywhere' })
      }
      // InnoDB shows the rows as they were when the admin was read, unless it locks them.
      const living = await endings.lockLiving(tx, userId, true)
      if (!living!.includes(sessionId)) throw new NotFound()
      await endings.endThese(tx, write, [sessionId], 'ended')
      await note({ ...by, reason: 'ended', sessionId })
    })
  }
}
