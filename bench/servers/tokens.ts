import { randomBytes, randomUUID } from 'node:crypto'
import { createSigner } from 'fast-jwt'
import { bearer, secret, tokens } from './offer.ts'

/**
 * For the peers that only check tokens: as many as are wanted, with the claims that ours have, each of another user.
 */
export function usersWithTokens () {
  const sign = createSigner({ key: secret, algorithm: 'HS256', expiresIn: 3_600_000 })
  return Array.from({ length: tokens }, () => bearer(sign({
    iss: 'fastify-jwt-accounts',
    aud: 'fastify-jwt-accounts',
    sub: randomUUID(),
    sid: randomUUID(),
    gen: 0,
    ver: 0,
    jti: randomBytes(16).toString('base64url'),
    auth_time: Math.floor(Date.now() / 1000),
  })))
}

/** What a handler finds of such a token. */
export interface Claims { sub: string, jti: string }

/** For caches: as many tokens as ours remembers. */
export const cacheSize = 20_000
