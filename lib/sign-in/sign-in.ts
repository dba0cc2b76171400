import type { Database } from '../database/database.ts'
import type { Beginning } from '../sessions/births.ts'
import type { OwnData } from '../sessions/data.ts'
import type { Session } from '../sessions/entity.ts'
import type { Sessions } from '../sessions/sessions.ts'
import type { Tokens } from '../tokens/tokens.ts'
import type { TokenTransport } from '../transport/transport.ts'
import { User } from '../users/entity.ts'
import type { Users } from '../users/users.ts'
import { createBeginnings, type Beginnings } from './beginning.ts'
import { CredentialsInvalid } from './errors.ts'
import { createGranting, type Granting } from './grant.ts'
import type { SignInSettings } from './options.ts'

/** The one door by which users come in, and the answers that they are given. */
export interface SignIn extends Granting, Beginnings {
  /**
   * Starts a session of a user, who must be as they were when they proved who they are: at that epoch, and not disabled.
   * @throws {CredentialsInvalid} when there is no such user any more
   * @throws {SessionsFull} when the user has as many as may be, and none may end for it
   */
  signIn: <Answer>(
    user: Pick<User, 'id' | 'epoch'>, beginning: Beginning, issue: (session: Session) => Answer
  ) => Promise<Answer>
}

interface SignInParts {
  database: Database
  tokens: Tokens
  users: Users
  sessions: Sessions
  transport: TokenTransport
  ownData: OwnData
}

export function createSignIn (parts: SignInParts, settings: SignInSettings): SignIn {
  const { database, users: { lookUp, publicUsers }, sessions } = parts
  const granting = createGranting({ ...parts, publicUsers }, settings)
  const noteLogin = database.statement(({ query }) =>
    query(User).update({ lastLoginAt: 'now' }).where({ id: 'id', epoch: 'epoch', disabledAt: null }))

  return {
    ...granting,
    ...createBeginnings({ ...parts, claimsOf: granting.claimsOf }, settings),

    signIn: ({ id, epoch }, beginning, issue) => sessions.revocationLog.record(async (tx, write, note) => {
      // Written first: the logins of one user wait for each other here, so that none overlooks another's session.
      if (await noteLogin.run(tx, { id, epoch, now: new Date() }) === 0) throw new CredentialsInvalid()

      const user = await lookUp.byId(id, tx)
      if (!user) throw new CredentialsInvalid()
      await sessions.makeRoom(tx, write, note, user, beginning)
      const session = sessions.begin(user, epoch, beginning)
      const answer = issue(session)
      await sessions.store(tx, session)
      await note({ type: 'login', userId: id, sessionId: session.id, client: beginning })
      return answer
    }),
  }
}
