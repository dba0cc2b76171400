import type { AccountEvent } from '../../events/events.ts'

/** What is told of accounts that are closed. */
export interface ClosingEvents {
  /** A user closed their account, which will be deleted after the grace period. Every session has ended. */
  closing: AccountEvent
  /** A user restored an account that was scheduled for deletion. */
  restored: AccountEvent
  /** A user closed their account, and it was deleted. */
  closed: AccountEvent
}
