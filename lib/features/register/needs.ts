import type { OnRegister } from '../../sessions/options.ts'
import type { Addresses } from '../email/addresses.ts'
import type { MailProofs } from '../mail/mail-proofs.ts'
import type { Passwords } from '../passwords/passwords.ts'
import type { Limits } from '../throttle/limits.ts'

/** What a registration needs. */
export interface RegisterNeeds {
  throttle: Limits
  passwords: Passwords
  /** Undefined where there are no mails. */
  email: Addresses | undefined
  /** Undefined where there are no mails. */
  mail: MailProofs | undefined
}

/** What the settings say of registrations. */
export interface RegisterSettings {
  hooks: { onRegister?: OnRegister }
  email: { verification: string }
}
