import { eachWithDeadline } from '../../http/deadline.ts'
import type { AddRoutes, Open } from '../feature.ts'
import type { MailProofs } from '../mail/mail-proofs.ts'
import type { Passwords } from '../passwords/passwords.ts'
import type { StoreRegistration } from '../register/registering.ts'
import type { Spine } from '../spine.ts'
import type { Limits } from '../throttle/limits.ts'
import { accepting } from './accepting.ts'
import { createInvitations } from './invitations.ts'
import { inviting } from './inviting.ts'
import type { InvitationSettings } from './options.ts'
import { createInvitationServices, type InvitationServices } from './services.ts'

interface Needs {
  throttle: Limits
  passwords: Passwords
  register: { store: StoreRegistration }
  /** Undefined where there are no mails. */
  mail: MailProofs | undefined
}

export async function open (
  spine: Spine, settings: InvitationSettings, { throttle, passwords, register: { store }, mail }: Needs
): Promise<Open<undefined, { invitations: InvitationServices }>> {
  // Who has no page for those who are invited can invite nobody.
  const hasPage = mail?.mailing.settings.links.invite !== undefined
  const invitations = mail && hasPage ? createInvitations(spine, mail) : undefined
  const services = { invitations: eachWithDeadline(createInvitationServices(spine, invitations)) }
  if (!mail || !invitations) return { face: undefined, services }

  mail.mailing.worker.recipients.invite = invitations.findRecipient
  const ofAdmins = inviting(spine, invitations, throttle)
  const ofInvited = accepting(spine, settings, { throttle, mail, passwords, invitations, store })
  const add: AddRoutes = (scope, path) => [ofAdmins, ofInvited].forEach((each) => each(scope, path))
  return { face: undefined, services, routes: { invitations: add } }
}
