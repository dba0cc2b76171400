import type { Database } from '../database/database.ts'
import type { Client } from '../http/request.ts'
import { TokenInvalid } from '../tokens/errors.ts'
import type { VerifiedToken } from '../tokens/tokens.ts'
import type { Endings } from './endings.ts'
import type { Session } from './entity.ts'
import { TokenRevoked } from './errors.ts'
import type { FindSession } from './find-session.ts'
import type { Revocations } from './revocations.ts'
import { isGenuine } from './rotation.ts'

/** How a token ends its own session. */
export interface Logouts {
  /**
   * Ends the session of a token, with all its tokens, and gives it. Nothing happens to one that is over; where its row
   * is gone, its tokens are made void all the same.
   * @throws {TokenInvalid} for a refresh token that the session never gave out
   * @throws {TokenRevoked} for an access token that was revoked
   */
  logout: (token: VerifiedToken, client?: Client) => Promise<Session | undefined>
  /** Ends the session of a token, whose browser has begun another one. Nothing happens to one that is over. */
  replace: (token: VerifiedToken, client: Client) => Promise<void>
}

interface LogoutParts {
  database: Database
  find: FindSession
  endings: Endings
  revocations: Pick<Revocations, 'floorOf'>
}

export function createLogouts ({ database, find, endings, revocations }: LogoutParts): Logouts {
  return {
    async logout ({ kind, claims }, client) {
      const session = await database.run((em) => find(em, claims.sid))
      if (session && kind === 'refresh' && !isGenuine(session, claims)) throw new TokenInvalid()
      if (kind === 'access' && await endings.isTokenRevoked(claims)) throw new TokenRevoked()
      if (session) {
        const { id, user, actorId } = session
        return await endings.end(id, 'logout', { userId: user.id, client, actor: actorId ?? undefined })
          ? session
          : undefined
      }
      if (revocations.floorOf(claims.sid) === Infinity) return
      await endings.endWithoutRow(claims.sid, { userId: claims.sub, client })
    },

    async replace ({ kind, claims }, client) {
      const session = await database.run((em) => find(em, claims.sid))
      const isProof = session &&
        (kind === 'access' ? !await endings.isTokenRevoked(claims) : isGenuine(session, claims))
      if (isProof) await endings.end(session.id, 'replaced', { userId: session.user.id, client })
    },
  }
}
