import type { Enroller } from '../factors/enrolling.ts'

/** What the challenge of a new passkey belongs to: the session or the ticket that asks for it, and the user. */
export function bindingOf (enroller: Enroller): string {
  return `${'ticket' in enroller ? enroller.ticket.jti : enroller.claims.sid} ${enroller.user.id}`
}
