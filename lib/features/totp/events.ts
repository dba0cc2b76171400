import type { AccountEvent } from '../../events/events.ts'

/** What is told of authenticator apps. */
export interface TotpEvents {
  /** 100 codes of a user's authenticator app were wrong in a row, and no more are accepted. Published once. */
  'factor-shut': AccountEvent<'totp'>
}
