import type { AccountEvent } from '../../events/events.ts'

/** What is told of users. */
export interface UserEvents {
  /** The roles of a user were changed. */
  'roles-changed': AccountEvent
  /** A user was disabled, and all sessions have ended. */
  'user-disabled': AccountEvent
  /** A user was enabled. */
  'user-enabled': AccountEvent
  /** The user name, the address or the app's own fields of a user were changed. */
  'user-changed': AccountEvent
  /** A user was deleted, by an admin or by code. */
  'user-deleted': AccountEvent
}
