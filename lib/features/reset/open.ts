import type { MailProofs } from '../mail/mail-proofs.ts'
import type { Open } from '../feature.ts'
import type { Passwords } from '../passwords/passwords.ts'
import type { Spine } from '../spine.ts'
import { createResetting } from './resetting.ts'
import { resetPassword } from './reset-password.ts'

export async function open (
  spine: Spine, { mail, passwords }: { mail: MailProofs, passwords: Passwords }
): Promise<Open<undefined, never>> {
  mail.mailing.worker.recipients.reset = mail.findAsked({
    purpose: 'reset', event: 'reset-asked', bindsEpoch: true,
  })
  const reset = createResetting(spine, mail.reclaim, mail.mailing)
  return { face: undefined, routes: { resetPassword: resetPassword(spine, { mail, passwords, reset }) } }
}
