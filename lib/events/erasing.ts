import type { EntityManager } from '@mikro-orm/core'
import { fromRow, selectFrom } from '../database/statement.ts'
import type { Chain } from './chain.ts'
import { Event } from './entity.ts'
import { partsOf, withoutPersonal } from './personal.ts'

/** Takes what tells of a person out of the events that are theirs or that they did, and gives how many these were. */
export type Erase = (tx: EntityManager, userId: string) => Promise<number>

/**
 * The events stay, and their seals hold: what is erased says so by a MAC, which nobody can make who only has the
 * database. Without the key only events are touched that no process with a key has written or sealed.
 */
export function createErase (chain: Chain | undefined): Erase {
  const erased = (userId: string) => chain?.erasedOf(userId) ?? null
  const others = chain ? { erased: null } : { personal: null, seal: null }

  return async (tx, userId) => {
    const taken = { ip: null, userAgent: null, erased: erased(userId) }
    let count = 0
    for (const theirs of [{ userId }, { actorId: userId }]) {
      const where = { ...theirs, ...others }
      const rows = await selectFrom<object>(tx, Event).select('*').where({ ...where, data: { $ne: null } })
        .execute('all', false)
      for (const { id, data } of rows.map((row) => fromRow(tx, Event, row))) {
        if (partsOf(data).personal.length === 0) continue
        await tx.nativeUpdate(Event, { ...where, id }, { data: withoutPersonal(data!) })
      }
      count += await tx.nativeUpdate(Event, where, taken)
    }
    return count
  }
}
