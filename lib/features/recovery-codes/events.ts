import type { AccountEvent } from '../../events/events.ts'

/** What is told of recovery codes. */
export interface RecoveryCodeEvents {
  /** Somebody signed in by a recovery code: `left` says how many there are still. */
  'recovery-code-used': AccountEvent<never> & { left: number }
}
