import type { EntityManager } from '@mikro-orm/core'
import type { Telling } from '../../host/hooks.ts'
import { sourceOf, type AnyRequest, type Client } from '../../http/request.ts'
import type { Hooks } from '../../sessions/options.ts'
import type { Note } from '../../sessions/revocation-log.ts'
import { User } from '../../users/entity.ts'
import type { Spine } from '../spine.ts'
import { LastCredential } from './errors.ts'
import type { FactorReason } from './events.ts'
import type { FactorsChanged, OnFactorsChanged } from './options.ts'

/** What changes of a user's factors, whoever asks for it. */
export interface StoredChange<Extra> {
  /** What is told of it. */
  type: FactorsChanged['change']
  reason: FactorReason
  /**
   * Whether a first factor alone signs in from then on: `on` no, `off` yes, or as before. Once the last factor is gone
   * it is `off` in any case.
   */
  secondFactor?: 'on' | 'off'
  /**
   * Stores it, in the transaction that has locked the user, and gives what the answer holds beside the tokens.
   * @throws what is to be the answer: then nothing has changed. It goes before the refusal of a session that another
   * change has ended meanwhile.
   */
  act: (tx: EntityManager, user: User, note: Note) => Promise<Extra>
}

/** Where a change was asked for. Code asks from nowhere. */
interface Place {
  sessionId?: string
  client: Client | undefined
}

/** Tells of changes of factors. */
export interface TellOfFactors {
  /** In the transaction of the change: writes an event down, and a mail to the user. */
  write: (
    tx: EntityManager, user: User, note: Note, change: Pick<StoredChange<unknown>, 'type' | 'reason'>, place: Place
  ) => Promise<void>
  /** Once it is committed: tells the app. */
  tell: (user: User, change: Pick<StoredChange<unknown>, 'type' | 'reason'>, request: AnyRequest | undefined) => void
}

export function createTellOfFactors (spine: Spine): TellOfFactors {
  const { mail, users: { publicUsers } } = spine
  const hooks: Hooks & Telling<{ onFactorsChanged: OnFactorsChanged }> = spine.hooks

  return {
    async write (tx, user, note, { type, reason }, { sessionId, client }) {
      await note({ type, reason, userId: user.id, sessionId, client })
      await mail?.notify(tx, 'factorsChanged', user, { client, data: { change: type, factor: reason } })
    },

    tell (user, { type: change, reason: what }, request) {
      hooks.onFactorsChanged?.(publicUsers.of(user), { what, change }, request ? sourceOf(request) : null)
    },
  }
}

/**
 * After something was taken away from a user, who is locked: what goes with the last factor goes too, where that was
 * it. True where no factor is left that asks: of who needs one any does.
 */
export type SettleRemoval = (tx: EntityManager, userId: string, needsFactor: boolean) => Promise<boolean>

/**
 * Stores a change of the factors of a user, who is locked, with all that goes with it but for sessions.
 * @throws {LastCredential} where no factor is left to somebody who needs one, unless an admin has reset them, or the
 * address of before takes the account back
 */
export type StoreChange = <Extra>(
  tx: EntityManager, user: User, note: Note, change: StoredChange<Extra>, place: Place
) => Promise<Extra>

export function createStoreChange (
  { users: { needsOf } }: Spine, { write }: TellOfFactors, settleRemoval: SettleRemoval
): StoreChange {
  return async (tx, user, note, change, place) => {
    const { type, reason, secondFactor, act } = change
    const extra = await act(tx, user, note)
    const { needsFactor } = needsOf(user)
    const isNoneLeft = type !== 'factor-added' && await settleRemoval(tx, user.id, needsFactor)
    const isForced = reason === 'admin' || reason === 'address'
    if (isNoneLeft && !isForced && needsFactor) throw new LastCredential()
    const now = new Date()
    const mfaAt = isNoneLeft || secondFactor === 'off' ? null : secondFactor === 'on' ? user.mfaAt ?? now : user.mfaAt
    await tx.nativeUpdate(User, { id: user.id }, { factorsChangedAt: now, updatedAt: now, mfaAt })
    await write(tx, user, note, change, place)
    return extra
  }
}
