import { raw, type EntityManager } from '@mikro-orm/core'
import type { Database } from '../database.ts'
import { RevokedToken } from '../entities/revoked-token.ts'
import { Session } from '../entities/session.ts'
import { User } from '../entities/user.ts'
import { TokenRevoked } from '../errors.ts'
import type { AccessClaims } from '../tokens/access-token.ts'
import { isId } from '../tokens/claims.ts'
import type { RevocationLog, Write } from './revocation-log.ts'

/** Why a session is over, as its row tells. */
export type EndReason = 'logout' | 'reuse' | 'ended' | 'everywhere' | 'password'

/** The ways in which sessions and tokens end. Each is one short transaction, with its entry in the log. */
export interface Endings {
  /** Ends a session, of this user if one is named. False when there is none that goes on. */
  end: (sessionId: string, reason: EndReason, userId?: string, em?: EntityManager) => Promise<boolean>
  /** Ends all sessions of a user. */
  endAll: (userId: string, em?: EntityManager) => Promise<void>
  /**
   * In a transaction of the log: raises the user's epoch, and ends all sessions but the one that goes on. Gives the epoch.
   * @throws {TokenRevoked} when there is no such user any more
   */
  endOthers: (tx: EntityManager, write: Write, userId: string, reason: EndReason, goesOn?: string) => Promise<number>
  /** Ends one access token, and nothing else of its session. */
  revokeToken: (claims: AccessClaims) => Promise<void>
  /** True for an access token that was ended by itself, as the database has it. */
  isTokenRevoked: (claims: Pick<AccessClaims, 'jti'>) => Promise<boolean>
}

export function createEndings (database: Database, log: RevocationLog): Endings {
  async function endOthers (tx: EntityManager, write: Write, userId: string, reason: EndReason, goesOn?: string): Promise<number> {
    const raised = await tx.nativeUpdate(User, { id: userId }, { epoch: raw<number>('epoch + 1') })
    if (raised === 0) throw new TokenRevoked()
    const { epoch } = await tx.findOneOrFail(User, { id: userId }, { refresh: true })
    const others = { user: userId, revokedAt: null, ...goesOn === undefined ? {} : { id: { $ne: goesOn } } }
    await tx.nativeUpdate(Session, others, { revokedAt: new Date(), revokeReason: reason })
    await write('user', userId, epoch)
    return epoch
  }

  function isTokenRevoked ({ jti }: Pick<AccessClaims, 'jti'>): Promise<boolean> {
    return database.run(async (em) => await em.count(RevokedToken, { kind: 'token', subject: jti }, { connectionType: 'write' }) > 0)
  }

  return {
    endOthers,
    isTokenRevoked,

    async end (id, reason, userId, em) {
      if (!isId(id)) return false
      const goesOn = { id, revokedAt: null, ...userId === undefined ? {} : { user: userId } }
      return log.record(async (tx, write) => {
        const ended = await tx.nativeUpdate(Session, goesOn, { revokedAt: new Date(), revokeReason: reason })
        if (ended === 1) await write('session', id)
        return ended === 1
      }, em)
    },

    async endAll (userId, em) {
      await log.record((tx, write) => endOthers(tx, write, userId, 'everywhere'), em)
    },

    async revokeToken (claims) {
      if (!await isTokenRevoked(claims)) await log.record((_, write) => write('token', claims.jti))
    },
  }
}
