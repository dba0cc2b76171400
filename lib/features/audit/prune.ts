import { setImmediate as breathe } from 'node:timers/promises'
import type { Prune } from '../../database/prune.ts'
import { selectFrom } from '../../database/statement.ts'
import type { Chain } from '../../events/chain.ts'
import { Event } from '../../events/entity.ts'
import { Seal } from '../../events/seal-entity.ts'
import type { Spine } from '../spine.ts'
import type { SealRows } from './sealing.ts'

const batchSize = 200

/**
 * Events that were kept for `keepForSeconds`. Of sealed ones whole seals go, the first ones first, and the last seal
 * that has gone stays as where the chain begins. Without the key, sealed events stay: nobody could say by what right
 * they are gone.
 */
export function pruneOfEvents (
  { database, chain, log }: Pick<Spine, 'database' | 'chain' | 'log'>, rows: SealRows, keepForSeconds: number
): Prune<'events'> {
  async function pruneUnsealed (before: Date): Promise<number> {
    const isOld = { seal: null, createdAt: { $lt: before } }
    const found = await database.run((em) => selectFrom<{ id: string }>(em, Event).select('id').where(isOld)
      .orderBy({ createdAt: 'asc' }).limit(batchSize).execute('all'))
    const ids = found.map(({ id }) => id)
    return ids.length === 0 ? 0 : database.run((em) => em.nativeDelete(Event, { ...isOld, id: { $in: ids } }))
  }

  /** Only what is whole: what was changed stays, and whoever verifies the log finds it. */
  async function pruneSeal (chain: Chain, before: Date): Promise<number> {
    return database.transaction(async (tx) => {
      await rows.hold(tx)
      const [first, second] = await rows.seals(tx, 0, 2)
      const [base, seal] = first?.pruned === null ? [undefined, first] : [first, second]
      if (!seal || seal.createdAt >= before) return 0

      const { seq, hash, kid, entries, createdAt } = seal
      const events = await rows.eventsIn(tx, seq, seq, entries + 1)
      if (chain.hashOf({ seq, before: base?.hash ?? '', createdAt }, events, kid) !== hash) {
        log.warn({ seal: seq }, 'Old events are not pruned, since they were changed, or their key is gone')
        return 0
      }
      await tx.nativeDelete(Event, { seal: seq })
      await tx.nativeUpdate(Seal, { seq }, { pruned: chain.prunedOf(seal) })
      await tx.nativeDelete(Seal, { seq: { $lt: seq } })
      return entries
    })
  }

  return {
    name: 'events',
    async prune (now, signal) {
      const before = new Date(now - keepForSeconds * 1000)
      const pruneSome = [
        () => pruneUnsealed(before), ...chain ? [() => pruneSeal(chain, before)] : [],
      ]
      let deleted = 0
      for (const prune of pruneSome) {
        for (let count = 1; count > 0 && !signal.aborted; deleted += count) {
          count = await prune()
          await breathe()
        }
      }
      return deleted
    },
  }
}
