import { createHmac, randomBytes } from 'node:crypto'
import { isEqual } from '../../secrets/equal.ts'

/** What a passkey is to prove: a challenge for one purpose serves no other. */
export type Purpose = keyof typeof codes

const codes = { login: 1, factor: 2, reauthenticate: 3, registration: 4 } as const

/**
 * Makes and knows challenges of WebAuthn without storing any: nobody else can make one, it is good for one purpose and
 * one binding, and for a few minutes. That it is used once alone is not seen here.
 *
 *     16 random bytes | 4: seconds since 1970 when it expires | 1: purpose | 16 of HMAC-SHA-256 of those and more
 *
 * More is the name of the accounts and the binding.
 */
export interface Challenges {
  /** A new challenge in base64url. `binding` is what it belongs to: a ticket, a session, a user; nothing at a login. */
  make: (purpose: Purpose, binding?: string) => string
  /** When a challenge expires, if it is ours, for this purpose and binding, and not over. Undefined for any other. */
  check: (challenge: unknown, purpose: Purpose, binding?: string) => Date | undefined
}

/** How long a challenge is good: the ceremony in the browser has this time. */
export const challengeSeconds = 300

/** So much may the clocks of other processes be ahead. */
const mostSecondsAhead = 60

const stemLength = 21

/** `keys`: the first makes, each verifies. `name`: of the accounts, whose challenges no others of the app take. */
export function createChallenges (keys: Buffer[], name: string): Challenges {
  const sign = (key: Buffer, stem: Buffer, binding: string) =>
    createHmac('sha256', key).update(stem).update(`${name}\0${binding}`).digest().subarray(0, 16)

  return {
    make (purpose, binding = '') {
      const stem = Buffer.alloc(stemLength)
      randomBytes(16).copy(stem)
      stem.writeUInt32BE(Math.floor(Date.now() / 1000) + challengeSeconds, 16)
      stem[20] = codes[purpose]
      return Buffer.concat([stem, sign(keys[0]!, stem, binding)]).toString('base64url')
    },

    check (challenge, purpose, binding = '') {
      // 37 bytes leave four bits of the last character, which have to be 0: no challenge has a second text.
      if (typeof challenge !== 'string' || !/^[\w-]{49}[AQgw]$/.test(challenge)) return
      const bytes = Buffer.from(challenge, 'base64url')
      const stem = bytes.subarray(0, stemLength)
      const expiresAt = stem.readUInt32BE(16) * 1000
      const leftMs = expiresAt - Date.now()
      const isInTime = leftMs > 0 && leftMs <= (challengeSeconds + mostSecondsAhead) * 1000
      if (stem[20] !== codes[purpose] || !isInTime) return
      const signature = bytes.subarray(stemLength).toString('hex')
      const isOurs = keys.some((key) => isEqual(signature, sign(key, stem, binding).toString('hex')))
      return isOurs ? new Date(expiresAt) : undefined
    },
  }
}
