import type { Ending } from './revocations.ts'

/** Goes by the log of revocations beside sessions. */
export interface Follower {
  /** Takes in an entry, which may come more than once. */
  apply: (ending: Ending) => void
  /** The log has lost entries that were known: all may be other than it was. */
  reset: () => void
  /** Writes the ends of these ids again, which the database may have lost. */
  restore: (ids: string[]) => Promise<void>
}
