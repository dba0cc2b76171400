import type { EntityManager } from '@mikro-orm/core'
import { Callable } from '../../checks/kinds.ts'
import type { Filled } from '../../checks/slice.ts'
import { linkProblems, withMail, type options as mailOptions } from '../../mail/options.ts'
import type { AccountsUser } from '../../users/public-user.ts'
import { RouteSchema, type RouteSwitch } from '../routes.ts'

/** Writes beside an invitation that is accepted, in its transaction: the place for teams. */
export type OnInvitationAccepted = (
  em: EntityManager, user: AccountsUser, invitation: { data: Record<string, unknown> | null, inviterId: string | null }
) => unknown

export const hooks = {
  onInvitationAccepted: Callable<OnInvitationAccepted>('OnInvitationAccepted', {
    description: 'In the transaction in which an invitation is accepted: put the user into a team with `em`, by the ' +
      '`data` that it was made with. An error of its own with a `statusCode` of 4xx is the answer, any other a 500 ' +
      'that says nothing; then nothing has happened. It may run again when the transaction has to.',
  }),
}

export const routes = {
  invitations: RouteSchema('/invitations', false,
    'Invitations by mail. `POST` and `GET /invitations`, `DELETE /invitations/:id` and `POST /invitations/:id/send` ' +
    'are for users with the role `admin`, `POST /invitations/show` and `POST /invitations/accept` for the others.', {
      method: 'POST', isOfUse: withMail,
    }),
}

/** It is off unless it is asked for: then there has to be mail. */
export function problems (
  { mail, routes: { invitations } }: Filled<Pick<typeof mailOptions, 'mail'>> & { routes: { invitations: RouteSwitch } }
): string[] {
  return invitations ? linkProblems('routes.invitations', 'invite', mail) : []
}

/** What the settings say of invitations. */
export interface InvitationSettings {
  hooks: { onInvitationAccepted?: OnInvitationAccepted }
  routes: Record<string, string>
}
