import type { InTransaction } from '../../database/transactions.ts'
import { OptionsInvalid } from '../../http/errors.ts'
import { NotFound } from '../../users/errors.ts'
import { knownOptions } from '../../http/service-options.ts'
import type { OwnData, SessionData } from '../../sessions/data.ts'
import type { Sessions } from '../../sessions/sessions.ts'

/** An active session. */
export interface SessionInfo {
  id: string
  createdAt: Date
  /** When it was last refreshed, or the tokens of that refresh were first used. */
  lastUsedAt: Date
  /** Unless it is refreshed. */
  expiresAt: Date
  userAgent: string | null
  ip: string | null
  /** The id of the admin who has borrowed the session, or null. */
  actorId: string | null
  /** Your data of the session (`sessions.data`). */
  data: SessionData | null
}

/** The sessions of users. Unknown options throw `OptionsInvalid`. */
export interface SessionServices {
  /** Lists the active sessions of a user, the most recently used first. */
  list: (userId: string, options?: InTransaction) => Promise<SessionInfo[]>
  /** Ends a session and all its tokens. Returns false if it is not active. */
  revoke: (sessionId: string, options?: InTransaction) => Promise<boolean>
  /**
   * Ends all sessions of a user, or with `except` all but that one.
   * @throws {NotFound}
   */
  revokeAll: (userId: string, options?: InTransaction & { except?: string }) => Promise<void>
  /**
   * Replaces your data of a session as a whole, or removes it with null. The next tokens of the session contain it;
   * existing tokens do not change.
   * @throws {NotFound} if the session is not active
   * @throws {InputInvalid} if the data does not match `sessions.data`
   * @throws {OptionsInvalid} if the app has no `sessions.data`
   */
  setData: (sessionId: string, data: SessionData | null, options?: InTransaction) => Promise<void>
}

export function createSessionServices (sessions: Sessions, ownData: OwnData): SessionServices {
  const { endings } = sessions

  return {
    async list (userId, options = {}) {
      const { em } = knownOptions('sessions.list', ['em'], options)
      const found = await sessions.list(userId, em)
      return found.map(({ id, createdAt, lastUsedAt, refreshExpiresAt: expiresAt, userAgent, ip, actorId, data }) =>
        ({ id, createdAt, lastUsedAt, expiresAt, userAgent, ip, actorId, data: ownData.of({ data }) }))
    },

    async revoke (sessionId, options = {}) {
      const { em } = knownOptions('sessions.revoke', ['em'], options)
      return endings.end(sessionId, 'ended', { em })
    },

    async revokeAll (userId, options = {}) {
      const { except, em } = knownOptions('sessions.revokeAll', ['except', 'em'], options)
      const isThere = await (except === undefined
        ? endings.endAll(userId, { em })
        : endings.keepOnly(userId, except, { em }))
      if (!isThere) throw new NotFound()
    },

    async setData (sessionId, given, options = {}) {
      const { em } = knownOptions('sessions.setData', ['em'], options)
      if (!ownData.isOn) throw new OptionsInvalid('sessions.setData() needs the option sessions.data')
      if (!await sessions.setData(sessionId, ownData.read(given), em)) throw new NotFound()
    },
  }
}
