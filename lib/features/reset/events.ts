import type { AccountEvent } from '../../events/events.ts'

/** What is told of forgotten passwords. */
export interface ResetEvents {
  /** A mail is on its way by which another password may be chosen. */
  'reset-asked': AccountEvent
  /** Code wants another password to be chosen: every session is over. */
  'reset-forced': AccountEvent
  /** Another password was chosen by a mail: every session is over. */
  reset: AccountEvent
  /**
   * Somebody proved to read the mailbox of an account whose address nobody had proved before: what was before is void.
   */
  reclaim: AccountEvent
}
