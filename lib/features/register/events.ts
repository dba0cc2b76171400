import type { AccountEvent } from '../../events/events.ts'

/** What is told of registrations. */
export interface RegisterEvents {
  /** Somebody created an account. */
  register: AccountEvent
}
