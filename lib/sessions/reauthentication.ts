import type { Database } from '../database/database.ts'
import type { Client } from '../http/request.ts'
import type { AccessClaims } from '../tokens/claims.ts'
import type { Session } from './entity.ts'
import { TokenRevoked } from './errors.ts'
import type { FindSession } from './find-session.ts'
import type { RaiseFloor } from './floor.ts'
import type { Issue } from './refresh.ts'
import type { RevocationLog } from './revocation-log.ts'
import { isOver } from './rotation.ts'

/** The claims of the access token with which somebody gives the password again. */
export type Proving = Pick<AccessClaims, 'sid' | 'gen'>

/** How a session goes on after its user has given the password again. */
export interface Reauthentication {
  /**
   * Notes that the password was checked again, and gives the answer: the session goes on, with all its earlier tokens
   * void. If `prepare` throws, or the function that it gives, the session stays as it was.
   * @throws {TokenRevoked} when the session is over
   * @throws {TokenSuperseded} when there was another reauthentication since the token was made
   */
  reauthenticate: <Answer>(
    shown: Proving, prepare: (session: Session) => Promise<Issue<Answer>>, client: Client
  ) => Promise<Answer>
}

interface ReauthenticationParts {
  database: Database
  find: FindSession
  revocationLog: RevocationLog
  raiseFloor: RaiseFloor
}

export function createReauthentication (
  { database, find, revocationLog, raiseFloor }: ReauthenticationParts
): Reauthentication {
  async function living (id: string): Promise<Session> {
    const session = await database.run((em) => find(em, id))
    if (!session || isOver(session, new Date())) throw new TokenRevoked()
    return session
  }

  return {
    async reauthenticate ({ sid: sessionId, gen }, prepare, client) {
      const issue = await prepare(await living(sessionId))
      return revocationLog.record(async (tx, write, note) => {
        const raised = await raiseFloor(tx, { sessionId, gen, at: new Date(), client })
        await write('session', sessionId, raised.floorGen)
        await note({ type: 'reauthenticated', userId: raised.user.id, sessionId, client })
        return issue(raised)
      })
    },
  }
}
