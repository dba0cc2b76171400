import type { EntityManager } from '@mikro-orm/core'
import type { FastifyBaseLogger } from 'fastify'
import type { Database } from '../database/database.ts'
import { selectFrom } from '../database/statement.ts'
import { Session } from './entity.ts'
import { isId } from '../tokens/claims.ts'
import type { EndReason } from './endings.ts'
import type { Follower } from './followers.ts'
import type { RevocationLog } from './revocation-log.ts'
import type { Revocations } from './revocations.ts'

/** The row of a session that nobody has ended. */
interface Row {
  id: string
  user: string
  gen: number
}

/**
 * A session whose row has lost the floor that this process remembers. A floor of Infinity is the end of the session.
 */
interface Revived extends Row {
  floor: number
}

interface RestoreParts {
  database: Database
  revocations: Revocations
  revocationLog: RevocationLog
  /** Whose ends stand in the log too. */
  followers: Pick<Follower, 'restore'>[]
  log: FastifyBaseLogger
}

/** Few enough that nobody waits long for a batch. */
const batchSize = 200

const reason = 'restore' satisfies EndReason

/**
 * Makes a function that writes the ends and the floors of sessions again that the database has lost and this process
 * remembers, so that all processes know them. A second call, or another process, then finds nothing left to write.
 * @throws {Unavailable} the function: what it has not written by then another call writes
 */
export function createRestore (
  { database, revocations, revocationLog, followers, log }: RestoreParts
): () => Promise<void> {
  async function revivedAmong (floors: Map<string, number>): Promise<Revived[]> {
    const where = { id: { $in: [...floors.keys()] }, revokedAt: null }
    const rows = await database.run((em) =>
      selectFrom<Row>(em, Session).select('*').where(where).orderBy({ id: 'asc' }).execute('all'))
    return rows.map((row) => ({ ...row, floor: floors.get(row.id)! })).filter(({ gen, floor }) => gen < floor)
  }

  /** Writes sessions first and then the log, as every transaction does, against deadlocks. */
  function writeAgain (revived: Revived[]): Promise<number> {
    return revocationLog.record(async (tx, write, note) => {
      const written: Revived[] = []
      for (const one of revived) if (await (one.floor === Infinity ? end : raise)(tx, one) === 1) written.push(one)
      for (const { id: sessionId, user: userId, floor } of written) {
        await write('session', sessionId, floor === Infinity ? undefined : floor)
        if (floor === Infinity) await note({ type: 'logout', reason, userId, sessionId })
      }
      return written.length
    })
  }

  return async () => {
    const known = revocations.floors().filter(([subject]) => isId(subject))
    const ended = known.filter(([, floor]) => floor === Infinity).map(([id]) => id)
    for (const follower of followers) await follower.restore(ended)
    let sessions = 0
    for (let done = 0; done < known.length; done += batchSize) {
      const revived = await revivedAmong(new Map(known.slice(done, done + batchSize)))
      if (revived.length > 0) sessions += await writeAgain(revived)
    }
    if (sessions === 0) return
    log.warn({ sessions }, 'The database had lost the end of sessions, or of their tokens: it is written again')
  }
}

function end (tx: EntityManager, { id }: Row): Promise<number> {
  return tx.nativeUpdate(Session, { id, revokedAt: null }, { revokedAt: new Date(), revokeReason: reason })
}

/** Makes the session again as the reauthentication had left it, whose token is the current one. */
function raise (tx: EntityManager, { id, floor }: Revived): Promise<number> {
  const raised = { gen: floor, floorGen: floor, prevGen: null, prevBranch: null }
  return tx.nativeUpdate(Session, { id, revokedAt: null, gen: { $lt: floor } }, raised)
}
