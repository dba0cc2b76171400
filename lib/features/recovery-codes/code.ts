import { createHash, randomBytes } from 'node:crypto'
import { readCode } from '../../one-time/secrets.ts'

/** Crockford's base32: what people read and type without mistaking one for another. */
const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'

/** 115 bits, so that a plain hash of it is enough (ASVS 5 6.5.2). */
const length = 23

const form = new RegExp(`^[${alphabet}]{${length}}$`)

/** A new code, as people are shown it: in groups of five characters. */
export function newRecoveryCode (): string {
  const characters = [...randomBytes(length)].map((byte) => alphabet[byte % alphabet.length])
  return characters.join('').match(/.{1,5}/g)!.join('-')
}

/** A code as it was typed: in any case, with blanks and hyphens anywhere, O for 0, I and L for 1; or undefined. */
export function readRecoveryCode (typed: string): string | undefined {
  const code = readCode(typed).toUpperCase().replaceAll('O', '0').replaceAll(/[IL]/g, '1')
  return form.test(code) ? code : undefined
}

/** What the database holds of a code that was read, of this user. */
export function hashOfRecoveryCode (userId: string, code: string): string {
  return createHash('sha256').update(`${userId}\0${code}`).digest('hex')
}
