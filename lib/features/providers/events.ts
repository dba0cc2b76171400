import type { AccountEvent } from '../../events/events.ts'

/** What is told of identities at other providers: `reason` is the provider's id. */
export interface ProviderEvents {
  /** An identity is a user's from now on, of whom it signs in. */
  'identity-linked': AccountEvent<string>
  /** An identity is a user's no more. */
  'identity-unlinked': AccountEvent<string>
}

/** What is counted of other providers. */
export const providerCounters = {
  /** Answers of providers that led to a session, a link or a registration. */
  flowsFinished: 0,
  /** Answers of providers that proved nothing, and providers that did not answer. */
  providersFailed: 0,
}

export type ProviderCounters = typeof providerCounters
