import { defineEntity, p } from '@mikro-orm/core'

/**
 * How often somebody has failed of late: see `throttle/bucket.ts`. Times are milliseconds, which nobody's time zone
 * moves.
 */
const ThrottleBucketSchema = defineEntity({
  name: 'AccountsThrottleBucket',
  tableName: 'accounts_throttle',
  properties: {
    /** An HMAC of what is counted: who was tried, and from where, can neither be read here nor tried out. */
    id: p.string().length(64).primary().name('id'),
    drainedAt: p.bigint('number').index().name('drained_at'),
    blockedUntil: p.bigint('number').name('blocked_until'),
  },
})

export class ThrottleBucket extends ThrottleBucketSchema.class {}
ThrottleBucketSchema.setClass(ThrottleBucket)
