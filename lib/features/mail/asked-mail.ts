import type { Client } from '../../http/request.ts'
import type { Recipient } from '../../mail/compose.ts'
import { MailRow } from '../../mail/entity.ts'
import type { MailKind } from '../../mail/kinds.ts'
import type { Mailing } from '../../mail/mail.ts'
import type { FindRecipient } from '../../mail/delivery.ts'
import type { Purpose } from '../../one-time/purposes.ts'
import type { OneTimeRow } from '../../one-time/rows.ts'
import type { User } from '../../users/entity.ts'
import type { Spine } from '../spine.ts'
import type { Limits } from '../throttle/limits.ts'

/** A kind of mail that somebody asks for, and what is proved by it. */
export interface AskedKind {
  kind: MailKind
  purpose: Purpose
  /** Whether all that ends the user's sessions makes it void too. */
  bindsEpoch?: boolean
  /** The event that tells that it is on its way. */
  event?: string
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
  throttle: Limits
}

/**
 * Finds out who gets a mail that somebody has asked for, and makes what it proves. The one who asked has been answered
 * by then: nothing of this can be seen or timed from outside.
 */
export function createFindAsked (
  { spine: { database, events, users: { lookUp } }, mailing: { oneTimes, outbox, settings }, throttle }: AskedParts
): (asked: AskedKind) => FindRecipient {
  /** Whoever asks again before the first mail is sent gets one. */
  async function isWaiting ({ id, kind, challenge }: MailRow): Promise<boolean> {
    if (challenge === null) return false
    const others = { kind, challenge, dueAt: { $ne: null }, id: { $lt: id } }
    return await database.run((em) => em.count(MailRow, others, { connectionType: 'write' })) > 0
  }

  async function find (mail: MailRow): Promise<User | null> {
    return mail.userId === null ? lookUp.byKey(mail.identifierKey!) : lookUp.byId(mail.userId)
  }

  /** The row that an earlier try has made. */
  async function proofOf ({ oneTimeId, address }: MailRow): Promise<Recipient | undefined> {
    const proof = await database.run((em) => oneTimes.find(em, oneTimeId!))
    return proof && proof.usedAt === null
      ? { address: address!, proof, userId: proof.userId! }
      : undefined
  }

  return (asked) => async (mail) => {
    const { kind, purpose, event, bindsEpoch = false, addressOf = own, dataOf, insteadOf } = asked
    const { isFor = () => true } = asked
    // Also one that has failed: what comes back of it proves that it takes mails again.
    const isTo = (user: User) => !user.disabledAt && !user.closesAt &&
      (addressOf !== own || user.email !== null) && isFor(user, mail)
    if (mail.oneTimeId !== null) return proofOf(mail)

    const user = await find(mail)
    if (!user || !isTo(user)) {
      const isToldOf = !user && mail.identifierKey !== null && mail.address !== null && settings.unknown === 'tell'
      return isToldOf ? unknownAt(mail) : undefined
    }
    const { address, addressKey } = addressOf(mail, user)
    const waitMs = await throttle.mailTo(addressKey)
    if (waitMs === Infinity) {
      await events.happen({ type: 'mail-suppressed', userId: user.id, details: { kind } })
      return
    }
    if (waitMs > 0) return await isWaiting(mail) ? undefined : { later: waitMs }

    const instead = await insteadOf?.(user, mail)
    if (instead) return instead
    const proof = await database.transaction(async (tx): Promise<OneTimeRow | undefined> => {
      const locked = await lookUp.locked(tx, user.id)
      if (!locked || !isTo(locked) || locked.emailKey !== user.emailKey) return
      const data = dataOf?.(mail)
      const { challenge } = mail
      const wanted = { purpose, user: locked, address, addressKey, challenge, bindsEpoch, ...data && { data } }
      const made = await oneTimes.make(tx, wanted)
      await outbox.address(tx, mail.id, { userId: user.id, address, oneTimeId: made.id })
      return made
    })
    if (!proof) return
    if (event) await events.happen({ type: event, userId: user.id, client: clientIn(mail) })
    return { address, proof, userId: user.id }
  }

  /** Says to an address that it has no account, as often as it would get a mail with one. */
  async function unknownAt ({ address, identifierKey }: MailRow): Promise<Recipient | { later: number } | undefined> {
    const waitMs = await throttle.mailTo(identifierKey!)
    if (waitMs === Infinity) return
    return waitMs > 0 ? { later: waitMs } : { address: address!, kind: 'unknown' }
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
