import type { AccountEvent } from '../../events/events.ts'

/** What is told of passwords. */
export interface PasswordEvents {
  /**
   * A password was wrong, at a login or where it had to be given again (`confirm`), or a second factor after it
   * (`factor`), or a passkey (`passkey`). Without a `userId`: nobody has that name, or it is not known whose passkey it
   * is.
   */
  'login-failed': AccountEvent<'login' | 'confirm' | 'factor' | 'passkey'>
  /** A user has another password. */
  'password-changed': AccountEvent
}
