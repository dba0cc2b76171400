import { hkdfSync } from 'node:crypto'

/** What a key is derived for. */
export type Purpose = 'kid' | 'refresh' | 'ticket' | DerivedPurpose | 'pepper' | 'pepper-id' | 'seal' | 'seal-id'

/**
 * What a key is derived for that no token is signed with: values against CSRF, values by which a browser is known, the
 * names of what is counted against guessing, the links and codes of mails, values by which a browser is remembered, and
 * the seals of events.
 */
export type DerivedPurpose = 'challenge' | 'csrf' | 'device' | 'throttle' | 'mail' | 'remember' | 'audit'

/** A key for one purpose (RFC 5869): what is made for one is worth nothing for another. */
export function derive (secret: Buffer, purpose: Purpose): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, '', `fastify-jwt-accounts/${purpose}/v1`, 32))
}
