import type { Prune } from '../database/prune.ts'
import { Session } from './entity.ts'
import { dayOf } from './births.ts'
import type { SessionSettings } from './options.ts'
import { clockSkewSeconds, keptForSeconds } from './revocations.ts'
import { RevokedToken } from './revoked-token.ts'

const beforeSkew = (now: number) => now - clockSkewSeconds * 1000

/** Sessions whose refresh token has expired. */
export const pruneOfSessions: Prune<'sessions'> = {
  name: 'sessions',
  entity: Session,
  by: 'expiresDay',
  isOld: (now) => ({
    expiresDay: { $lte: dayOf(beforeSkew(now)) },
    refreshExpiresAt: { $lt: new Date(beforeSkew(now)) },
  }),
}

/**
 * Entries of the log whose tokens have all expired. `expiresAt` is by the lives of tokens in the process that wrote the
 * entry: where those are longer in this process, it is kept for longer.
 */
export function pruneOfRevocations (settings: Pick<SessionSettings, 'access' | 'leewaySeconds'>): Prune<'revocations'> {
  const keptForMs = keptForSeconds(settings) * 1000
  return {
    name: 'revocations',
    entity: RevokedToken,
    by: 'expiresAt',
    isOld: (now) => ({
      expiresAt: { $lt: new Date(beforeSkew(now)) },
      createdAt: { $lt: new Date(beforeSkew(now) - keptForMs) },
    }),
  }
}
