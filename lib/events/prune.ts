import type { Prune } from '../database/prune.ts'
import { Event } from './entity.ts'

/** Events that were kept for `keepForSeconds`. */
export function pruneOfEvents (keepForSeconds: number): Prune<'events'> {
  return {
    name: 'events',
    entity: Event,
    by: 'createdAt',
    isOld: (now) => ({ createdAt: { $lt: new Date(now - keepForSeconds * 1000) } }),
  }
}
