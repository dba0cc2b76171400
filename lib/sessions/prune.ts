import type { Prune } from '../database/prune.ts'
import { Session } from './entity.ts'
import type { SessionSettings } from './options.ts'
import { clockSkewSeconds, keptForSeconds } from './revocations.ts'
import { RevokedToken } from './revoked-token.ts'

const beforeSkew = (now: number) => now - clockSkewSeconds * 1000

/** Sessions whose refresh token has expired. */
export const pruneOfSessions: Prune<'sessions'> = {
  name: 'sessions',
  entity: Session,
  by: 'refreshExpiresAt',
  isOld: (now) => ({ refreshExpiresAt: { $lt: new Date(beforeSkew(now)) } }),
}

/**
 * Entries of the log that no token can be alive for. One of a process whose tokens live shorter than ours matters to us for
 * longer than it says.
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
