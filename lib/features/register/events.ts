import type { AccountEvent } from '../../events/telemetry.ts'

/** What is told of registrations. */
export interface RegisterEvents {
  /** Somebody opened an account. */
  register: AccountEvent
}
