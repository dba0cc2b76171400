import type { AccountEvent } from '../../events/events.ts'

/** What is told of forgotten passwords. */
export interface ResetEvents {
  /** A mail for a password reset is on its way. */
  'reset-asked': AccountEvent
  /** Code requires a password reset. Every session has ended. */
  'reset-forced': AccountEvent
  /** A password was reset by mail. Every session has ended. */
  reset: AccountEvent
  /**
   * Somebody proved to own the so far unverified address of an account. Earlier sessions and credentials are no longer
   * valid.
   */
  reclaim: AccountEvent
}
