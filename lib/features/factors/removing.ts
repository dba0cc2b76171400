import type { EntityManager } from '@mikro-orm/core'
import type { Telling } from '../../host/hooks.ts'
import { clientOf, sourceOf, type AnyRequest } from '../../http/request.ts'
import type { Hooks } from '../../sessions/options.ts'
import { isId } from '../../tokens/claims.ts'
import { User } from '../../users/entity.ts'
import { NotFound } from '../../users/errors.ts'
import type { SettleRemoval } from './change.ts'
import type { Spine } from '../spine.ts'
import { LastCredential } from './errors.ts'
import type { FactorReason } from './events.ts'
import type { FactorsChanged, OnFactorsChanged } from './options.ts'

/** Where a change is asked for, and in whose transaction it is made. */
export interface Asked {
  request?: AnyRequest
  em?: EntityManager | undefined
}

/** What is taken away from a user by somebody else. */
export interface Removal {
  type: Exclude<FactorsChanged['change'], 'factor-added'>
  reason: FactorReason
  /** Takes it away, in the transaction that has locked the user. */
  act: (tx: EntityManager, user: User) => Promise<unknown>
}

/**
 * Takes factors away from a user who has not asked for it by a session, and ends all of their sessions.
 * @throws {NotFound} where there is no such user
 * @throws {LastCredential} where no factor is left to somebody who needs one, unless they were reset
 */
export type RemoveFor = (userId: string, removal: Removal, asked: Asked) => Promise<void>

export function createRemoveFor (spine: Spine, settleRemoval: SettleRemoval): RemoveFor {
  const { mail, sessions: { endings, revocationLog }, users: { lookUp, needsOf, publicUsers } } = spine
  const hooks: Hooks & Telling<{ onFactorsChanged: OnFactorsChanged }> = spine.hooks

  return async (userId, { type, reason, act }, { request, em }) => {
    if (!isId(userId)) throw new NotFound()
    const client = request && clientOf(request)
    const user = await revocationLog.record(async (tx, write, note) => {
      const user = await lookUp.locked(tx, userId)
      if (!user) throw new NotFound()
      await act(tx, user)
      const isNoneLeft = await settleRemoval(tx, userId)
      if (isNoneLeft && type === 'factor-removed' && needsOf(user).needsFactor) throw new LastCredential()
      const now = new Date()
      const change = { factorsChangedAt: now, updatedAt: now, ...isNoneLeft && { mfaAt: null } }
      await tx.nativeUpdate(User, { id: userId }, change)
      await endings.endOthers(tx, write, userId, 'factors')
      await note({ type, reason, userId, client })
      await mail?.notify(tx, 'factorsChanged', user, { client, data: { change: type, factor: reason } })
      return user
    }, em)
    const changed: FactorsChanged = { what: reason, change: type }
    hooks.onFactorsChanged?.(publicUsers.of(user), changed, request ? sourceOf(request) : null)
  }
}
