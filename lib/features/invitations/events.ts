import type { AccountEvent } from '../../events/events.ts'

/** What is told of invitations. */
export interface InvitationEvents {
  /** Somebody was invited, by this user or by code. */
  invited: AccountEvent
  /** Somebody accepted an invitation: a new user, or one who was there. */
  'invitation-accepted': AccountEvent
}
