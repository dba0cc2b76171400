import type { EntityManager } from '@mikro-orm/core'
import type { Telling } from '../../host/hooks.ts'
import { clientOf, sourceOf } from '../../http/request.ts'
import type { Hooks } from '../../sessions/options.ts'
import { isId } from '../../tokens/claims.ts'
import { User } from '../../users/entity.ts'
import { NotFound } from '../../users/errors.ts'
import type { Spine } from '../spine.ts'
import type { SettleRemoval } from './change.ts'
import { LastCredential } from './errors.ts'
import type { Asked, Factors, Method } from './factors.ts'
import type { OnFactorsChanged } from './options.ts'

/** What is taken away, by the names that `GET /factors` has; devices are those that are remembered. */
export type Which = Record<string, boolean | undefined> & { devices?: boolean | undefined }

/**
 * Takes factors of a user away, all where none is named, and ends all sessions: for who has lost them.
 * @throws {NotFound} where there is no such user
 * @throws {LastCredential} where the user has no password, and the passkeys are the way in
 */
export type Reset = (userId: string, which: Which | undefined, asked: Asked) => Promise<void>

export function createReset (spine: Spine, { methods }: Factors, settleRemoval: SettleRemoval): Reset {
  const { mail, sessions: { endings, revocationLog }, users: { lookUp, publicUsers } } = spine
  const hooks: Hooks & Telling<{ onFactorsChanged: OnFactorsChanged }> = spine.hooks

  async function remove (tx: EntityManager, { id, passwordHash }: User, { name, remove }: Method): Promise<void> {
    const isGone = await remove(tx, id)
    if (isGone && name === 'passkey' && passwordHash === '') throw new LastCredential()
  }

  return async (userId, which, { request, em }) => {
    if (!isId(userId)) throw new NotFound()
    const client = request && clientOf(request)
    const named = methods.filter(({ shown: { name } }) => which?.[name])
    const chosen = Object.keys(which ?? {}).length === 0 ? methods : named
    const user = await revocationLog.record(async (tx, write, note) => {
      const user = await lookUp.locked(tx, userId)
      if (!user) throw new NotFound()
      for (const method of chosen) await remove(tx, user, method)
      const isNoneLeft = await settleRemoval(tx, userId)
      const now = new Date()
      const change = { factorsChangedAt: now, updatedAt: now, ...isNoneLeft && { mfaAt: null } }
      await tx.nativeUpdate(User, { id: userId }, change)
      await endings.endOthers(tx, write, userId, 'factors')
      await note({ type: 'factors-reset', reason: 'admin', userId, client })
      const data = { change: 'factors-reset', factor: 'admin' }
      await mail?.notify(tx, 'factorsChanged', user, { client, data })
      return user
    }, em)
    const changed = { what: 'admin', change: 'factors-reset' } as const
    hooks.onFactorsChanged?.(publicUsers.of(user), changed, request ? sourceOf(request) : null)
  }
}
