import type { EntityManager } from '@mikro-orm/core'
import { Callable } from '../../checks/kinds.ts'
import type { Filled } from '../../checks/slice.ts'
import { linkProblems, withMail, type options as mailOptions } from '../../mail/options.ts'
import type { AccountsUser } from '../../users/public-user.ts'
import { RouteSchema, type RouteSwitch } from '../routes.ts'

/** Called in the transaction in which an invitation is accepted, for example to add the user to a team. */
export type OnInvitationAccepted = (
  em: EntityManager, user: AccountsUser, invitation: { data: Record<string, unknown> | null, inviterId: string | null }
) => unknown

export const hooks = {
  onInvitationAccepted: Callable<OnInvitationAccepted>('OnInvitationAccepted', {
    description: 'Runs in the transaction in which an invitation is accepted: add the user to a team with `em`, ' +
      'using the `data` of the invitation. If it throws an error with a `statusCode` of 4xx, that is the response; ' +
      'any other error is a 500 without details. Then nothing is stored. It may run again if the transaction does.',
  }),
}

export const routes = {
  invitations: RouteSchema('/invitations', false,
    'Invitations by mail. `POST` and `GET /invitations`, `DELETE /invitations/:id` and `POST /invitations/:id/send` ' +
    'are for users with the permission `users:invite`, `POST /invitations/show` and `POST /invitations/accept` for ' +
    'the others.', {
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
