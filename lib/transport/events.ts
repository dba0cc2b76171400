/** What is told of how tokens come. */
export interface TransportEvents {
  /** A request with cookies did not prove its origin. */
  'csrf-failed': { instance: string, ip: string | null, userAgent: string | null }
}
