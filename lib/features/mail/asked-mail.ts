import type { Client } from '../../http/request.ts'
import type { Recipient } from '../../mail/compose.ts'
import type { MailRow } from '../../mail/entity.ts'
import type { Mailing } from '../../mail/mail.ts'
import type { FindRecipient } from '../../mail/delivery.ts'
import type { Purpose } from '../../one-time/purposes.ts'
import { isGoodOf, type OneTimeRow } from '../../one-time/rows.ts'
import type { User } from '../../users/entity.ts'
import type { Spine } from '../spine.ts'
import type { MayGo } from './turns.ts'

/** A kind of mail that somebody asks for, and what is proved by it. */
export interface AskedKind {
  purpose: Purpose
  /** Whether all that ends the user's sessions makes it void too. */
  bindsEpoch?: boolean
  /** The event that tells that it is on its way. */
  event?: string
  /** Whether whoever gets it by mistake can say so. */
  isDisownable?: boolean
  /** Whether a user gets it, as they are when it is sent. */
  isFor?: (user: User, mail: MailRow) => boolean
  /** Where it goes, if not to the user's own address. */
  addressOf?: (mail: MailRow, user: User) => { address: string, addressKey: string }
  /** What more the proof is of. */
  dataOf?: (mail: MailRow) => Record<string, unknown>
  /** Who gets another kind of mail in its place. */
  insteadOf?: (user: User, mail: MailRow) => Promise<Recipient | undefined>
}

interface AskedParts {
  spine: Pick<Spine, 'database' | 'events' | 'users'>
  mailing: Mailing
  mayGo: MayGo
}

/**
 * Finds out who gets a mail that somebody has asked for, and makes what it proves. The one who asked has been answered
 * by then: nothing of this can be seen or timed from outside.
 */
export function createFindAsked (
  { spine: { database, events, users: { lookUp } }, mailing: { oneTimes, outbox, settings }, mayGo }: AskedParts
): (asked: AskedKind) => FindRecipient {
  /** Says to an address that it has no account, as often as it would get a mail with one. */
  async function unknownAt (mail: MailRow): Promise<Recipient | { later: number } | undefined> {
    const isTold = mail.identifierKey !== null && mail.address !== null && settings.unknown === 'tell'
    if (!isTold) return
    const turn = await mayGo(mail, mail.identifierKey!)
    return turn === 'now' ? { address: mail.address!, kind: 'unknown' } : turn
  }

  return (asked) => {
    const { purpose, event, bindsEpoch = false, isDisownable = false, addressOf = own, dataOf, insteadOf } = asked
    const { isFor = () => true } = asked

    /** Also where a mail has failed: what comes back of it proves that the address takes mails again. */
    const isTo = (user: User, mail: MailRow) => !user.disabledAt && !user.closesAt &&
      (addressOf !== own || user.email !== null) && isFor(user, mail)

    /**
     * The one that an earlier try has found. Nobody gets a link that became void meanwhile: it was used, another one
     * was, or the user has another address, was signed out everywhere, or is disabled.
     */
    async function foundBefore (mail: MailRow): Promise<Recipient | undefined> {
      const proof = await database.run((em) => oneTimes.find(em, mail.oneTimeId!))
      const user = proof && await lookUp.byId(proof.userId!)
      if (!user || !isGoodOf(user, proof) || !isTo(user, mail)) return
      if (addressOf === own && user.emailKey !== proof.addressKey) return
      return { address: proof.address, proof, userId: user.id, isDisownable }
    }

    async function make (mail: MailRow, user: User): Promise<OneTimeRow | undefined> {
      const { address, addressKey } = addressOf(mail, user)
      return database.transaction(async (tx) => {
        const locked = await lookUp.locked(tx, user.id)
        if (!locked || !isTo(locked, mail) || locked.emailKey !== user.emailKey) return
        const data = dataOf?.(mail)
        const { challenge } = mail
        const wanted = { purpose, user: locked, address, addressKey, challenge, bindsEpoch, ...data && { data } }
        const made = await oneTimes.make(tx, wanted)
        await outbox.address(tx, mail.id, { userId: user.id, address, oneTimeId: made.id })
        return made
      })
    }

    return async (mail) => {
      if (mail.oneTimeId !== null) return foundBefore(mail)

      const user = await (mail.userId === null ? lookUp.byKey(mail.identifierKey!) : lookUp.byId(mail.userId))
      if (!user) return unknownAt(mail)
      if (!isTo(user, mail)) return
      const turn = await mayGo(mail, addressOf(mail, user).addressKey, user.id)
      if (turn !== 'now') return turn

      const instead = await insteadOf?.(user, mail)
      if (instead) return instead
      const proof = await make(mail, user)
      if (!proof) return
      if (event) await events.happen({ type: event, userId: user.id, client: clientIn(mail) })
      return { address: proof.address, proof, userId: user.id, isDisownable }
    }
  }
}

/** Where it was asked for. */
function clientIn ({ data }: MailRow): Client {
  const { ip } = data as { ip?: string | null }
  return { ip: ip ?? undefined }
}

function own (_: MailRow, { email, emailKey }: User) {
  return { address: email!, addressKey: emailKey! }
}
