import { raw, type EntityManager } from '@mikro-orm/core'
import type { Database } from '../database/database.ts'
import { fromRow, selectFrom } from '../database/statement.ts'
import type { User } from '../users/entity.ts'
import { OneTime } from './entity.ts'
import type { Purpose } from './purposes.ts'

/** A one-time row as plain data, with the id of its user. */
export interface OneTimeRow {
  id: string
  purpose: Purpose
  userId: string | null
  /** The address that the mail goes to, which is what a proof proves. */
  address: string
  addressKey: string
  salt: string
  challenge: string | null
  epoch: number | null
  data: Record<string, unknown> | null
  createdAt: Date
  expiresAt: Date
  usedAt: Date | null
}

/** The statements on one-time rows. Each condition is asked in the statement itself, so that of many one alone wins. */
export interface Rows {
  find: (em: EntityManager, id: string) => Promise<OneTimeRow | undefined>
  /** Those of a challenge and a purpose that nobody has used. */
  findByChallenge: (em: EntityManager, challenge: string, purpose: Purpose) => Promise<OneTimeRow[]>
  /** Those of a user and a purpose that are good, the newest first. */
  living: (em: EntityManager, userId: string, purpose: Purpose) => Promise<{ id: string }[]>
  insert: (em: EntityManager, row: OneTimeRow) => Promise<void>
  /** Counts one try. False where the row is not good, or has none left. */
  pay: (em: EntityManager, id: string) => Promise<boolean>
  /** Gives a try back that was right. */
  payBack: (em: EntityManager, id: string) => Promise<void>
  /** Uses a row up. False where it was not good. */
  spend: (em: EntityManager, id: string) => Promise<boolean>
  /** Uses up all of a user, of a purpose or of all; with `sinceId` those that were made after that one. */
  spendAll: (em: EntityManager, userId: string, purposes?: Purpose[], sinceId?: string) => Promise<void>
}

/** How many codes are judged of a row. */
const mostTries = 5

export function createRows (database: Database): Rows {
  const select = (where: object) => database.statement(({ query }) => query(OneTime).select('*').where(where))
  const byId = select({ id: 'id' })
  const byChallenge = select({ challenge: 'challenge', purpose: 'purpose', usedAt: null })
  const good = { usedAt: null, expiresAt: { $gt: 'now' } }
  const insert = database.statement(({ query, all }) => query(OneTime).insert(all(OneTime)))
  const pay = database.statement(({ query }) =>
    query(OneTime).update({ tries: raw('tries + 1') }).where({ id: 'id', tries: { $lt: mostTries }, ...good }))
  const payBack = database.statement(({ query }) =>
    query(OneTime).update({ tries: raw('tries - 1') }).where({ id: 'id' }))
  const spend = database.statement(({ query }) =>
    query(OneTime).update({ usedAt: 'now' }).where({ id: 'id', ...good }))

  return {
    async find (em, id) {
      const [row] = await byId.all<object>(em, { id })
      return row && plain(em, row)
    },

    async findByChallenge (em, challenge, purpose) {
      const rows = await byChallenge.all<object>(em, { challenge, purpose })
      return rows.map((row) => plain(em, row))
    },

    living: (em, userId, purpose) => selectFrom<{ id: string }>(em, OneTime).select('id')
      .where({ user: userId, purpose, usedAt: null, expiresAt: { $gt: new Date() } })
      .orderBy({ id: 'desc' }).execute('all'),

    async insert (em, { userId, data, ...row }) {
      await insert.run(em, { ...row, user: userId, data: data && JSON.stringify(data), tries: 0 })
    },

    pay: async (em, id) => await pay.run(em, { id, now: new Date() }) === 1,
    async payBack (em, id) {
      await payBack.run(em, { id })
    },
    spend: async (em, id) => await spend.run(em, { id, now: new Date() }) === 1,

    async spendAll (em, userId, purposes, sinceId) {
      const ofThese = { ...purposes && { purpose: { $in: purposes } }, ...sinceId && { id: { $gt: sinceId } } }
      await em.nativeUpdate(OneTime, { user: userId, usedAt: null, ...ofThese }, { usedAt: new Date() })
    },
  }
}

function plain (em: EntityManager, row: object): OneTimeRow {
  const { user, tries: _, ...rest } = fromRow(em, OneTime, row)
  return { ...rest, userId: user } as unknown as OneTimeRow
}

/** True for a row that nobody has used, and that is not over. */
export function isGood ({ usedAt, expiresAt }: OneTimeRow): boolean {
  return usedAt === null && expiresAt.getTime() > Date.now()
}

/** True for a good row of a user as they are now: neither disabled nor, where it binds the epoch, signed out since. */
export function isGoodOf ({ disabledAt, epoch }: Pick<User, 'disabledAt' | 'epoch'>, row: OneTimeRow): boolean {
  return isGood(row) && disabledAt === null && (row.epoch === null || row.epoch === epoch)
}
