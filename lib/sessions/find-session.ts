import type { EntityManager } from '@mikro-orm/core'
import type { Database } from '../database/database.ts'
import { fromRow, type Making } from '../database/statement.ts'
import { Session } from './entity.ts'
import { User } from '../users/entity.ts'

/**
 * The session, with its user as of the same moment, from the primary database: by the old row of a replica one would
 * decide wrongly.
 */
export type FindSession = (em: EntityManager, id: string) => Promise<Session | null>

export interface SessionFinder {
  find: FindSession
  /** The sessions of a user that nobody has ended and that have not expired, the one used last first. */
  findAll: (em: EntityManager, userId: string) => Promise<Session[]>
}

export const lastUsedFirst = { lastUsedAt: 'desc', id: 'desc' } as const

/** What the names of the user's columns begin with, in a row that has the session's too. */
const prefix = 'user__'

export function createSessionFinder ({ statement }: Pick<Database, 'statement'>): SessionFinder {
  const withUser = (query: Making['query']) =>
    query(Session, 'session').select('*').innerJoinAndSelect('session.user', 'user')
  const byId = statement(({ query }) => withUser(query).where({ id: 'id' }))
  const byUser = statement(({ query }) => withUser(query).where(goingOn('userId', 'now')).orderBy(lastUsedFirst))

  return {
    async find (em, id) {
      const [row] = await byId.all<Row>(em, { id })
      return row ? sessionOf(em, row) : null
    },

    async findAll (em, userId) {
      const rows = await byUser.all<Row>(em, { userId, now: new Date() })
      return rows.map((row) => sessionOf(em, row))
    },
  }
}

type Row = Record<string, unknown>

function sessionOf (em: EntityManager, row: Row): Session {
  const session: Record<string, unknown> = {}
  const user: Record<string, unknown> = {}
  for (const column in row) {
    if (column.startsWith(prefix)) user[column.slice(prefix.length)] = row[column]
    else session[column] = row[column]
  }
  return { ...fromRow(em, Session, session), user: fromRow(em, User, user) as never }
}

/** The condition for sessions of a user that nobody has ended and that have not expired. */
export function goingOn<Time> (user: string, now: Time) {
  return { user, ...livingAt(now) }
}

/** The condition for sessions that nobody has ended and that have not expired. */
export function livingAt<Time> (now: Time) {
  return { revokedAt: null, refreshExpiresAt: { $gt: now }, absoluteExpiresAt: { $gt: now } }
}
