import type { EntityManager } from '@mikro-orm/core'
import type { Act } from '../../guards/ranks.ts'
import { clientOf, type AnyRequest } from '../../http/request.ts'
import { isId } from '../../tokens/claims.ts'
import { NotFound } from '../../users/errors.ts'
import type { Spine } from '../spine.ts'
import type { StoreChange, StoredChange, TellOfFactors } from './storing.ts'

/** Where a change is asked for, and in whose transaction it is made. */
export interface Asked {
  request?: AnyRequest
  em?: EntityManager | undefined
  /** The admin who asks for it, and what that needs. Default nobody: code, or an address of before. */
  by?: Act
}

/** What is taken away from a user by somebody else. */
export interface Removal extends StoredChange<unknown> {
  type: Exclude<StoredChange<unknown>['type'], 'factor-added'>
}

/**
 * Takes factors away from a user who has not asked for it by a session, and ends all of their sessions.
 * @throws {NotFound} where there is no such user
 * @throws {LastCredential} where no factor is left to somebody who needs one, unless they were reset
 * @throws {Forbidden} for an admin, `by`, who may not do it, or not to this user
 */
export type RemoveFor = (userId: string, removal: Removal, asked: Asked) => Promise<void>

export function createRemoveFor (
  { ranks, sessions: { endings, revocationLog }, users: { lookUp } }: Spine, { tell }: TellOfFactors, store: StoreChange
): RemoveFor {
  return async (userId, removal, { request, em, by }) => {
    if (!isId(userId)) throw new NotFound()
    const client = request && clientOf(request)
    const user = await revocationLog.record(async (tx, write, note) => {
      const requireWithin = by && await ranks.judge(tx, by)
      const user = await lookUp.locked(tx, userId)
      if (!user) throw new NotFound()
      requireWithin?.(user.roles)
      await store(tx, user, note, removal, { client })
      await endings.endOthers(tx, write, userId, 'factors')
      return user
    }, em)
    tell(user, removal, request)
  }
}
