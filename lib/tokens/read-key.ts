import { createHash } from 'node:crypto'
import { isPlainObject } from '../checks/plain-object.ts'
import { derive } from '../secrets/derive.ts'
import { weakness } from '../secrets/weakness.ts'
import type { Algorithm, Key, KeyPair } from './key.ts'
import { readKeyPair } from './key-pair.ts'

const members = ['private', 'public', 'kid', 'algorithm']

/**
 * A key for signing and verifying, or the end of a sentence that says what it must be and is not. Access tokens are
 * signed with an HMAC secret itself, so that any JWT tool can check them; the other keys are derived from it (RFC
 * 5869), so that one kind of token can never pass for the other. An asymmetric key signs all kinds, told apart by
 * `typ`: a key derived from its private part would be lost when that is retired.
 */
export function readKey (given: unknown, algorithm?: Algorithm): Key | string {
  if (typeof given === 'string' || Buffer.isBuffer(given)) return secretKey(given, algorithm)
  if (!isPlainObject(given) || Object.keys(given).some((name) => !members.includes(name))) {
    return 'must be a string, a Buffer, or an object of private, public, kid and algorithm'
  }
  return readKeyPair(given as KeyPair, algorithm)
}

function secretKey (given: string | Buffer, algorithm: Algorithm = 'HS256'): Key | string {
  const weak = weakness(given)
  if (weak || algorithm !== 'HS256') return weak ?? `is an HMAC secret, which goes with HS256 and not with ${algorithm}`

  const secret = Buffer.from(given)
  const thumbprint = createHash('sha256').update(derive(secret, 'kid')).digest('base64url')
  return {
    kid: thumbprint.slice(0, 16),
    thumbprint,
    algorithm,
    signs: true,
    material: { access: secret, refresh: derive(secret, 'refresh'), ticket: derive(secret, 'ticket') },
    seed: secret,
    jwk: undefined,
  }
}
