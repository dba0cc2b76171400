import type { Prune } from '../database/prune.ts'
import { clockSkewSeconds } from '../sessions/revocations.ts'
import { OneTime } from './entity.ts'
import { SpentRow } from './spent-entity.ts'

/** What nobody can use any more. */
export const pruneOfOneTime: Prune<'oneTime'> = {
  name: 'oneTime',
  entity: OneTime,
  by: 'expiresAt',
  isOld: isOver,
}

/** What was used once and is over by now, whatever clock looks at it. */
export const pruneOfSpent: Prune<'spent'> = { name: 'spent', entity: SpentRow, by: 'expiresAt', isOld: isOver }

function isOver (now: number): object {
  return { expiresAt: { $lt: new Date(now - clockSkewSeconds * 1000) } }
}
