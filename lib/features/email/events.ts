import type { AccountEvent } from '../../events/events.ts'

/** What is told of addresses. */
export interface EmailEvents {
  /** Somebody proved that an address is theirs, or code knows that it is. */
  'email-verified': AccountEvent
  /** The address of an account is another one, which was proved. */
  'email-changed': AccountEvent
  /** The old address has taken the account back: every session is over, and another password has to be chosen. */
  'email-reverted': AccountEvent
  /** Whoever reads the mailbox of an address that nobody had proved says that the account is not theirs. */
  'email-disowned': AccountEvent
}
