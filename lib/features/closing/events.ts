import type { AccountEvent } from '../../events/events.ts'

/** What is told of accounts that are closed. */
export interface ClosingEvents {
  /** Somebody wants their account to be deleted, after the grace: every session is over. */
  closing: AccountEvent
  /** Somebody keeps an account that was to be deleted. */
  restored: AccountEvent
  /** Somebody closed their own account, and it is deleted. */
  closed: AccountEvent
}
