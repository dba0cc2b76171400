import type { AccountEvent } from '../../events/events.ts'

/**
 * What failures are counted by: an account as one network tries it, or one known device; all of one network; all at one
 * account; second factors of one user, or as one known device tries them.
 */
export type BucketKind = 'account-network' | 'account-device' | 'network' | 'account' | 'factor' | 'factor-device'

/** Whose block is told of: a bucket's, or that of the codes which were mailed to one address. */
export type LockReason = BucketKind | 'address-codes'

/** What is told of limits on guessing. */
export interface ThrottleEvents {
  /**
   * After too many failures further attempts have to wait: at an account from one network, from a network, or at an
   * account. With the reason `address-codes`, every code that was mailed to one address is refused for a while.
   */
  lock: AccountEvent<LockReason>
}

/** What is counted of limits on guessing. */
export const throttleCounters = {
  /** Attempts that were refused without being checked. */
  attemptsThrottled: 0,
  /** How often a wait began. */
  bucketsBlocked: 0,
}

export type ThrottleCounters = typeof throttleCounters
