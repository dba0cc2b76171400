import { eachWithDeadline } from '../../http/deadline.ts'
import type { MailProofs } from '../mail/mail-proofs.ts'
import type { Open } from '../feature.ts'
import type { Passwords } from '../passwords/passwords.ts'
import type { Spine } from '../spine.ts'
import type { Changes } from '../users/changes.ts'
import { createResetting } from './resetting.ts'
import { resetPassword } from './reset-password.ts'
import { createResetServices, type ResetServices } from './services.ts'

interface Needs { mail: MailProofs, passwords: Passwords, users: { changes: Changes } }

/** `refusing` are the services where there is no route by which somebody chooses another password. */
export async function open (
  spine: Spine, { mail, passwords, users: { changes } }: Needs, refusing: ResetServices | undefined
): Promise<Open<undefined, { users: ResetServices }>> {
  mail.mailing.worker.recipients.reset = mail.findAsked({
    purpose: 'reset', event: 'reset-asked', bindsEpoch: true,
  })
  const reset = createResetting(spine, mail.reclaim, mail.mailing)
  return {
    face: undefined,
    services: { users: refusing ?? eachWithDeadline(createResetServices(spine, mail.mailing, changes)) },
    routes: { resetPassword: resetPassword(spine, { mail, passwords, reset }) },
  }
}
