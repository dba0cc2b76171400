import type { Open } from '../feature.ts'
import type { MailProofs } from '../mail/mail-proofs.ts'
import type { Spine } from '../spine.ts'
import { createAddresses, type Addresses } from './addresses.ts'
import type { EmailSettings } from './options.ts'
import { verifyEmail } from './verify-email.ts'
import { createVerifying } from './verifying.ts'

export async function open (
  spine: Spine, settings: EmailSettings, { mail }: { mail: MailProofs }
): Promise<Open<Addresses | undefined, never>> {
  mail.mailing.worker.recipients.verify = mail.findAsked({
    kind: 'verify',
    purpose: 'verify',
    mayHaveFailed: true,
    isFor: ({ emailVerifiedAt, mailFailedAt }) => emailVerifiedAt === null || mailFailedAt !== null,
  })
  return {
    face: createAddresses(spine, mail, settings),
    routes: { verifyEmail: verifyEmail(spine, mail, createVerifying(spine, mail.mailing)) },
  }
}
