import type { AccountEvent } from '../../events/events.ts'

/**
 * What failures are counted by: an account as one network tries it, or one known device; all of one network; all at one
 * account.
 */
export type BucketKind = 'account-network' | 'account-device' | 'network' | 'account'

/** What is told of limits on guessing. */
export interface ThrottleEvents {
  /**
   * After too many failures further attempts have to wait: at an account from one network, of a network, or at an
   * account.
   */
  lock: AccountEvent<BucketKind>
}

/** What is counted of limits on guessing. */
export const throttleCounters = {
  /** Attempts that were refused without being made. */
  attemptsThrottled: 0,
  /** Times that somebody was blocked. */
  bucketsBlocked: 0,
}

export type ThrottleCounters = typeof throttleCounters
