import { raw, type EntityManager } from '@mikro-orm/core'
import type { Database } from '../database.ts'
import { RevokedToken } from '../entities/revoked-token.ts'
import { Session } from '../entities/session.ts'
import { User } from '../entities/user.ts'
import { TokenRevoked } from '../errors.ts'
import type { AccessClaims } from '../tokens/access-token.ts'
import { isId } from '../tokens/claims.ts'
import { noteAnswer } from './note-answer.ts'
import type { RevocationLog, Write } from './revocation-log.ts'

/** Why a session is over, as its row tells. */
export type EndReason = 'logout' | 'reuse' | 'ended' | 'everywhere' | 'password' | 'disabled' | 'limit'

/** The session that changes a password, and when it did. */
export type GoesOn = Pick<Session, 'id' | 'authTime'>

/** The ways in which sessions and tokens end. Each is one short transaction, with its entry in the log. */
export interface Endings {
  /** Ends a session, of this user if one is named. False when there is none that goes on. */
  end: (sessionId: string, reason: EndReason, userId?: string, em?: EntityManager) => Promise<boolean>
  /** Ends all sessions of a user. False when there is no such user. */
  endAll: (userId: string, em?: EntityManager) => Promise<boolean>
  /**
   * Ends all sessions of a user but one, each by itself, so that the access tokens of that one stay good. False when there
   * is no such user.
   */
  keepOnly: (userId: string, sessionId: string, em?: EntityManager) => Promise<boolean>
  /** In a transaction of the log: ends these sessions, which go on. */
  endThese: (tx: EntityManager, write: Write, sessionIds: string[], reason: EndReason) => Promise<void>
  /**
   * In a transaction of the log: raises the user's epoch, and ends all sessions but the one that goes on, at the new one.
   * Locks the user, then sessions, then the log, as everybody does, so that nobody waits in a circle. False when there is
   * no such user.
   * @throws {TokenRevoked} when the session that is to go on is over
   */
  endOthers: (tx: EntityManager, write: Write, userId: string, reason: EndReason, goesOn?: GoesOn) => Promise<boolean>
  /** Ends one access token, and nothing else of its session. */
  revokeToken: (claims: AccessClaims) => Promise<void>
  /** True for an access token that was ended by itself, as the database has it. */
  isTokenRevoked: (claims: Pick<AccessClaims, 'jti'>) => Promise<boolean>
}

export function createEndings (database: Database, log: RevocationLog): Endings {
  async function endOthers (tx: EntityManager, write: Write, userId: string, reason: EndReason, goesOn?: GoesOn): Promise<boolean> {
    const raised = await tx.nativeUpdate(User, { id: userId }, { epoch: raw<number>('epoch + 1') })
    if (raised === 0) return false
    const { epoch } = await tx.findOneOrFail(User, { id: userId }, { refresh: true, connectionType: 'write' })
    await stop(tx, await others(tx, userId, goesOn?.id), reason)
    if (goesOn) {
      const { id, authTime } = goesOn
      if (await tx.nativeUpdate(Session, { id, revokedAt: null }, { ver: epoch, authTime }) === 0) throw new TokenRevoked()
      await noteAnswer(tx, id)
    }
    await write('user', userId, epoch)
    return true
  }

  async function endThese (tx: EntityManager, write: Write, sessionIds: string[], reason: EndReason): Promise<void> {
    await stop(tx, sessionIds, reason)
    for (const id of sessionIds) await write('session', id)
  }

  function isTokenRevoked ({ jti }: Pick<AccessClaims, 'jti'>): Promise<boolean> {
    return database.run(async (em) => await em.count(RevokedToken, { kind: 'token', subject: jti }, { connectionType: 'write' }) > 0)
  }

  return {
    endThese,
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
      return isId(userId) && log.record((tx, write) => endOthers(tx, write, userId, 'everywhere'), em)
    },

    async keepOnly (userId, sessionId, em) {
      return isId(userId) && log.record(async (tx, write) => {
        // Locks the user, as a login does, and changes nothing.
        if (await tx.nativeUpdate(User, { id: userId }, { epoch: raw<number>('epoch') }) === 0) return false
        await endThese(tx, write, await others(tx, userId, sessionId), 'ended')
        return true
      }, em)
    },

    async revokeToken (claims) {
      if (!await isTokenRevoked(claims)) await log.record((_, write) => write('token', claims.jti))
    },
  }
}

/** The sessions of a user, who is locked, but for one. */
async function others (tx: EntityManager, userId: string, keptId?: string): Promise<string[]> {
  const where = { user: userId, revokedAt: null, ...isId(keptId) && { id: { $ne: keptId! } } }
  const found = await tx.find(Session, where, { orderBy: { id: 'asc' }, connectionType: 'write', disableIdentityMap: true })
  return found.map(({ id }) => id)
}

/** By primary keys alone: InnoDB would lock an index first, and often wait in a circle with who ends one of these. */
async function stop (tx: EntityManager, sessionIds: string[], reason: EndReason): Promise<void> {
  await tx.nativeUpdate(Session, { id: { $in: sessionIds }, revokedAt: null }, { revokedAt: new Date(), revokeReason: reason })
}

/** The sessions of a user that have not ended by themselves. */
export function goingOn (userId: string) {
  const now = new Date()
  return { user: userId, revokedAt: null, refreshExpiresAt: { $gt: now }, absoluteExpiresAt: { $gt: now } }
}
