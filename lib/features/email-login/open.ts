import type { Open } from '../feature.ts'
import type { MailProofs } from '../mail/mail-proofs.ts'
import type { Spine } from '../spine.ts'
import type { Limits } from '../throttle/limits.ts'
import { emailLogin } from './email-login.ts'

export async function open (
  spine: Spine, { mail, throttle }: { mail: MailProofs, throttle: Limits }
): Promise<Open<undefined, never>> {
  mail.mailing.worker.recipients.login = mail.findAsked({ purpose: 'login', bindsEpoch: true })
  return { face: undefined, routes: { emailLogin: emailLogin(spine, mail, throttle) } }
}
