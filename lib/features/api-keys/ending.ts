import type { EndAlso } from '../../sessions/endings.ts'
import type { Follower } from '../../sessions/followers.ts'
import type { Spine } from '../spine.ts'
import { ApiKey } from './entity.ts'
import type { KnownKeys } from './known-keys.ts'
import type { Rows } from './rows.ts'

/** Ends the keys of a user that were made since a moment, with the sessions of who is disabled, say. */
export function createEndAlso (rows: Rows): EndAlso {
  return async (tx, userId, since) => {
    const made = (await rows.livingOf(tx, userId)).filter(({ createdAt }) => createdAt >= since)
    return rows.end(tx, userId, made.map(({ id }) => id))
  }
}

/** Goes by the log of revocations, in which a key's id stands as that of a session. */
export function createFollower (
  { log, sessions: { revocationLog } }: Spine, { forget, forgetAll }: Pick<KnownKeys, 'forget' | 'forgetAll'>
): Follower {
  return {
    apply ({ kind, subject }) {
      if (kind === 'session') forget(subject)
    },

    reset: forgetAll,

    async restore (ids) {
      const restored = await revocationLog.record(async (tx, write) => {
        let keys = 0
        for (const id of ids.toSorted()) {
          if (await tx.nativeUpdate(ApiKey, { id, revokedAt: null }, { revokedAt: new Date() }) === 0) continue
          await write('session', id)
          keys++
        }
        return keys
      })
      if (restored > 0) log.warn({ keys: restored }, 'The database had lost the end of API keys: it is written again')
    },
  }
}
