/** What is counted of tokens. */
export const tokenCounters = {
  /** Access tokens that were remembered from an earlier request. */
  tokensRemembered: 0,
  /** Access tokens whose signature was checked. */
  tokensVerified: 0,
}

export type TokenCounters = typeof tokenCounters
