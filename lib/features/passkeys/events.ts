import type { AccountEvent } from '../../events/events.ts'

/** What is told of passkeys. */
export interface PasskeyEvents {
  /**
   * A passkey that counts its signatures has signed with a number that was used before, or that is lower: somebody may
   * have a copy of it. Nobody was let in by it.
   */
  'passkey-suspicious': AccountEvent
}

/** What is counted of passkeys. */
export const passkeyCounters = {
  /** Passkeys that proved nothing: wrong, over, used before or unknown. */
  passkeysRefused: 0,
}

export type PasskeyCounters = typeof passkeyCounters
