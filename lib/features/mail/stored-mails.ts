import type { EntityManager } from '@mikro-orm/core'
import { Type, type Static } from '@sinclair/typebox'
import type { Database } from '../../database/database.ts'
import { selectFrom, fromRow } from '../../database/statement.ts'
import { inTransactionOf } from '../../database/transactions.ts'
import { InputInvalid } from '../../http/errors.ts'
import type { Input } from '../../http/input.ts'
import { MailRow } from '../../mail/entity.ts'
import { isId } from '../../tokens/claims.ts'
import { PageSchema } from '../../users/look-up.ts'

/** A mail as services return it, without the secret part of its link. */
export interface MailInfo {
  id: string
  kind: string
  userId: string | null
  /** The address, if it is known. A mail that an anonymous client requested has none until it is sent. */
  address: string | null
  state: 'due' | 'sent' | 'failed'
  /** The number of attempts to send it. */
  tries: number
  /** The class of the error, if the last attempt failed. */
  error: string | null
  createdAt: Date
  /** The time of the next attempt; null if it was sent or given up. */
  dueAt: Date | null
  sentAt: Date | null
  failedAt: Date | null
  /** When the mail is no longer useful. */
  expiresAt: Date
}

/** The mails of the outbox, as code looks at them. */
export interface StoredMails {
  /** A mail as it is stored. */
  row: (id: string, em?: EntityManager) => Promise<MailRow | undefined>
  find: (id: string, em?: EntityManager) => Promise<MailInfo | null>
  /** @throws {InputInvalid} */
  list: (given: object, em?: EntityManager) => Promise<{ mails: MailInfo[], next: string | null }>
}

const ListSchema = Type.Object({
  ...PageSchema.properties,
  state: Type.Optional(Type.Union(['due', 'sent', 'failed'].map((state) => Type.Literal(state)))),
}, { additionalProperties: false })

/** Which rows are in a state. */
const rowsIn = {
  due: { dueAt: { $ne: null } }, sent: { sentAt: { $ne: null } }, failed: { failedAt: { $ne: null } },
}

export function createStoredMails (database: Database, input: Input): StoredMails {
  const readList = input.reader(ListSchema, 'whole')

  async function row (id: string, em?: EntityManager): Promise<MailRow | undefined> {
    if (!isId(id)) return
    const [found] = await inTransactionOf(database, em)((tx) =>
      selectFrom<object>(tx, MailRow).select('*').where({ id }).execute('all', false)
        .then((rows) => rows.map((each) => fromRow(tx, MailRow, each))))
    return found
  }

  return {
    row,

    async find (id, em) {
      const found = await row(id, em)
      return found ? shown(found) : null
    },

    async list (given, em) {
      const { limit = 50, after, state } = readList(given) as Static<typeof PageSchema> & { state?: MailInfo['state'] }
      if (after !== undefined && !isId(after)) throw new InputInvalid('after must be the next of another part')
      const where = { ...after !== undefined && { id: { $lt: after } }, ...state && rowsIn[state] }
      const rows = await inTransactionOf(database, em)(async (tx) => {
        const newestFirst = selectFrom<object>(tx, MailRow).select('*').where(where).orderBy({ id: 'desc' })
        const found = await newestFirst.limit(limit + 1).execute('all', false)
        return found.map((row) => fromRow(tx, MailRow, row))
      })
      const mails = rows.slice(0, limit).map(shown)
      return { mails, next: rows.length > limit ? mails.at(-1)!.id : null }
    },
  }
}

function shown (
  { id, kind, userId, address, tries, error, createdAt, dueAt, sentAt, failedAt, expiresAt }: MailRow
): MailInfo {
  const state = sentAt ? 'sent' : failedAt ? 'failed' : 'due'
  const due = dueAt === null ? null : new Date(Number(dueAt))
  return { id, kind, userId, address, state, tries, error, createdAt, dueAt: due, sentAt, failedAt, expiresAt }
}
