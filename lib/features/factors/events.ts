import type { AccountEvent } from '../../events/events.ts'

/**
 * How a second factor was proved, or what was set up. Where several were taken away: `admin` for an admin or code,
 * `user` for the user, `address` for the address of before, which has taken the account back.
 */
export type FactorReason = 'totp' | 'passkey' | 'recovery' | 'admin' | 'user' | 'address'

/** What is told of second factors. */
export interface FactorEvents {
  /** A factor was set up: `reason` says which. */
  'factor-added': AccountEvent<FactorReason>
  /** A factor was removed: `reason` says which. */
  'factor-removed': AccountEvent<FactorReason>
  /** A second factor was wrong: `reason` says which. */
  'factor-failed': AccountEvent<FactorReason>
  /**
   * Several factors of a user were removed: `reason` says by whom. All factors, or those that an admin or code has
   * named. If an old address takes its account back, those that were set up since the change.
   */
  'factors-reset': AccountEvent<FactorReason>
}

/** What is counted of second factors. */
export const factorCounters = {
  /** Tickets issued after a first factor. */
  ticketsGiven: 0,
  /** Second factors that were accepted. */
  factorsVerified: 0,
  /** Second factors that were wrong. */
  factorsRefused: 0,
  /** Tickets, codes and assertions that were presented a second time. */
  spentTwice: 0,
}

export type FactorCounters = typeof factorCounters
