import type { EntityManager } from '@mikro-orm/core'
import type { Database } from '../database/database.ts'
import type { Session } from './entity.ts'
import { TokenRevoked, TokenSuperseded } from './errors.ts'
import { storable, type Client } from '../http/request.ts'
import type { SessionFinder } from './find-session.ts'
import { createFloorMoves } from './moves.ts'
import { isOver } from './rotation.ts'
import type { Proved } from '../tokens/levels.ts'

/** Somebody has proved once more who they are, with an access token of the session. */
export interface Proof {
  sessionId: string
  /** The generation of the access token that was shown. */
  gen: number
  at: Date
  client: Client
  /**
   * What the session has from now on, where that is more than before. Null where less was proved than the account asks
   * for: then the session is no fresher than it was.
   */
  proved?: Proved | null | undefined
}

/**
 * Makes a new generation of the session, and every earlier token of it void (ASVS 5 7.2.4), in the transaction of the
 * reauthentication. Gives the session as it goes on; its `floorGen` has to be written to the log.
 * @throws {TokenRevoked} when the session is over
 * @throws {TokenSuperseded} when there was another reauthentication since the token was made
 */
export type RaiseFloor = (tx: EntityManager, proof: Proof) => Promise<Session>

export function createFloor (database: Pick<Database, 'statement'>, { find }: Pick<SessionFinder, 'find'>): RaiseFloor {
  const { raise, raiseProved, raiseUnproved } = createFloorMoves(database)

  return async (tx, { sessionId: id, gen: shownGen, at, client, proved }) => {
    const written = { id, shownGen, answeredAt: at, lastUsedAt: at, ...storable(client) }
    const raised = proved
      ? await raiseProved.run(tx, { ...written, authTime: at, acr: proved.acr, amr: JSON.stringify(proved.amr) })
      : proved === null ? await raiseUnproved.run(tx, written) : await raise.run(tx, { ...written, authTime: at })
    const session = await find(tx, id)
    if (!session || isOver(session, at)) throw new TokenRevoked()
    if (raised === 0) throw new TokenSuperseded()
    return session
  }
}
