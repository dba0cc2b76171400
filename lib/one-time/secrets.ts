import { createHash, createHmac, randomBytes } from 'node:crypto'
import { isEqual } from '../secrets/equal.ts'
import type { OneTimeRow } from './rows.ts'

/** What link and code of a row are computed of. */
export type Sealed = Pick<OneTimeRow, 'id' | 'purpose' | 'salt' | 'addressKey'>

/**
 * Makes and checks the links and codes of one-time rows. Both are HMACs of the row: what the database holds opens
 * nothing without a key that it does not hold. The first key makes, each verifies.
 */
export interface OneTimeSecrets {
  /** What the link holds: 22 characters for the id, a dot, 43 for the HMAC. */
  tokenOf: (row: Sealed) => string
  /** Decimal digits. */
  codeOf: (row: Sealed) => string
  /** Compares in constant time. */
  isToken: (row: Sealed, mac: string) => boolean
  /** Compares in constant time. */
  isCode: (row: Sealed, code: string) => boolean
}

export function createOneTimeSecrets (keys: Buffer[], digits: number): OneTimeSecrets {
  function mac (key: Buffer, kind: 'link' | 'code', { purpose, id, salt, addressKey }: Sealed): Buffer {
    return createHmac('sha256', key).update([kind, purpose, id, salt, addressKey].join('\0')).digest()
  }
  const linkMac = (key: Buffer, row: Sealed) => mac(key, 'link', row).toString('base64url')
  // Of 16 bytes the remainder is as good as even: 10^10 is nothing beside 2^128.
  const code = (key: Buffer, row: Sealed) =>
    (BigInt(`0x${mac(key, 'code', row).toString('hex', 0, 16)}`) % 10n ** BigInt(digits)).toString()
      .padStart(digits, '0')
  const isAny = (given: string, made: (key: Buffer) => string) =>
    keys.map((key) => isEqual(given, made(key))).includes(true)

  return {
    tokenOf: (row) => `${shortened(row.id)}.${linkMac(keys[0]!, row)}`,
    codeOf: (row) => code(keys[0]!, row),
    isToken: (row, given) => isAny(given, (key) => linkMac(key, row)),
    isCode: (row, given) => isAny(given, (key) => code(key, row)),
  }
}

/** A UUID in 22 characters. */
function shortened (id: string): string {
  return Buffer.from(id.replaceAll('-', ''), 'hex').toString('base64url')
}

/** The id and the HMAC of a link's token. Undefined for what has not its form. */
export function readToken (token: string): { id: string, mac: string } | undefined {
  const [, encoded, mac] = /^([\w-]{22})\.([\w-]{43})$/.exec(token) ?? []
  if (encoded === undefined) return
  const hex = Buffer.from(encoded, 'base64url').toString('hex')
  return { id: hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-'), mac: mac! }
}

/** A code as it was typed, without the spaces and dashes that make it readable. */
export function readCode (typed: string): string {
  return typed.normalize('NFKC').replaceAll(/[\s\p{Pd}]/gu, '')
}

/** What binds a code to whoever asked for it: 128 random bits. */
export function newChallenge (): string {
  return randomBytes(16).toString('base64url')
}

/** What the database holds of a challenge. */
export function challengeHash (challenge: string): string {
  return createHash('sha256').update(challenge).digest('hex')
}

/** What a row is salted with. */
export function newSalt (): string {
  return randomBytes(16).toString('base64url')
}
