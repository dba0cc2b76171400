import type { AccountEvent } from '../../events/events.ts'

/** What is told of exports. */
export interface ExportEvents {
  /** Somebody got a copy of all that is kept of them. */
  exported: AccountEvent
}
