import type { AccountEvent } from '../../events/events.ts'

/** What is told of passwords. */
export interface PasswordEvents {
  /**
   * A password was wrong, at a login or at a confirmation (`confirm`), or a second factor (`factor`), or a passkey
   * (`passkey`). Without a `userId` if no such user exists, or the owner of the passkey is not known.
   */
  'login-failed': AccountEvent<'login' | 'confirm' | 'factor' | 'passkey'>
  /** The password of a user was changed. */
  'password-changed': AccountEvent
}
