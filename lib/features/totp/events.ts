import type { AccountEvent } from '../../events/events.ts'

/** What is told of authenticator apps. */
export interface TotpEvents {
  /** 100 codes of somebody's app were wrong in a row: none is taken any more. Told once. */
  'factor-shut': AccountEvent<'totp'>
}
