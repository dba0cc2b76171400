import { raw, type EntityManager } from '@mikro-orm/core'
import { v7 as uuid } from 'uuid'
import type { Database } from '../database/database.ts'
import { fromRow, selectFrom } from '../database/statement.ts'
import { storable, type Client } from '../http/request.ts'
import { browserOf } from './browser.ts'
import { MailRow } from './entity.ts'
import type { AnyMailKind } from './kinds.ts'

/** A mail that is to be sent. */
export interface NewMail {
  kind: AnyMailKind
  /** Whom it is for, where that is known. */
  userId?: string
  /** Where it goes, if not to the address that the user has when it is sent. */
  address?: string
  /** Whom somebody asked for who is not signed in, as a hash of what they typed. */
  identifierKey?: string
  oneTimeId?: string
  /** The hash of the challenge of whoever asked. */
  challenge?: string
  locale: string
  client?: Client | undefined
  /** More that its text says. No secret. */
  data?: Record<string, unknown>
  /** In how many ms it is sent. Default at once. */
  delayMs?: number
  /** For how long it makes sense to send it, in seconds. */
  seconds: number
}

/** What is to change of a mail whose recipient has been found out. */
export type Addressed = Partial<Pick<MailRow, 'userId' | 'address' | 'oneTimeId'>>

/** How mails lie that are to be sent, and failed ones. */
export interface OutboxCounts {
  /** Mails that are due and not sent yet. */
  due: number
  /** How long the oldest of them has waited, in ms. */
  oldestMs: number
  /** Mails of the last month that were given up. */
  failed: number
}

/**
 * Mails that are to be sent. A process claims those that it sends for a while; when it dies, others send them, so a
 * mail may arrive twice and is never lost.
 */
export interface Outbox {
  /** Adds a mail, in the transaction of what it tells of. Gives its id. */
  write: (tx: EntityManager, mail: NewMail) => Promise<string>
  /** Claims mails of these kinds that are due in `aheadMs` at the latest, the oldest first. */
  claim: (kinds: string[], most: number, aheadMs: number) => Promise<MailRow[]>
  /** Notes who gets a mail, in the transaction that has made what it proves. */
  address: (tx: EntityManager, id: string, change: Addressed) => Promise<void>
  sent: (mail: MailRow) => Promise<void>
  /** To be sent later. `isTry` says whether it was tried. */
  later: (mail: MailRow, ms: number, error?: string, isTry?: boolean) => Promise<void>
  failed: (mail: MailRow, error: string) => Promise<void>
  /** There is nobody to get it. */
  drop: (mail: MailRow) => Promise<void>
  count: () => Promise<OutboxCounts>
}

/** For how long a claim holds. No mail takes as long. */
export const leaseMs = 90_000

export function createOutbox (database: Database): Outbox {
  const insert = database.statement(({ query, all }) => query(MailRow).insert(all(MailRow)))

  /** Only while it is still ours: a slow process must not write over what another one has done. */
  async function settle ({ id, claim }: MailRow, change: object): Promise<void> {
    await database.run((em) => em.nativeUpdate(MailRow, { id, claim }, { ...change, claim: null }))
  }

  return {
    async write (tx, { kind, locale, client = {}, data, delayMs = 0, seconds, ...given }) {
      const { ip, userAgent } = storable(client)
      const now = Date.now()
      const id = uuid()
      await insert.run(tx, {
        id,
        kind,
        userId: given.userId ?? null,
        address: given.address ?? null,
        identifierKey: given.identifierKey ?? null,
        oneTimeId: given.oneTimeId ?? null,
        challenge: given.challenge ?? null,
        locale,
        data: JSON.stringify({ ...data, at: now, ip, browser: browserOf(userAgent) }),
        claim: null,
        dueAt: now + Math.round(delayMs),
        tries: 0,
        sentAt: null,
        failedAt: null,
        error: null,
        expiresAt: new Date(now + seconds * 1000),
        createdAt: new Date(now),
      })
      return id
    },

    async claim (kinds, most, aheadMs) {
      const dueAt = { $lte: Date.now() + aheadMs }
      return database.run(async (em) => {
        const found = await selectFrom<{ id: string }>(em, MailRow).select('id')
          .where({ dueAt, kind: { $in: kinds } }).orderBy({ dueAt: 'asc' }).limit(most).execute('all')
        if (found.length === 0) return []
        const claim = uuid()
        const ids = found.map(({ id }) => id)
        const claimed = { claim, dueAt: Date.now() + leaseMs, tries: raw<number>('tries + 1') }
        await em.nativeUpdate(MailRow, { id: { $in: ids }, dueAt }, claimed)
        const rows = await selectFrom<object>(em, MailRow).select('*').where({ id: { $in: ids }, claim })
          .orderBy({ createdAt: 'asc', id: 'asc' }).execute('all', false)
        return rows.map((row) => fromRow(em, MailRow, row))
      })
    },

    async address (tx, id, change) {
      await tx.nativeUpdate(MailRow, { id }, change)
    },

    sent: (mail) => settle(mail, { sentAt: new Date(), dueAt: null, error: null }),
    later: (mail, ms, error, isTry = true) =>
      settle(mail, { dueAt: Math.round(Date.now() + ms), error: error ?? null, tries: mail.tries - (isTry ? 0 : 1) }),
    failed: (mail, error) => settle(mail, { failedAt: new Date(), dueAt: null, error }),

    async drop ({ id, claim }) {
      await database.run((em) => em.nativeDelete(MailRow, { id, claim }))
    },

    count: () => database.run(async (em) => {
      const now = Date.now()
      const dueAt = { $lte: now }
      const due = await em.count(MailRow, { dueAt }, { connectionType: 'write' })
      const failed = await em.count(MailRow, { failedAt: { $ne: null } }, { connectionType: 'write' })
      const [oldest] = await selectFrom<{ dueAt: number | string }>(em, MailRow).select('dueAt').where({ dueAt })
        .orderBy({ dueAt: 'asc' }).limit(1).execute('all')
      return { due, oldestMs: oldest ? now - Number(oldest.dueAt) : 0, failed }
    }),
  }
}
