import type { AnyRequest } from '../../http/request.ts'
import type { PublicFields } from '../../users/public-user.ts'
import type { Spine } from '../spine.ts'
import type { BegunMail, MailProofs } from '../mail/mail-proofs.ts'
import type { EmailSettings } from './options.ts'

/** What others do about addresses, where there are mails. */
export interface Addresses {
  /**
   * The mail by which somebody who registers proves their address, to be written with them. Undefined where there is
   * no address, and where none is sent.
   */
  offer: (request: AnyRequest, user: PublicFields) => BegunMail | undefined
  /** Whether those who register get such a mail. */
  isOffered: boolean
}

export function createAddresses (
  { users: { publicUsers } }: Spine, mail: MailProofs, { email: { verification } }: EmailSettings
): Addresses {
  const isOffered = verification === 'offered'

  return {
    isOffered,
    offer: (request, user) => isOffered && user.email !== null
      ? mail.begin(request, { kind: 'verify', purpose: 'verify', challengeId: undefined, user: publicUsers.of(user) })
      : undefined,
  }
}
