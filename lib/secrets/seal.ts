import { createCipheriv, createDecipheriv, createSecretKey, randomBytes, type KeyObject } from 'node:crypto'
import { derive } from './derive.ts'

/** A key that texts are sealed with. */
export interface SealKey {
  /** Says in sealed texts which key it was: 8 characters that tell nothing of the key. */
  id: string
  key: KeyObject
}

/** Where a sealed text is kept. What was sealed for one place opens in no other. None of these may hold a blank. */
export interface Place {
  /** What it is, such as `totp`. */
  purpose: string
  /** The table's name. */
  table: string
  /** The id of the row. */
  row: string
}

/** What a text held. */
export interface Unsealed {
  plain: Buffer
  /** True where another key than the first has opened it: it is to be sealed anew. */
  isOld: boolean
}

/** Encrypts what has to be read again and is kept where others could read it: short texts, such as seeds and tokens. */
export interface Seal {
  /** The id of the key that seals. */
  keyId: string
  /** A text of its own each time: `s1.<key id>.<iv>.<ciphertext ‖ tag>`, in letters, digits, `-`, `_` and dots. */
  seal: (plain: Buffer | string, place: Place) => string
  /**
   * Opens what any of the keys has sealed for this very place.
   * @throws {SealKeyMissing} for a text of a key that is not there, which may be a text that somebody has made up
   * @throws {SealBroken} for anything else that these keys have not sealed for this place
   */
  open: (text: string, place: Place) => Unsealed
}

/** Thrown where the key of a sealed text is not among those that are given. It tells the key by its id. */
export class SealKeyMissing extends Error {
  declare keyId: string

  constructor (keyId: string) {
    super(`What the key ${keyId} has sealed cannot be read: it is not among the keys of encryptionKey`)
    this.name = 'SealKeyMissing'
    this.keyId = keyId
  }
}

/** Thrown for a text that was not sealed by these keys, was sealed for another place, or is damaged. */
export class SealBroken extends Error {
  constructor () {
    super('A sealed text does not open')
    this.name = 'SealBroken'
  }
}

const algorithm = 'aes-256-gcm'

/** NIST SP 800-38D §8.2.2: 96 random bits are good for 2^32 texts of a key. */
const ivBytes = 12

const tagBytes = 16

/** Long texts are refused unread, so that a hostile one costs nothing. */
const form = /^s1\.(?<keyId>[\w-]{8})\.(?<iv>[\w-]{16})\.(?<sealed>[\w-]{22,65536})$/

/** The key for sealing that a secret of at least 32 random bytes gives. */
export function readSealKey (secret: Buffer): SealKey {
  return {
    id: derive(secret, 'seal-id').toString('base64url').slice(0, 8),
    key: createSecretKey(derive(secret, 'seal')),
  }
}

/** Seals with the first of the keys, of which there is at least one, and opens with each. */
export function createSeal (keys: readonly SealKey[]): Seal {
  const [first] = keys as [SealKey, ...SealKey[]]

  return {
    keyId: first.id,

    seal (plain, place) {
      const iv = randomBytes(ivBytes)
      const cipher = createCipheriv(algorithm, first.key, iv).setAAD(additional(place))
      const sealed = [cipher.update(plain), cipher.final(), cipher.getAuthTag()]
      return ['s1', first.id, iv.toString('base64url'), Buffer.concat(sealed).toString('base64url')].join('.')
    },

    open (text, place) {
      const { keyId, iv, sealed } = partsOf(text) ?? refuse()
      const known = keys.find(({ id }) => id === keyId)
      if (!known) throw new SealKeyMissing(keyId)
      return { plain: decrypted(known.key, iv, sealed, additional(place)), isOld: known !== first }
    },
  }
}

/** The id of the key that a sealed text names. Undefined for what has not the form of one. */
export function keyIdOf (text: string): string | undefined {
  return partsOf(text)?.keyId
}

function partsOf (text: string) {
  const { keyId, iv, sealed } = form.exec(text)?.groups ?? {}
  return keyId === undefined ? undefined : { keyId, iv: bytesOf(iv!), sealed: bytesOf(sealed!) }
}

function bytesOf (part: string): Buffer {
  return Buffer.from(part, 'base64url')
}

/** Nothing of the plain text is given away before its tag has been compared. */
function decrypted (key: KeyObject, iv: Buffer, sealed: Buffer, place: Buffer): Buffer {
  const decipher = createDecipheriv(algorithm, key, iv, { authTagLength: tagBytes }).setAAD(place)
  decipher.setAuthTag(sealed.subarray(-tagBytes))
  const plain = decipher.update(sealed.subarray(0, -tagBytes))
  try {
    decipher.final()
  } catch {
    refuse()
  }
  return plain
}

function additional ({ purpose, table, row }: Place): Buffer {
  return Buffer.from(`${purpose} ${table} ${row}`)
}

function refuse (): never {
  throw new SealBroken()
}
