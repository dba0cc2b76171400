import type { Database } from '../database/database.ts'
import type { Client } from '../http/request.ts'
import type { AccessClaims } from '../tokens/access-token.ts'
import type { Session } from './entity.ts'
import { TokenRevoked } from './errors.ts'
import type { FindSession } from './find-session.ts'
import type { RaiseFloor } from './floor.ts'
import type { Issue } from './refresh.ts'
import type { RevocationLog } from './revocation-log.ts'
import { isOver } from './rotation.ts'

/** A proof of who one is, by the access token of a session. */
export type Proving = Pick<AccessClaims, 'sid' | 'gen'>

/** How a session goes on after its user has proved once more who they are. */
export interface Reauthentication {
  /**
   * Notes that the password was checked again: the session goes on, with all its earlier tokens void. Gives the answer.
   * What `prepare` throws, or what it gives throws, leaves the session as it was.
   * @throws {TokenRevoked | TokenSuperseded} when it does not go on, or not with this token
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
