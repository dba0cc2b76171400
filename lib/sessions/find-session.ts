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
    const [row] = await byId.all<object>(em, { id })
    return row ? sessionOf(em, row) : null
  }
}

function sessionOf (em: EntityManager, row: object): Session {
  const { session = [], user = [] } = Object.groupBy(Object.entries(row), ([column]) => column.startsWith(prefix) ? 'user' : 'session')
  const its = user.map(([column, value]) => [column.slice(prefix.length), value])
  return { ...fromRow(em, Session, Object.fromEntries(session)), user: fromRow(em, User, Object.fromEntries(its)) as never }
}
