import type { User } from '../../users/entity.ts'
import type { LookUp } from '../../users/look-up.ts'
import { identifierKey } from '../../users/identifiers.ts'
import type { MailProofs } from '../mail/mail-proofs.ts'

/** Says who gets the mails that ask about addresses. */
export function addRecipients ({ findAsked, mailing: { worker } }: MailProofs, { byKey }: LookUp): void {
  worker.recipients.verify = findAsked({
    purpose: 'verify',
    isDisownable: true,
    isFor: ({ emailVerifiedAt, mailFailedAt }) => emailVerifiedAt === null || mailFailedAt !== null,
  })

  // Nothing for who asked before the password became another one, or was signed out everywhere: it may not be them.
  const isFor = ({ epoch }: User, { data }: { data: Record<string, unknown> }) => epoch === data.epoch
  const asked = { purpose: 'change', bindsEpoch: true, isFor } as const

  worker.recipients['change-from'] = findAsked({ ...asked, dataOf: ({ data: { next } }) => ({ next }) })
  worker.recipients.change = findAsked({
    ...asked,
    addressOf: ({ address }) => ({ address: address!, addressKey: identifierKey(address!) }),
    async insteadOf ({ id }, { address }) {
      const holder = await byKey(identifierKey(address!))
      if (!holder || holder.id === id) return
      return { kind: 'address-taken', address: holder.email!, userId: holder.id }
    },
  })
}
