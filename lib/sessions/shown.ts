import type { Database } from '../database/database.ts'
import type { AccessClaims } from '../tokens/claims.ts'
import type { User } from '../users/entity.ts'
import { mayComeIn, type KnownUser, type KnownUsers } from '../users/known-users.ts'
import type { Confirmations } from './confirmations.ts'
import type { Endings } from './endings.ts'
import { TokenRevoked, TokenSuperseded } from './errors.ts'
import type { FindSession } from './find-session.ts'
import type { RevocationLog } from './revocation-log.ts'
import { refusalOf, type Revocations } from './revocations.ts'
import { isOver } from './rotation.ts'

/** What guards ask about an access token that was shown. */
export interface ShownTokens {
  /**
   * The user of an access token, from memory where that is up to date. Notes that the token's generation has arrived.
   * @throws {TokenRevoked} when the token or the session is over, or the user gone, disabled or logged out everywhere
   * @throws {TokenSuperseded} when the session goes on with newer tokens
   * @throws {Unavailable} when memory is too old to tell and the database cannot
   */
  use: (claims: AccessClaims) => Promise<KnownUser>
  /**
   * Refuses an access token that is over, by itself or with its session or all of its user's. Reads no user.
   * @throws {TokenRevoked | TokenSuperseded}
   */
  requireUnrevoked: (claims: AccessClaims) => Promise<void>
  /**
   * The user of an access token, from the session's row as it is now.
   * @throws {TokenRevoked} when the token or the session is over, or the user gone, disabled or logged out everywhere
   * @throws {TokenSuperseded} when the session goes on with newer tokens
   * @throws {Unavailable}
   */
  useStrictly: (claims: AccessClaims) => Promise<User>
}

interface ShownParts {
  database: Database
  find: FindSession
  revocations: Revocations
  revocationLog: RevocationLog
  knownUsers: KnownUsers
  confirmations: Confirmations
  endings: Endings
}

export function createShownTokens (
  { database, find, revocations, revocationLog, knownUsers, confirmations, endings }: ShownParts
): ShownTokens {
  /**
   * Claims of tokens that were noted as arrived: `Tokens` gives the same object for as long as it remembers a token.
   */
  const shown = new WeakSet<AccessClaims>()

  function requireGood (claims: AccessClaims): void {
    const refusal = refusalOf(claims, revocations)
    if (refusal) throw refusal
  }

  return {
    async requireUnrevoked (claims) {
      if (!revocationLog.isFresh()) await revocationLog.catchUp()
      requireGood(claims)
    },

    async use (claims) {
      if (!revocationLog.isFresh()) await revocationLog.catchUp()
      requireGood(claims)
      let user = knownUsers.remembered(claims.sub)
      if (user === undefined) user = await knownUsers.get(claims.sub)
      // The database may have lost the commit that raised the epoch. The sessions that ended with it were refused
      // above.
      if (user && claims.ver < user.epoch) {
        knownUsers.forget(claims.sub)
        user = await knownUsers.get(claims.sub)
      }
      // To read the user may have taken so long that the log is too old by now.
      if (!revocationLog.isFresh()) {
        await revocationLog.catchUp()
        user = await knownUsers.get(claims.sub)
      }
      requireGood(claims)
      if (!mayComeIn(user, claims)) throw new TokenRevoked()
      const isNew = confirmations.isOn && claims.gen > 0 && !shown.has(claims)
      if (isNew && confirmations.note(claims.sid, claims.gen)) shown.add(claims)
      return user
    },

    async useStrictly (claims) {
      const session = await database.run((em) => find(em, claims.sid))
      // What the log has said of the session stays true, though the database may have lost it since.
      requireGood(claims)
      if (!session || session.user.id !== claims.sub || isOver(session, new Date())) throw new TokenRevoked()
      if (claims.gen < session.floorGen) throw new TokenSuperseded()
      if (claims.ver < session.user.epoch || await endings.isTokenRevoked(claims)) throw new TokenRevoked()
      confirmations.noteUnlessStored(session, claims.gen)
      return session.user
    },
  }
}
