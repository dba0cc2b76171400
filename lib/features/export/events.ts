import type { AccountEvent } from '../../events/events.ts'

/** What is told of exports. */
export interface ExportEvents {
  /** A user exported all data that is stored about them. */
  exported: AccountEvent
}
