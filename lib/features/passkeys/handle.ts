import { createHash } from 'node:crypto'

/**
 * What authenticators know a user of these accounts by (WebAuthn L3 §5.4.3): always the same, without anything personal
 * in it and without a secret that could be lost. In base64url.
 */
export function userHandle (accounts: string, userId: string): string {
  return createHash('sha256').update(`fastify-jwt-accounts handle\0${accounts}\0${userId}`).digest('base64url')
}
