import type { AccountEvent } from '../../events/events.ts'

/** What is told of addresses. */
export interface EmailEvents {
  /** A user proved that an address is theirs, or code verified it. */
  'email-verified': AccountEvent
  /** The address of an account was changed to another verified one. */
  'email-changed': AccountEvent
  /** The old address has taken the account back. Every session has ended, and the password must be reset. */
  'email-reverted': AccountEvent
  /** The owner of an unverified address said that the account is not theirs. */
  'email-disowned': AccountEvent
}
