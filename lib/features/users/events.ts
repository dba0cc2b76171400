import type { AccountEvent } from '../../events/events.ts'

/** What is told of users. */
export interface UserEvents {
  /** A user has other roles. */
  'roles-changed': AccountEvent
  /** A user has lost the right to sign in, and all sessions. */
  'user-disabled': AccountEvent
  /** A user has the right to sign in back. */
  'user-enabled': AccountEvent
  /** The name, the address or the app's own fields of a user were changed. */
  'user-changed': AccountEvent
  /** A user was deleted, by an admin or by code. */
  'user-deleted': AccountEvent
}
