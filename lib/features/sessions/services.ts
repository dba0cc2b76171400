import type { InTransaction } from '../../database/transactions.ts'
import { OptionsInvalid } from '../../http/errors.ts'
import { NotFound } from '../../users/errors.ts'
import { knownOptions } from '../../http/service-options.ts'
import type { OwnData, SessionData } from '../../sessions/data.ts'
import type { Sessions } from '../../sessions/sessions.ts'

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
  /** What you keep of it (`sessions.data`). */
  data: SessionData | null
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
  /**
   * Changes what you keep of a session, null for nothing: as a whole, so read it first where a part is to stay. Its
   * next tokens know it; those that are there do not change.
   * @throws {NotFound} where there is no such session that goes on
   * @throws {InputInvalid} for data of another shape than `sessions.data`
   * @throws {OptionsInvalid} where the app has no `sessions.data`
   */
  setData: (sessionId: string, data: SessionData | null, options?: InTransaction) => Promise<void>
}

export function createSessionServices (sessions: Sessions, ownData: OwnData): SessionServices {
  const { endings } = sessions

  return {
    async list (userId, options = {}) {
      const { em } = knownOptions('sessions.list', ['em'], options)
      const found = await sessions.list(userId, em)
      return found.map(({ id, createdAt, lastUsedAt, refreshExpiresAt: expiresAt, userAgent, ip, data }) =>
        ({ id, createdAt, lastUsedAt, expiresAt, userAgent, ip, data: ownData.of({ data }) }))
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
