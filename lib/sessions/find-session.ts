import type { EntityManager } from '@mikro-orm/core'
import type { Database } from '../database.ts'
import { Session } from '../entities/session.ts'
import { User } from '../entities/user.ts'
import { fromRow } from '../from-row.ts'

/**
 * The session, with its user as of the same moment. From the primary, never from a replica: what is decided by an old row is
 * decided wrongly.
 */
export type FindSession = (em: EntityManager, id: string) => Promise<Session | null>

/** What the columns of the user begin with, beside those of the session. */
const prefix = 'user__'

export function createSessionFinder ({ statement }: Pick<Database, 'statement'>): FindSession {
  const byId = statement(({ query }) => query(Session, 'session').select('*').innerJoinAndSelect('session.user', 'user').where({ id: 'id' }))

  return async (em, id) => {
    const [row] = await byId.all<Record<string, unknown>>(em, { id })
    return row ? sessionOf(em, row) : null
  }
}

function sessionOf (em: EntityManager, row: Record<string, unknown>): Session {
  const session: Record<string, unknown> = {}
  const user: Record<string, unknown> = {}
  for (const column in row) {
    if (column.startsWith(prefix)) user[column.slice(prefix.length)] = row[column]
    else session[column] = row[column]
  }
  return { ...fromRow(em, Session, session), user: fromRow(em, User, user) as never }
}
