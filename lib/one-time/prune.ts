import type { Prune } from '../database/prune.ts'
import { clockSkewSeconds } from '../sessions/revocations.ts'
import { OneTime } from './entity.ts'

/** What nobody can use any more. */
export const pruneOfOneTime: Prune<'oneTime'> = {
  name: 'oneTime',
  entity: OneTime,
  by: 'expiresAt',
  isOld: (now) => ({ expiresAt: { $lt: new Date(now - clockSkewSeconds * 1000) } }),
}
