import { pbkdf2 as derive, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import type { PasswordVerifier } from '../options.ts'

type Digest = 'sha1' | 'sha256' | 'sha512'

interface Derived {
  digest: string
  iterations: number
  salt: string | Buffer
  key: Buffer
}

/** Werkzeug's `pbkdf2:sha256:…`, Django's `pbkdf2_sha256$…`, and the PHC strings of passlib and others. */
const werkzeug = /^pbkdf2:(sha1|sha256|sha512):(\d{1,7})\$([^$]{1,128})\$((?:[0-9a-f]{2}){16,64})$/
const django = /^pbkdf2_(sha1|sha256|sha512)\$(\d{1,7})\$([^$]{1,128})\$([A-Za-z0-9+/]{22,86}={0,2})$/
const phc =
  /^\$pbkdf2(?:-(sha1|sha256|sha512))?\$(?:i=)?(\d{1,7})(?:,l=\d{2})?\$([A-Za-z0-9+/.]{1,128})\$([A-Za-z0-9+/.]{22,86})$/

const blockBytes = { sha1: 20, sha256: 32, sha512: 64 }

const pbkdf2Of = promisify(derive)

/** Verifies PBKDF2 hashes up to this many iterations. */
export function pbkdf2 ({
  iterations: most,
  digest = 'sha256',
}: {
  iterations: number
  digest?: Digest
}): PasswordVerifier {
  return {
    decoy: `pbkdf2:${digest}:${most}$salt$${'00'.repeat(32)}`,

    knows (hash) {
      const stored = read(hash)
      return stored !== undefined && stored.iterations > 0 && stored.iterations <= most
    },

    async verify (hash, password) {
      const { digest, iterations, salt, key } = read(hash)!
      // What follows the first block is no harder to find, and would take as long again (RFC 8018 §5.2).
      const block = key.subarray(0, blockBytes[digest as Digest])
      if (timingSafeEqual(await pbkdf2Of(password, salt, iterations, block.length, digest), block)) return true
      if (iterations < most) await pbkdf2Of(password, salt, most - iterations, block.length, digest)
      return false
    },
  }
}

function read (hash: string): Derived | undefined {
  const [, digest = 'sha1', iterations, salt, key] = werkzeug.exec(hash) ?? django.exec(hash) ?? phc.exec(hash) ?? []
  if (salt === undefined || key === undefined) return undefined
  return {
    digest,
    iterations: Number(iterations),
    salt: hash.startsWith('$') ? fromBase64(salt) : salt,
    key: hash.startsWith('pbkdf2:') ? Buffer.from(key, 'hex') : fromBase64(key),
  }
}

/** passlib writes a dot for a plus. */
function fromBase64 (text: string): Buffer {
  return Buffer.from(text.replaceAll('.', '+'), 'base64')
}
