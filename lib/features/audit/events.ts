/** What is told of the audit log. */
export interface AuditEvents {
  /**
   * Events were sealed: `entries` of them, under the number `seq`. Whoever keeps the `hash` elsewhere sees whether what
   * was there by then is there still: `events.verify({ expect })`.
   */
  seal: { instance: string, seq: number, entries: number, hash: string }
}
