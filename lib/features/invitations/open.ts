import { eachWithDeadline } from '../../http/deadline.ts'
import type { AddRoutes, Open } from '../feature.ts'
import type { MailProofs } from '../mail/mail-proofs.ts'
import type { Passwords } from '../passwords/passwords.ts'
import type { OpenAccount } from '../register/opening.ts'
import type { Spine } from '../spine.ts'
import type { Limits } from '../throttle/limits.ts'
import { acceptInvitation } from './accept-invitation.ts'
import { createInvitations } from './invitations.ts'
import { inviting } from './inviting.ts'
import { createJoin } from './joining.ts'
import type { InvitationSettings } from './options.ts'
import { createInvitationServices, type InvitationServices } from './services.ts'
import { showInvitation } from './show-invitation.ts'

interface Needs {
  throttle: Limits
  passwords: Passwords
  register: { openAccount: OpenAccount }
  /** Undefined where there are no mails. */
  mail: MailProofs | undefined
}

export async function open (
  spine: Spine, settings: InvitationSettings, { throttle, passwords, register: { openAccount }, mail }: Needs
): Promise<Open<undefined, { invitations: InvitationServices }>> {
  // Who has no page for those who are invited can invite nobody.
  const hasPage = mail?.mailing.settings.links.invite !== undefined
  const isDisownable = settings.routes.verifyEmail !== undefined
  const invitations = mail && hasPage ? createInvitations(spine, mail, { isDisownable }) : undefined
  const services = { invitations: eachWithDeadline(createInvitationServices(spine, invitations)) }
  if (!mail || !invitations) return { face: undefined, services }

  mail.mailing.worker.recipients.invite = invitations.findRecipient
  mail.disownActs.invite = invitations.disown
  const join = createJoin(spine, mail.mailing, settings)
  const each = [
    inviting(spine, invitations, throttle),
    showInvitation(mail, invitations),
    acceptInvitation(spine, settings, { mail, passwords, invitations, openAccount, join }),
  ]
  const add: AddRoutes = (scope, path) => each.forEach((addOne) => addOne(scope, path))
  return { face: undefined, services, routes: { invitations: add } }
}
