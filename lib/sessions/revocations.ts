import { raw, type EntityManager } from '@mikro-orm/core'
import { v7 as uuid } from 'uuid'
import type { Database } from '../database.ts'
import { Revision } from '../entities/revision.ts'
import { RevokedToken } from '../entities/revoked-token.ts'
import { Session } from '../entities/session.ts'
import { TokenRevoked } from '../errors.ts'
import type { Settings } from '../settings.ts'
import type { AccessClaims } from '../tokens/access-token.ts'
import { isOver } from './rotation.ts'

export interface Revocations {
  /**
   * The session an access token belongs to, with its user, as they are now.
   * @throws {TokenRevoked} when the token or the session is over, or the user gone, disabled or logged out everywhere
   */
  sessionOf: (claims: AccessClaims) => Promise<Session>
  /** True for an access token that was revoked by itself. */
  isRevoked: (em: EntityManager, jti: string) => Promise<boolean>
  /** Adds an entry to the ordered log, in the transaction of what it tells of; for a user with the new epoch. */
  record: (em: EntityManager, kind: RevokedToken['kind'], subject: string, now: Date, epoch?: number) => Promise<void>
}

/** Tokens signed by a machine whose clock is ahead live that much longer. */
const clockSkewSeconds = 60

/** Answers from the database, two indexed reads a request, and never lets a request in when it cannot. */
export function createRevocations (database: Database, { access, leewaySeconds }: Settings): Revocations {
  const keptForMs = (access.expiresInSeconds + leewaySeconds + clockSkewSeconds) * 1000

  async function isRevoked (em: EntityManager, jti: string): Promise<boolean> {
    return await em.count(RevokedToken, { kind: 'token', subject: jti }, { connectionType: 'write' }) > 0
  }

  return {
    isRevoked,

    async sessionOf ({ sid, sub, ver, jti }) {
      const { session, isTokenRevoked } = await database.run(async (em) => ({
        session: await findSession(em, sid),
        isTokenRevoked: await isRevoked(em, jti),
      }))
      const alive = session && !isTokenRevoked && session.user.id === sub && ver >= session.user.epoch && !isOver(session, new Date())
      if (!alive) throw new TokenRevoked()
      return session
    },

    async record (em, kind, subject, now, epoch) {
      // Locking the one row first makes the numbers appear in commit order: a poller that saw 7 has seen 1 to 6.
      await em.nativeUpdate(Revision, { id: 1 }, { revision: raw<number>('revision + 1') })
      const { revision } = await em.findOneOrFail(Revision, { id: 1 })
      await em.insert(RevokedToken, {
        id: uuid(), revision, kind, subject, epoch: epoch ?? null, createdAt: now, expiresAt: new Date(now.getTime() + keptForMs),
      })
    },
  }
}

/** From the primary, never from a replica: what is decided by an old row is decided wrongly. */
export function findSession (em: EntityManager, id: string) {
  return em.findOne(Session, { id }, { populate: ['user'], strategy: 'joined', connectionType: 'write' })
}
