import type { AccountEvent } from '../../events/events.ts'

/** What is told of addresses. */
export interface EmailEvents {
  /** Somebody proved that an address is theirs. */
  'email-verified': AccountEvent
  /** Whoever reads the mailbox of an address that nobody had proved says that the account is not theirs. */
  'email-disowned': AccountEvent
}
