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
export type EndReason = 'logout' | 'reuse' | 'ended' | 'everywhere' | 'password' | 'disabled' | 'limit'

/** The session that changes a password, and when it did. */
export type GoesOn = Pick<Session, 'id' | 'authTime'>

/** The ways in which sessions and tokens end. Each is one short transaction, with its entry in the log. */
export interface Endings {
  /** Ends a session, of this user if one is named. False when there is none that goes on. */
  end: (sessionId: string, reason: EndReason, userId?: string, em?: EntityManager) => Promise<boolean>
  /**
   * Ends all sessions of a user.
   * @throws {TokenRevoked} when there is no such user any more
   */
  endAll: (userId: string, em?: EntityManager) => Promise<void>
  /** In a transaction of the log: ends these sessions, which go on. */
  endThese: (tx: EntityManager, write: Write, sessionIds: string[], reason: EndReason) => Promise<void>
  /**
   * In a transaction of the log: raises the user's epoch, and ends all sessions but the one that goes on, at the new one.
   * Locks the user, then sessions, then the log, as everybody does, so that nobody waits in a circle.
   * @throws {TokenRevoked} when there is no such user any more, or the session does not go on
   */
  endOthers: (tx: EntityManager, write: Write, userId: string, reason: EndReason, goesOn?: GoesOn) => Promise<void>
  /** Ends one access token, and nothing else of its session. */
  revokeToken: (claims: AccessClaims) => Promise<void>
  /** True for an access token that was ended by itself, as the database has it. */
  isTokenRevoked: (claims: Pick<AccessClaims, 'jti'>) => Promise<boolean>
}

export function createEndings (database: Database, log: RevocationLog): Endings {
  async function endOthers (tx: EntityManager, write: Write, userId: string, reason: EndReason, goesOn?: GoesOn): Promise<void> {
    const raised = await tx.nativeUpdate(User, { id: userId }, { epoch: raw<number>('epoch + 1') })
    if (raised === 0) throw new TokenRevoked()
    const { epoch } = await tx.findOneOrFail(User, { id: userId }, { refresh: true, connectionType: 'write' })
    const others = { user: userId, revokedAt: null, ...goesOn && { id: { $ne: goesOn.id } } }
    await tx.nativeUpdate(Session, others, { revokedAt: new Date(), revokeReason: reason })
    if (goesOn) {
      const { id, authTime } = goesOn
      if (await tx.nativeUpdate(Session, { id, revokedAt: null }, { ver: epoch, authTime }) === 0) throw new TokenRevoked()
    }
    await write('user', userId, epoch)
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

    async endThese (tx, write, sessionIds, reason) {
      await tx.nativeUpdate(Session, { id: { $in: sessionIds }, revokedAt: null }, { revokedAt: new Date(), revokeReason: reason })
      for (const id of sessionIds) await write('session', id)
    },

    async endAll (userId, em) {
      await log.record((tx, write) => endOthers(tx, write, userId, 'everywhere'), em)
    },

    async revokeToken (claims) {
      if (!await isTokenRevoked(claims)) await log.record((_, write) => write('token', claims.jti))
    },
  }
}
