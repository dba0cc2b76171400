import type { AccountEvent } from '../../events/events.ts'

/** What is told of passwords. */
export interface PasswordEvents {
  /**
   * A password was wrong, at a login or where it had to be given again (`confirm`), or a second factor after it
   * (`factor`). Without a `userId`: nobody has that name.
   */
  'login-failed': AccountEvent<'login' | 'confirm' | 'factor'>
  /** A user has another password. */
  'password-changed': AccountEvent
}
