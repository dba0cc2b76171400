import type { EntityManager } from '@mikro-orm/core'
import type { Client } from '../../http/request.ts'
import { ProofInvalid } from '../../one-time/errors.ts'
import { lives, type Purpose } from '../../one-time/purposes.ts'
import type { OneTimeRow } from '../../one-time/rows.ts'
import { User } from '../../users/entity.ts'
import type { MailProofs } from '../mail/mail-proofs.ts'
import type { Spine } from '../spine.ts'
import type { Addresses } from './addresses.ts'

/** How an account gets another address, and its old one back. */
export interface Changing {
  /**
   * Gives a user the address of a proof.
   * @throws {ProofInvalid} where it does not hold any more: of many at once one alone succeeds
   * @throws {UserExists} where somebody else has the address meanwhile, found by the database
   */
  change: (proof: OneTimeRow, client: Client) => Promise<void>
  /**
   * Uses up a proof of the address of before, which agrees to another one; `within` is called in the transaction.
   * @throws {ProofInvalid}
   */
  agree: (proof: OneTimeRow, within: (tx: EntityManager, user: User) => Promise<void>) => Promise<void>
  /**
   * Gives a user the address of before again, ends every session, takes away the ways in that were added since, and
   * has another password chosen by a mail to it: whoever changed it may know the password.
   * @throws {ProofInvalid}
   * @throws {UserExists}
   */
  revert: (proof: OneTimeRow, client: Client) => Promise<void>
}

/** Clocks of processes may differ by so much: what is that much older may have come after it all the same. */
const clocksDifferMs = 60_000

/** What may have been asked for by whoever has changed the address. */
const suspects: Purpose[] = ['verify', 'change', 'reset', 'login', 'restore']

export function createChanging (
  { sessions: { endings, revocationLog }, users: { lookUp, publicUsers, taken } }: Spine,
  { mailing: { oneTimes, localeFor, write: writeMail }, takesBackAlso }: Pick<MailProofs, 'mailing' | 'takesBackAlso'>,
  { tellOld }: Addresses
): Changing {
  /** Runs an act that gives a user the address of a proof, which the unique key of the database may refuse. */
  function storing (proof: OneTimeRow, work: (address: Partial<User>) => Promise<void>): Promise<void> {
    const now = new Date()
    const { userId, address: email, addressKey: emailKey } = proof
    const candidate = { id: userId!, usernameKey: null, emailKey, profile: {}, isNew: false }
    return taken.storing(() => candidate, () =>
      work({ email, emailKey, emailVerifiedAt: now, mailFailedAt: null, updatedAt: now }))
  }

  /** Locks the user before the proof is used, as every transaction does. */
  async function use (tx: EntityManager, proof: OneTimeRow, isGood: (user: User) => boolean): Promise<User> {
    const user = await lookUp.locked(tx, proof.userId!)
    if (!user || user.disabledAt || !isGood(user)) throw new ProofInvalid()
    await oneTimes.use(tx, proof)
    return user
  }

  const isAsAsked = ({ epoch }: OneTimeRow) => (user: User) => user.epoch === epoch && !user.closesAt

  return {
    change: (proof, client) => storing(proof, (address) => revocationLog.record(async (tx, write, note) => {
      const user = await use(tx, proof, isAsAsked(proof))
      await tx.nativeUpdate(User, { id: user.id }, address)
      await tellOld(tx, user, { emailKey: proof.addressKey }, client)
      await write('user', user.id, user.epoch)
      await note({ type: 'email-changed', userId: user.id, client })
    })),

    agree: (proof, within) => revocationLog.record(async (tx) => {
      const isStillTheirs = (user: User) => isAsAsked(proof)(user) && user.emailKey === proof.addressKey
      await within(tx, await use(tx, proof, isStillTheirs))
    }),

    revert: (proof, client) => storing(proof, (address) => revocationLog.record(async (tx, write, note) => {
      // An account that is to be deleted is taken back too: its owner may not have wanted that.
      const user = await use(tx, proof, () => true)
      const change = { ...address, resetDueAt: new Date(), closesAt: null }
      await tx.nativeUpdate(User, { id: user.id }, change)
      await oneTimes.voidOf(tx, user.id, suspects)
      const since = new Date(proof.createdAt.getTime() - clocksDifferMs)
      for (const take of takesBackAlso) await take(tx, user, { since, note, client })
      await endings.endOthers(tx, write, user.id, 'address', undefined, since)
      await note({ type: 'email-reverted', userId: user.id, client })
      if (user.closesAt) await note({ type: 'restored', userId: user.id, client })
      const locale = localeFor(publicUsers.of({ ...user, ...change }), client)
      await writeMail(tx, { kind: 'reset', userId: user.id, client, locale, seconds: lives.reset.seconds })
    })),
  }
}
