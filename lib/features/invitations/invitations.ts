import type { EntityManager } from '@mikro-orm/core'
import { inTransactionOf, transactionOf } from '../../database/transactions.ts'
import { fromRow, selectFrom } from '../../database/statement.ts'
import type { Act } from '../../guards/ranks.ts'
import type { Client } from '../../http/request.ts'
import type { FindRecipient } from '../../mail/delivery.ts'
import { OneTime } from '../../one-time/entity.ts'
import { ProofInvalid } from '../../one-time/errors.ts'
import { lives } from '../../one-time/purposes.ts'
import { isGood, type OneTimeRow } from '../../one-time/rows.ts'
import { createHold, rows } from '../../sessions/revision.ts'
import { isId } from '../../tokens/claims.ts'
import { NotFound } from '../../users/errors.ts'
import { identifierKey, readEmail } from '../../users/identifiers.ts'
import type { MailProofs } from '../mail/mail-proofs.ts'
import type { Spine } from '../spine.ts'
import { invitationOf, keptOf, type Invitation, type Invited } from './invitation.ts'

/** Who asks, and in whose transaction. */
interface Asker {
  inviterId?: string | undefined
  client?: Client | undefined
  em?: EntityManager | undefined
}

/** Invitations: rows without a user, of which one is good for each address. */
export interface Invitations {
  /**
   * Invites an address, or gives the invitation that is good for it already.
   * @throws {InputInvalid} for what is no address, and for what cannot be kept
   * @throws {Forbidden} for an inviter who may not invite, or not give these roles
   */
  create: (invited: Invited, asker?: Asker) => Promise<{ invitation: Invitation, isNew: boolean }>
  /** Those that are good, the newest first. */
  page: (
    limit: number, after?: string, em?: EntityManager
  ) => Promise<{ invitations: Invitation[], next: string | null }>
  /**
   * Withdraws an invitation.
   * @throws {NotFound}
   */
  revoke: (id: string, em?: EntityManager) => Promise<void>
  /**
   * Sends the mail of an invitation again.
   * @throws {NotFound}
   */
  send: (id: string, em?: EntityManager) => Promise<void>
  /**
   * What a proof of an invitation holds, while whoever made it may still invite.
   * @throws {ProofInvalid}
   */
  read: (proof: OneTimeRow) => Promise<Invitation>
  /**
   * Makes an invitation void of which whoever got it says that it was not for them.
   * @throws {ProofInvalid} where it is not good any more
   */
  disown: (proof: OneTimeRow, client: Client) => Promise<void>
  findRecipient: FindRecipient
}

export function createInvitations (
  { database, events, ranks, users: { lookUp, permissions } }: Spine,
  { mailing: { oneTimes, write }, mayGo }: MailProofs,
  { isDisownable }: { isDisownable: boolean }
): Invitations {
  const hold = createHold(database, rows.invitations)

  /** Those of a condition that are good. */
  async function find (tx: EntityManager, where: object, limit: number): Promise<OneTimeRow[]> {
    const good = { user: null, purpose: 'invite', usedAt: null, expiresAt: { $gt: new Date() } }
    const found = await selectFrom<object>(tx, OneTime).select('*').where({ ...good, ...where })
      .orderBy({ id: 'desc' }).limit(limit).execute('all', false)
    return found.map((row) => fromRow(tx, OneTime, row) as unknown as OneTimeRow)
  }

  async function findOne (tx: EntityManager, id: string): Promise<OneTimeRow> {
    const [found] = isId(id) ? await find(tx, { id }, 1) : []
    if (!found) throw new NotFound()
    return found
  }

  /** Whether whoever has made an invitation may still invite, and give its roles. */
  async function mayInvite (proof: OneTimeRow): Promise<boolean> {
    const { inviterId, roles } = invitationOf(proof)
    if (inviterId === null) return true
    const inviter = await lookUp.byId(inviterId)
    const isThere = inviter && inviter.disabledAt === null && inviter.closesAt === null
    const may = permissions.of(inviter?.roles ?? [])
    return Boolean(isThere && may.has('users:invite') && permissions.areWithin(roles, may))
  }

  function mailFor ({ id: oneTimeId, address }: OneTimeRow, client?: Client) {
    return { kind: 'invite', address, oneTimeId, client, seconds: lives.invite.seconds } as const
  }

  return {
    async create ({ email, ...invited }, { inviterId = null, client, em } = {}) {
      const address = readEmail(email)
      const data = keptOf(invited, inviterId)
      const addressKey = identifierKey(address)
      const made = await transactionOf(database, em)(async (tx) => {
        const act: Act | null = inviterId === null ? null : { actorId: inviterId, needs: ['users:invite'] }
        const requireWithin = act && await ranks.judge(tx, act)
        requireWithin?.(invited.roles ?? [])
        // Two who invite one address at once wait for each other.
        await hold(tx)
        const [living] = await find(tx, { addressKey }, 1)
        if (living) return { row: living, isNew: false }

        const row = await oneTimes.make(tx, { purpose: 'invite', address, addressKey, data })
        await events.write(tx, { type: 'invited', userId: inviterId ?? undefined, client })
        await write(tx, mailFor(row, client))
        return { row, isNew: true }
      })
      const tell = () => events.tell({ type: 'invited', userId: inviterId ?? undefined, client })
      if (made.isNew && em?.isInTransaction()) database.commits.after(em, tell)
      else if (made.isNew) tell()
      return { invitation: invitationOf(made.row), isNew: made.isNew }
    },

    async page (limit, after, em) {
      const where = isId(after) ? { id: { $lt: after } } : {}
      const found = await inTransactionOf(database, em)((tx) => find(tx, where, limit + 1))
      const page = found.slice(0, limit)
      return { invitations: page.map(invitationOf), next: found.length > limit ? page.at(-1)!.id : null }
    },

    async revoke (id, em) {
      const spent = isId(id) && await inTransactionOf(database, em)((tx) => tx.nativeUpdate(
        OneTime, { id, purpose: 'invite', usedAt: null, expiresAt: { $gt: new Date() } }, { usedAt: new Date() }))
      if (spent !== 1) throw new NotFound()
    },

    async send (id, em) {
      await transactionOf(database, em)(async (tx) => write(tx, mailFor(await findOne(tx, id))))
    },

    async read (proof) {
      if (!await mayInvite(proof)) throw new ProofInvalid()
      return invitationOf(proof)
    },

    async disown (proof, client) {
      const happening = { type: 'invitation-disowned', userId: invitationOf(proof).inviterId ?? undefined, client }
      await database.transaction(async (tx) => {
        await oneTimes.use(tx, proof)
        await events.write(tx, happening)
      })
      events.tell(happening)
    },

    async findRecipient (mail) {
      const proof = await database.run((em) => oneTimes.find(em, mail.oneTimeId!))
      if (!proof || !isGood(proof) || !await mayInvite(proof)) return
      const turn = await mayGo(mail, proof.addressKey)
      if (turn !== 'now') return turn
      const { message } = invitationOf(proof)
      return { address: proof.address, proof, isDisownable, ...message !== null && { message } }
    },
  }
}
