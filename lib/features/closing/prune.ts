import type { FastifyBaseLogger } from 'fastify'
import type { Database } from '../../database/database.ts'
import type { Prune } from '../../database/prune.ts'
import { selectFrom } from '../../database/statement.ts'
import { withDeadline } from '../../http/deadline.ts'
import { User } from '../../users/entity.ts'
import type { Closing } from './closing.ts'

const batchSize = 100

/**
 * Deletes the accounts whose grace is over, one by one. One that cannot be deleted, since a hook or a foreign key of
 * the host's refuses, is logged, and tried again the next time.
 */
export function pruneOfClosed (database: Database, { removeDue }: Closing, log: FastifyBaseLogger): Prune<'closed'> {
  const due = (now: number, after?: string) => database.run((em) => selectFrom<{ id: string }>(em, User).select('id')
    .where({ closesAt: { $lte: new Date(now) }, ...after && { id: { $gt: after } } })
    .orderBy({ id: 'asc' }).limit(batchSize).execute('all'))

  async function remove (id: string, now: number): Promise<boolean> {
    return withDeadline(() => removeDue(id, now)).catch((error) => {
      log.error(error, `The account ${id} is to be deleted, and cannot be`)
      return false
    })
  }

  return {
    name: 'closed',
    async prune (now, signal) {
      let removed = 0
      let page = await due(now)
      while (page.length > 0 && !signal.aborted) {
        for (const { id } of page) removed += await remove(id, now) ? 1 : 0
        page = await due(now, page.at(-1)!.id)
      }
      return removed
    },
  }
}
