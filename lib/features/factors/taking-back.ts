import type { EntityManager } from '@mikro-orm/core'
import type { TakeBackAlso } from '../mail/taking-back.ts'
import type { Factors } from './factors.ts'
import type { StoreChange } from './storing.ts'

/** Takes the factors of a user away that were set up since their address was changed. */
export function createTakeBackFactors ({ methods }: Pick<Factors, 'methods'>, store: StoreChange): TakeBackAlso {
  async function removeSince (tx: EntityManager, userId: string, since: Date): Promise<boolean> {
    let isAnyGone = false
    for (const method of methods) if (await method.removeSince(tx, userId, since)) isAnyGone = true
    return isAnyGone
  }

  return async (tx, user, { since, note, client }) => {
    if (!await removeSince(tx, user.id, since)) return
    const change = { type: 'factors-reset', reason: 'address', act: async () => {} } as const
    await store(tx, user, note, change, { client })
  }
}
