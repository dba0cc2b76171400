import type { Prune } from '../../database/prune.ts'
import { clockSkewSeconds } from '../../sessions/revocations.ts'
import { ThrottleBucket } from './entity.ts'

/** Failures that are forgotten. */
export const pruneOfThrottle: Prune<'throttle'> = {
  name: 'throttle',
  entity: ThrottleBucket,
  by: 'drainedAt',
  isOld (now) {
    const before = now - clockSkewSeconds * 1000
    return { drainedAt: { $lt: before }, blockedUntil: { $lt: before } }
  },
}
