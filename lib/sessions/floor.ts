import type { EntityManager } from '@mikro-orm/core'
import type { Database } from '../database/database.ts'
import type { Session } from './entity.ts'
import { TokenRevoked, TokenSuperseded } from './errors.ts'
import { storable, type Client } from '../http/request.ts'
import type { SessionFinder } from './find-session.ts'
import { createFloorMove } from './moves.ts'
import { isOver } from './rotation.ts'

/** Somebody has given the password again, with an access token of the session. */
export interface Proof {
  sessionId: string
  /** The generation of the access token that was shown. */
  gen: number
  at: Date
  client: Client
}

/**
 * Makes a new generation of the session, and every earlier token of it void (ASVS 5 7.2.4), in the transaction of the
 * reauthentication. Gives the session as it goes on; its `floorGen` has to be written to the log.
 * @throws {TokenRevoked} when the session is over
 * @throws {TokenSuperseded} when there was another reauthentication since the token was made
 */
export type RaiseFloor = (tx: EntityManager, proof: Proof) => Promise<Session>

export function createFloor (database: Pick<Database, 'statement'>, { find }: Pick<SessionFinder, 'find'>): RaiseFloor {
  const move = createFloorMove(database)

  return async (tx, { sessionId: id, gen: shownGen, at, client }) => {
    const written = { authTime: at, answeredAt: at, lastUsedAt: at, ...storable(client) }
    const raised = await move.run(tx, { id, shownGen, ...written })
    const session = await find(tx, id)
    if (!session || isOver(session, at)) throw new TokenRevoked()
    if (raised === 0) throw new TokenSuperseded()
    return session
  }
}
