import type { EntityManager } from '@mikro-orm/core'
import type { SqlEntityManager } from '@mikro-orm/sqlite'
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

/**
 * Every refresh and every strict guard pays for this, so the ORM makes the text of the statement once, and then only the
 * entities: its own `findOne` took longer than all the rest of a refresh.
 */
export function createSessionFinder (): FindSession {
  let statement: string | undefined

  return async (em, id) => {
    statement ??= makeStatement(em as SqlEntityManager)
    const [row] = await (em as SqlEntityManager).getConnection('write').execute<object[]>(statement, [id], 'all', em.getTransactionContext())
    return row ? sessionOf(em, row) : null
  }
}

function makeStatement (em: SqlEntityManager): string {
  return em.createQueryBuilder(Session, 'session', 'write').select('*').innerJoinAndSelect('session.user', 'user').where({ id: '' }).getQuery()
}

function sessionOf (em: EntityManager, row: object): Session {
  const { session = [], user = [] } = Object.groupBy(Object.entries(row), ([column]) => column.startsWith(prefix) ? 'user' : 'session')
  // The user first: the session is then of the same one.
  fromRow(em, User, Object.fromEntries(user.map(([column, value]) => [column.slice(prefix.length), value])))
  return fromRow(em, Session, Object.fromEntries(session))
}
