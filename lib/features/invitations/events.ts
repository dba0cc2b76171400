import type { AccountEvent } from '../../events/events.ts'

/** What is told of invitations. */
export interface InvitationEvents {
  /** Somebody was invited, by this user or by code. */
  invited: AccountEvent
  /** Somebody accepted an invitation: a new or an existing user. */
  'invitation-accepted': AccountEvent
  /**
   * The recipient of an invitation said that it was not for them, and it is no longer valid. The user is the one who
   * made it; none for code.
   */
  'invitation-disowned': AccountEvent
}
