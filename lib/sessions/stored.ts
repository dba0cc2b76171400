import type { EntityManager } from '@mikro-orm/core'
import type { Database } from '../database/database.ts'
import { inTransactionOf } from '../database/transactions.ts'
import { isId } from '../tokens/claims.ts'
import type { SessionData } from './data.ts'
import { Session } from './entity.ts'
import { livingAt, type SessionFinder } from './find-session.ts'
import type { SessionSettings } from './options.ts'
import { isOver } from './rotation.ts'

/** Sessions as their rows are. */
export interface StoredSessions {
  find: SessionFinder['find']
  /** True if there is such a session, over or not. */
  isThere: (id: string) => Promise<boolean>
  /** Lists the active sessions of a user, the most recently used first. */
  list: (userId: string, em?: EntityManager) => Promise<Session[]>
  /** What the app keeps of a session. Without the option `sessions.data` the database is not asked. */
  dataOf: (id: string) => Promise<SessionData | null>
  /** Changes what the app keeps of a session. False where there is no such session that goes on. */
  setData: (id: string, data: SessionData | null, em?: EntityManager) => Promise<boolean>
}

export function createStoredSessions (
  database: Database,
  { find, findAll }: SessionFinder,
  { sessions: { data: schema } }: Pick<SessionSettings, 'sessions'>
): StoredSessions {
  return {
    find,

    isThere: (id) => database.run(async (em) => await em.count(Session, { id }, { connectionType: 'write' }) > 0),

    async list (userId, em) {
      if (!isId(userId)) return []
      const found = await inTransactionOf(database, em)((tx) => findAll(tx, userId))
      return found.filter((session) => !isOver(session, new Date()))
    },

    async dataOf (id) {
      const session = schema && await database.run((em) => find(em, id))
      return session?.data ?? null
    },

    async setData (id, data, em) {
      if (!isId(id)) return false
      const change = (tx: EntityManager) => tx.nativeUpdate(Session, { id, ...livingAt(new Date()) }, { data })
      return await inTransactionOf(database, em)(change) > 0
    },
  }
}

/**
 * Where a session is used from, as its user is told. Whoever has borrowed it is told of to nobody but admins: where
 * they sit is theirs.
 */
export function placeOf ({ actorId, userAgent, ip }: Session) {
  const borrowed = actorId !== null
  return { user_agent: borrowed ? null : userAgent, ip: borrowed ? null : ip, borrowed }
}
