import type { EntityManager } from '@mikro-orm/core'
import { selectFrom } from '../../database/statement.ts'
import { inTransactionOf, transactionOf, type InTransaction } from '../../database/transactions.ts'
import { InputInvalid, OptionsInvalid } from '../../http/errors.ts'
import { knownOptions } from '../../http/service-options.ts'
import { MailRow } from '../../mail/entity.ts'
import type { AnyMailKind } from '../../mail/kinds.ts'
import type { Mailing } from '../../mail/mail.ts'
import { isGood, isGoodOf } from '../../one-time/rows.ts'
import { User } from '../../users/entity.ts'
import { NotFound } from '../../users/errors.ts'
import { identifierKey } from '../../users/identifiers.ts'
import { isOwnKind, ownMailSeconds, sendable } from './own-mail.ts'
import { createStoredMails, type MailInfo } from './stored-mails.ts'
import type { Spine } from '../spine.ts'

/** Mails. Unknown options throw `OptionsInvalid`, and so does every call if mail is off. */
export interface MailServices {
  /**
   * Writes a mail to a user, which is sent once the transaction is committed: `reset` or `verify`, with a link, or a
   * kind of your own with a template in `mail.templates`, which receives `data`. Disabled users get no mail.
   * @throws {NotFound}
   * @throws {OptionsInvalid} for another kind
   */
  send: (
    kind: AnyMailKind, user: string | { id: string }, data?: Record<string, unknown>, options?: InTransaction
  ) => Promise<{ id: string }>
  /**
   * Sends a mail now that was given up, or that waits for its next attempt.
   * @throws {NotFound} for a mail that does not exist, was sent, or whose link has expired
   */
  retry: (id: string, options?: InTransaction) => Promise<void>
  /**
   * Reports that an address does not accept mails, as your mail service tells you: its user gets no notices until they
   * verify it again. An unknown address has no effect.
   */
  failed: (bounce: { address: string, kind?: 'bounce' | 'complaint' }, options?: InTransaction) => Promise<void>
  /** A mail by its id; null if there is none. */
  find: (id: string, options?: InTransaction) => Promise<MailInfo | null>
  /**
   * Lists mails of the last month, the newest first: a page of `limit` (1 to 100, default 50), of one `state` if given,
   * after the one with the id `after`, which is the `next` of the previous page.
   * @throws {InputInvalid}
   */
  list: (
    options?: InTransaction & { state?: MailInfo['state'], limit?: number, after?: string }
  ) => Promise<{ mails: MailInfo[], next: string | null }>
}

export function createMailServices (
  { database, events, input, users: { lookUp, publicUsers } }: Spine,
  { oneTimes, settings, localeFor, write, worker }: Mailing
): MailServices {
  const stored = createStoredMails(database, input)

  function emOf (call: string, options: InTransaction = {}): EntityManager | undefined {
    return knownOptions(`mail.${call}`, ['em'], options).em
  }

  /** Whether what the link of a mail is of still holds, of its user as they are now. */
  async function isProofGood (id: string, em: EntityManager | undefined): Promise<boolean> {
    const proof = await inTransactionOf(database, em)((tx) => oneTimes.find(tx, id))
    const user = proof?.userId ? await lookUp.byId(proof.userId, em) : undefined
    return proof !== undefined && (user ? isGoodOf(user, proof) : isGood(proof))
  }

  /** Whether another link can be made where the one of this mail is over. */
  const isMadeAgain = ({ kind, userId }: MailRow) => userId !== null && sendable.includes(kind)

  return {
    async send (kind, user, data, options) {
      const em = emOf('send', options)
      const isOwn = isOwnKind(kind, settings)
      if (!isOwn && !(sendable.includes(kind) && worker.recipients[kind])) {
        throw new OptionsInvalid(`mail.send() knows no kind ${kind}: give it a template in mail.templates`)
      }
      const found = await lookUp.byId(typeof user === 'string' ? user : user.id, em)
      if (!found) throw new NotFound()
      const id = await transactionOf(database, em)((tx) => write(tx, {
        kind,
        userId: found.id,
        locale: localeFor(publicUsers.of(found), undefined),
        seconds: ownMailSeconds,
        ...data && { data: { own: data } },
      }))
      return { id }
    },

    async retry (id, options) {
      const em = emOf('retry', options)
      const row = await stored.row(id, em)
      if (!row || row.sentAt) throw new NotFound()
      const isOver = row.oneTimeId !== null && !await isProofGood(row.oneTimeId, em)
      if (isOver && !isMadeAgain(row)) throw new NotFound()
      const now = Date.now()
      await transactionOf(database, em)(async (tx) => {
        // One that is being sent just now goes on.
        await tx.nativeUpdate(MailRow, { id, sentAt: null, claim: null }, {
          dueAt: now,
          failedAt: null,
          error: null,
          tries: 0,
          expiresAt: new Date(Math.max(row.expiresAt.getTime(), now + ownMailSeconds * 1000)),
          ...isOver && { oneTimeId: null },
        })
        database.commits.after(tx, () => worker.wake())
      })
    },

    async failed (bounce, options) {
      const em = emOf('failed', options)
      const { address, kind = 'bounce', ...more } = bounce
      if (typeof address !== 'string' || !['bounce', 'complaint'].includes(kind) || Object.keys(more).length > 0) {
        throw new InputInvalid('body must be { address, kind }, and kind bounce or complaint')
      }
      const emailKey = identifierKey(address)
      await transactionOf(database, em)(async (tx) => {
        const [found] = await selectFrom<{ id: string }>(tx, User).select('id').where({ emailKey }).execute('all')
        if (!found) return
        await tx.nativeUpdate(User, { id: found.id, emailKey }, { mailFailedAt: new Date() })
        const happening = { type: 'mail-failed', userId: found.id, data: { kind, error: 'returned' } }
        database.commits.after(tx, () => { events.happen(happening) })
      })
    },

    find: async (id, options) => stored.find(id, emOf('find', options)),

    async list (options = {}) {
      const { em, ...given } = knownOptions('mail.list', ['em', 'state', 'limit', 'after'], options)
      return stored.list(given, em)
    },
  }
}
