import type { Open } from '../feature.ts'
import type { Factors } from '../factors/factors.ts'
import type { MailProofs } from '../mail/mail-proofs.ts'
import type { Spine } from '../spine.ts'
import { createAddresses, type Addresses } from './addresses.ts'
import { changeEmail } from './change-email.ts'
import { createChanging } from './changing.ts'
import type { EmailSettings } from './options.ts'
import { addRecipients } from './recipients.ts'
import { verifyEmail } from './verify-email.ts'
import { createVerifying } from './verifying.ts'

interface Needs {
  mail: MailProofs
  /** Undefined where nobody has a second factor. */
  factors: Factors | undefined
}

export async function open (
  spine: Spine, settings: EmailSettings & { routes: Record<string, string> }, { mail, factors }: Needs
): Promise<Open<Addresses | undefined, never>> {
  addRecipients(mail, spine.users.lookUp)
  const addresses = createAddresses(spine, mail, settings)
  const changing = createChanging(spine, mail, addresses)
  const { confirmOld } = settings.email
  if (factors) mail.takesBackAlso.push(factors.takeBack)

  return {
    face: addresses,
    routes: {
      verifyEmail: verifyEmail(spine, { mail, factors, verifying: createVerifying(spine, mail.mailing) }),
      changeEmail: changeEmail(spine, { mail, changing, confirmOld }),
    },
  }
}
