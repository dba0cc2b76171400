import type { AccountEvent } from '../../events/events.ts'

/** What is told of invitations. */
export interface InvitationEvents {
  /** Somebody was invited, by this user or by code. */
  invited: AccountEvent
  /** Somebody accepted an invitation: a new user, or one who was there. */
  'invitation-accepted': AccountEvent
  /** Whoever got an invitation says that it was not for them: it is void. The user is who made it; none for code. */
  'invitation-disowned': AccountEvent
}
