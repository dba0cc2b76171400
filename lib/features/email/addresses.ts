import type { EntityManager } from '@mikro-orm/core'
import type { AnyRequest, Client } from '../../http/request.ts'
import { isReachable } from '../../mail/reachable.ts'
import { lives } from '../../one-time/purposes.ts'
import type { User } from '../../users/entity.ts'
import type { PublicFields } from '../../users/public-user.ts'
import type { BegunMail } from '../mail/asking.ts'
import type { MailProofs } from '../mail/mail-proofs.ts'
import type { Spine } from '../spine.ts'
import type { EmailSettings } from './options.ts'

/** What others do about addresses, where there are mails. */
export interface Addresses {
  /** Whether those who register with an address get a mail by which they prove it. */
  isOffered: boolean
  /** That mail, to be written with a new user. Undefined where none is sent. */
  offer: (request: AnyRequest, user: PublicFields) => BegunMail | undefined
  /**
   * In the transaction that has changed a user: tells the address of before, if it is another one and was proved to be
   * theirs, with a link that takes the account back.
   */
  tellOld: (tx: EntityManager, before: User, after: Pick<User, 'emailKey'>, client?: Client) => Promise<void>
}

type Settings = EmailSettings & { routes: Record<string, string> }

export function createAddresses (
  { users: { publicUsers } }: Spine, mail: MailProofs, { email: { verification }, routes }: Settings
): Addresses {
  const { oneTimes, notify, tellsOf } = mail.mailing
  const isOffered = verification === 'offered'
  // A notice without its link would only frighten.
  const isTold = tellsOf('emailChanged') && routes.changeEmail !== undefined

  return {
    isOffered,

    offer: (request, user) => isOffered && user.email !== null
      ? mail.begin(request, { kind: 'verify', purpose: 'verify', challengeId: undefined, user: publicUsers.of(user) })
      : undefined,

    async tellOld (tx, before, after, client) {
      if (!isTold || before.emailKey === after.emailKey || !before.emailVerifiedAt || !isReachable(before)) return
      const address = before.email!
      const wanted = { purpose: 'revert', user: before, address, addressKey: before.emailKey! } as const
      const { id: oneTimeId } = await oneTimes.make(tx, wanted)
      await notify(tx, 'emailChanged', before, { client, address, oneTimeId, seconds: lives.revert.seconds })
    },
  }
}
