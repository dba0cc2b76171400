import { frozen } from '../../checks/frozen.ts'
import type { KnownKey } from '../../guards/key-access.ts'
import { isEqual } from '../../secrets/equal.ts'
import { TokenRevoked } from '../../sessions/errors.ts'
import type { AccessClaims } from '../../tokens/claims.ts'
import { TokenExpired, TokenInvalid } from '../../tokens/errors.ts'
import { hashOf } from './key-text.ts'
import type { KeyRow } from './rows.ts'

/** Compared with where there is no key of an id, so that this takes no other time. */
const noHash = '0'.repeat(64)

/**
 * What a key is that was shown, by its row. Only somebody who has the key learns that it is over.
 * @throws {TokenInvalid | TokenRevoked | TokenExpired}
 */
export function judged (row: KeyRow | undefined, text: string): KnownKey {
  const hash = hashOf(text)
  const isCurrent = isEqual(hash, row?.hash ?? noHash)
  const isOld = isEqual(hash, row?.oldHash ?? noHash)
  if (!row || !(isCurrent || isOld)) throw new TokenInvalid()
  if (row.revokedAt) throw new TokenRevoked()

  const endsAt = isCurrent ? row.expiresAt?.getTime() ?? Infinity : row.oldUntil!.getTime()
  if (endsAt <= Date.now()) throw new TokenExpired()
  return knownOf(row, endsAt)
}

function knownOf ({ id, userId, scopes }: KeyRow, endsAt: number): KnownKey {
  const exp = endsAt / 1000
  const told = exp < Infinity && { exp: Math.floor(exp) }
  const claims = { sub: userId, client_id: userId, scope: scopes.join(' '), ...told }
  // No generation and no epoch: what ends a key is its entry in the log, and its user.
  const inner = { sub: userId, sid: id, jti: '', gen: 0, ver: Infinity, exp, iat: 0, auth_time: 0, iss: '', aud: '' }
  return frozen({ id, userId, scopes, claims, inner: inner satisfies AccessClaims })
}
