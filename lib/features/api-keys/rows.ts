import { raw, type EntityManager } from '@mikro-orm/core'
import type { Database } from '../../database/database.ts'
import { fromRow, selectFrom } from '../../database/statement.ts'
import { isId } from '../../tokens/claims.ts'
import { ApiKey } from './entity.ts'

/** A key as plain data, with the id of its user. */
export interface KeyRow extends Omit<ApiKey, 'user'> {
  userId: string
}

/** When a key was last used, and from which address. */
export interface Use {
  id: string
  at: Date
  ip: string | null
}

/** The statements on keys. */
export interface Rows {
  find: (em: EntityManager, id: string) => Promise<KeyRow | undefined>
  /** Those of a user that go on, the oldest first. */
  livingOf: (em: EntityManager, userId: string) => Promise<KeyRow[]>
  insert: (tx: EntityManager, row: KeyRow) => Promise<void>
  /** Changes a key of this user that goes on. False where they have none of this id. */
  change: (tx: EntityManager, userId: string, id: string, change: Partial<ApiKey>) => Promise<boolean>
  /**
   * In a transaction that has locked the user: ends these keys of theirs, one after the other in the order of their ids
   * as whoever notes uses does, against deadlocks. Gives the ids of those that went on.
   */
  end: (tx: EntityManager, userId: string, ids: string[]) => Promise<string[]>
  /** Notes that a key was used, unless that is known of a later time. */
  note: (tx: EntityManager, use: Use) => Promise<void>
}

export function createRows (database: Pick<Database, 'statement'>): Rows {
  const byId = database.statement(({ query }) => query(ApiKey).select('*').where({ id: 'id' }))
  const insert = database.statement(({ query, all }) => query(ApiKey).insert(all(ApiKey)))
  const note = database.statement(({ query }) => query(ApiKey).update({ lastUsedAt: 'at', lastUsedIp: 'ip' })
    .where({ id: 'id', $or: [{ lastUsedAt: null }, { lastUsedAt: { $lt: raw('?', ['at']) } }] }))

  async function change (tx: EntityManager, userId: string, id: string, changed: Partial<ApiKey>): Promise<boolean> {
    return isId(id) && await tx.nativeUpdate(ApiKey, living(userId, id), changed) === 1
  }

  return {
    async find (em, id) {
      const [row] = await byId.all<object>(em, { id })
      return row && plain(em, row)
    },

    async livingOf (em, userId) {
      const rows = await selectFrom<object>(em, ApiKey).select('*').where(living(userId)).orderBy({ id: 'asc' })
        .execute('all', false)
      return rows.map((row) => plain(em, row))
    },

    async insert (tx, { userId, scopes, ...row }) {
      await insert.run(tx, { ...row, user: userId, scopes: JSON.stringify(scopes) })
    },

    change,

    async end (tx, userId, ids) {
      const ended: string[] = []
      for (const id of ids.toSorted()) {
        if (await change(tx, userId, id, { revokedAt: new Date() })) ended.push(id)
      }
      return ended
    },

    async note (tx, { id, at, ip }) {
      await note.run(tx, { id, at, ip })
    },
  }
}

/** Keys that nobody has ended, and whose time is not over. */
function living (user: string, id?: string) {
  const isNotOver = [{ expiresAt: null }, { expiresAt: { $gt: new Date() } }]
  return { user, ...id !== undefined && { id }, revokedAt: null, $or: isNotOver }
}

function plain (em: EntityManager, row: object): KeyRow {
  const { user, lifetime, ...rest } = fromRow(em, ApiKey, row)
  return { ...rest, userId: user as unknown as string, lifetime: lifetime === null ? null : Number(lifetime) }
}
