import { NotFound } from '../errors.ts'
import { knownOptions } from '../service-options.ts'
import type { InTransaction } from '../users/services.ts'
import type { Endings } from './endings.ts'
import type { Sessions } from './sessions.ts'

/** A session that goes on. */
export interface SessionInfo {
  id: string
  createdAt: Date
  /** When it was refreshed last, or its tokens were shown for the first time since. */
  lastUsedAt: Date
  /** Unless it is refreshed. */
  expiresAt: Date
  userAgent: string | null
  ip: string | null
}

/** What code may do with sessions. Options that they do not know are `OptionsInvalid`. */
export interface SessionServices {
  /** The sessions of a user that go on, the one used last first. */
  list: (userId: string, options?: InTransaction) => Promise<SessionInfo[]>
  /** Ends a session, with every token of it. False when there is none that goes on. */
  revoke: (sessionId: string, options?: InTransaction) => Promise<boolean>
  /**
   * Ends all sessions of a user, or with `except` all but that one.
   * @throws {NotFound}
   */
  revokeAll: (userId: string, options?: InTransaction & { except?: string }) => Promise<void>
}

export function createSessionServices (sessions: Sessions, endings: Endings): SessionServices {
  return {
    async list (userId, options = {}) {
      const { em } = knownOptions('sessions.list', ['em'], options)
      const found = await sessions.list(userId, em)
      return found.map(({ id, createdAt, lastUsedAt, refreshExpiresAt: expiresAt, userAgent, ip }) => ({ id, createdAt, lastUsedAt, expiresAt, userAgent, ip }))
    },

    async revoke (sessionId, options = {}) {
      const { em } = knownOptions('sessions.revoke', ['em'], options)
      return endings.end(sessionId, 'ended', { em })
    },

    async revokeAll (userId, options = {}) {
      const { except, em } = knownOptions('sessions.revokeAll', ['except', 'em'], options)
      const isThere = await (except === undefined ? endings.endAll(userId, { em }) : endings.keepOnly(userId, except, { em }))
      if (!isThere) throw new NotFound()
    },
  }
}
