import { raw, type EntityManager } from '@mikro-orm/core'
import type { Database } from '../database.ts'
import { Session } from '../entities/session.ts'
import { User } from '../entities/user.ts'
import type { AccessClaims } from '../tokens/access-token.ts'
import { isId } from '../tokens/claims.ts'
import type { Revocations } from './revocations.ts'

/** Why a session is over, as its row tells. */
export type EndReason = 'logout' | 'reuse' | 'ended' | 'everywhere' | 'password'

/** The ways in which sessions and tokens end. Each is one short transaction that writes first, with its entry in the log. */
export interface Endings {
  /** Ends a session, of this user if one is named. False when there is none that goes on. */
  end: (sessionId: string, reason: EndReason, userId?: string) => Promise<boolean>
  /** Ends all sessions of a user. */
  endAll: (userId: string) => Promise<void>
  /** In a transaction of the caller's: raises the user's epoch, and ends all sessions but the one that goes on. Gives the epoch. */
  endOthers: (em: EntityManager, userId: string, reason: EndReason, goesOn?: string) => Promise<number>
  /** Ends one access token, and nothing else of its session. */
  revokeToken: (claims: AccessClaims) => Promise<void>
}

export function createEndings (database: Database, revocations: Revocations): Endings {
  async function endOthers (em: EntityManager, userId: string, reason: EndReason, goesOn?: string): Promise<number> {
    const now = new Date()
    await em.nativeUpdate(User, { id: userId }, { epoch: raw<number>('epoch + 1') })
    const { epoch } = await em.findOneOrFail(User, { id: userId }, { refresh: true })
    const others = { user: userId, revokedAt: null, ...goesOn === undefined ? {} : { id: { $ne: goesOn } } }
    await em.nativeUpdate(Session, others, { revokedAt: now, revokeReason: reason })
    await revocations.record(em, 'user', userId, now, epoch)
    return epoch
  }

  return {
    endOthers,

    async end (id, reason, userId) {
      if (!isId(id)) return false
      const now = new Date()
      const goesOn = { id, revokedAt: null, ...userId === undefined ? {} : { user: userId } }
      return database.run((em) => em.transactional(async (tx) => {
        const ended = await tx.nativeUpdate(Session, goesOn, { revokedAt: now, revokeReason: reason })
        if (ended === 1) await revocations.record(tx, 'session', id, now)
        return ended === 1
      }))
    },

    async endAll (userId) {
      await database.run((em) => em.transactional((tx) => endOthers(tx, userId, 'everywhere')))
    },

    async revokeToken ({ jti }) {
      await database.run(async (em) => {
        if (await revocations.isRevoked(em, jti)) return
        await em.transactional((tx) => revocations.record(tx, 'token', jti, new Date()))
      })
    },
  }
}
