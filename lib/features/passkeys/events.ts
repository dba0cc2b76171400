import type { AccountEvent } from '../../events/events.ts'

/** What is told of passkeys. */
export interface PasskeyEvents {
  /**
   * A passkey that counts its signatures presented a counter that is not higher than the last one: somebody may have a
   * copy. It was refused.
   */
  'passkey-suspicious': AccountEvent
}

/** What is counted of passkeys. */
export const passkeyCounters = {
  /** Passkeys that were refused: wrong, expired, used before or unknown. */
  passkeysRefused: 0,
}

export type PasskeyCounters = typeof passkeyCounters
