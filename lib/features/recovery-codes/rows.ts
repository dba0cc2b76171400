import type { EntityManager } from '@mikro-orm/core'
import type { Database } from '../../database/database.ts'
import { selectFrom } from '../../database/statement.ts'
import { hashOfRecoveryCode } from './code.ts'
import { RecoveryCode } from './entity.ts'

/** What there is of somebody's recovery codes. */
export interface CodesLeft {
  /** How many are not used yet. */
  left: number
  createdAt: Date
}

/** The recovery codes in the database. */
export interface CodeRows {
  insert: (tx: EntityManager, userId: string, code: string, createdAt: Date) => Promise<void>
  /** The id of the row of a code that is not used yet. */
  find: (em: EntityManager, userId: string, code: string) => Promise<string | undefined>
  /** Uses it up. False where it was used before. */
  spend: (tx: EntityManager, userId: string, id: string) => Promise<boolean>
  /** Undefined where there are none, used or not. */
  left: (em: EntityManager, userId: string) => Promise<CodesLeft | undefined>
  /** How many there were. */
  remove: (tx: EntityManager, userId: string) => Promise<number>
  /** Takes those away that were made since then. False where there were none. */
  removeSince: (tx: EntityManager, userId: string, since: Date) => Promise<boolean>
}

export function createCodeRows (database: Pick<Database, 'statement'>): CodeRows {
  const insert = database.statement(({ query, all }) => query(RecoveryCode).insert(all(RecoveryCode)))
  const find = database.statement(({ query }) =>
    query(RecoveryCode).select('id').where({ id: 'id', user: 'userId', usedAt: null }))
  const spend = database.statement(({ query }) =>
    query(RecoveryCode).update({ usedAt: 'now' }).where({ id: 'id', user: 'userId', usedAt: null }))

  return {
    async insert (tx, userId, code, createdAt) {
      await insert.run(tx, { id: hashOfRecoveryCode(userId, code), user: userId, createdAt, usedAt: null })
    },

    async find (em, userId, code) {
      const [row] = await find.all<{ id: string }>(em, { id: hashOfRecoveryCode(userId, code), userId })
      return row?.id
    },

    spend: async (tx, userId, id) => await spend.run(tx, { id, userId, now: new Date() }) === 1,

    async left (em, userId) {
      const rows = await selectFrom<Pick<RecoveryCode, 'createdAt' | 'usedAt'>>(em, RecoveryCode)
        .select('*').where({ user: userId }).execute('all')
      const [first] = rows
      return first && { left: rows.filter(({ usedAt }) => usedAt === null).length, createdAt: first.createdAt }
    },

    remove: (tx, userId) => tx.nativeDelete(RecoveryCode, { user: userId }),
    removeSince: async (tx, user, since) =>
      await tx.nativeDelete(RecoveryCode, { user, createdAt: { $gte: since } }) > 0,
  }
}
