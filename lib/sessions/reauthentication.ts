import type { EntityManager } from '@mikro-orm/core'
import type { Database } from '../database/database.ts'
import type { Client } from '../http/request.ts'
import { provedBy, type AccessClaims } from '../tokens/claims.ts'
import { raisedBy, type Proved } from '../tokens/levels.ts'
import type { Session } from './entity.ts'
import { TokenRevoked } from './errors.ts'
import type { FindSession } from './find-session.ts'
import type { Proof, RaiseFloor } from './floor.ts'
import type { Issue } from './refresh.ts'
import type { Note, RevocationLog, Write } from './revocation-log.ts'
import { isOver } from './rotation.ts'

/** The claims of the access token with which somebody gives the password again. */
export type Proving = Pick<AccessClaims, 'sid' | 'gen'>

/** What a step up has proved, and what it has used up for that. */
export interface StepUp {
  proved: Proved
  /** Uses it up, in the same transaction and before the session moves: it may lock the user. */
  spend: (tx: EntityManager, note: Note) => Promise<void>
}

/** How a session goes on after its user has proved once more who they are. */
export interface Reauthentication {
  /**
   * Notes that it was proved again, by the password or by a step up, and gives the answer: the session goes on, with
   * all its earlier tokens void. If `prepare` throws, or the function that it gives, the session stays as it was, and
   * nothing is used up.
   * @throws {TokenRevoked} when the session is over
   * @throws {TokenSuperseded} when there was another reauthentication since the token was made
   */
  reauthenticate: <Answer>(
    shown: Proving, prepare: (session: Session) => Promise<Issue<Answer>>, client: Client, stepUp?: StepUp
  ) => Promise<Answer>
  /**
   * In a transaction of the log: the session goes on, with all its earlier tokens void. Gives it as it is then.
   * @throws {TokenRevoked | TokenSuperseded} as `reauthenticate` does
   */
  goOn: (tx: EntityManager, write: Write, proof: Proof) => Promise<Session>
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

  async function goOn (tx: EntityManager, write: Write, proof: Proof): Promise<Session> {
    const raised = await raiseFloor(tx, proof)
    await write('session', raised.id, raised.floorGen)
    return raised
  }

  return {
    goOn,

    async reauthenticate ({ sid: sessionId, gen }, prepare, client, stepUp) {
      const session = await living(sessionId)
      const issue = await prepare(session)
      const proved = stepUp && raisedBy(provedBy(session), stepUp.proved)
      return revocationLog.record(async (tx, write, note) => {
        await stepUp?.spend(tx, note)
        const raised = await goOn(tx, write, { sessionId, gen, at: new Date(), client, proved })
        await note({ type: 'reauthenticated', userId: raised.user.id, sessionId, client })
        return issue(raised)
      })
    },
  }
}
