import { createHash, randomBytes } from 'node:crypto'
import { crc32 } from 'node:zlib'

/*
 * The text of a key: `<prefix>_<id: 22><secret: 43><checksum: 6>`, in base62, so that a double click takes all of it.
 *
 * | part | is |
 * | --- | --- |
 * | prefix | a word that scanners of secrets look for |
 * | id | the key's row, a UUID of 128 bits: no secret |
 * | secret | 256 random bits |
 * | checksum | the CRC-32 of all before it: a typo is refused without asking anybody |
 */

const digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/** How many digits hold 128, 256 and 32 bits. */
const lengths = { id: 22, secret: 43, checksum: 6 } as const

/** How many characters follow the prefix and the underscore. */
const bodyLength = lengths.id + lengths.secret + lengths.checksum

/** How many of the last characters of a key its owner is shown, to tell one from another. */
const hintLength = 4

/** A key that was just made. */
export interface NewText {
  key: string
  /** What is stored of it. */
  hash: string
  /** Its last characters. */
  hint: string
}

/** Makes and reads the texts of keys with this prefix. */
export interface KeyTexts {
  /** A key for the row of this id. */
  make: (id: string) => NewText
  /** True for what is meant to be a key, right or wrong. No JWT is: its text begins with other characters. */
  isMeant: (text: string) => boolean
  /** The id in a key whose checksum is right; undefined for any other text. */
  idOf: (text: string) => string | undefined
}

export function createKeyTexts (prefix: string): KeyTexts {
  const start = `${prefix}_`
  const form = new RegExp(`^${start}[0-9A-Za-z]{${bodyLength}}$`)

  return {
    make (id) {
      const secret = inBase62(randomBytes(32), lengths.secret)
      const unchecked = `${start}${inBase62(Buffer.from(id.replaceAll('-', ''), 'hex'), lengths.id)}${secret}`
      const key = `${unchecked}${checksumOf(unchecked)}`
      return { key, hash: hashOf(key), hint: key.slice(-hintLength) }
    },

    isMeant: (text) => text.startsWith(start),

    idOf (text) {
      if (!form.test(text)) return
      const unchecked = text.slice(0, -lengths.checksum)
      if (checksumOf(unchecked) !== text.slice(-lengths.checksum)) return
      return idIn(text.slice(start.length, start.length + lengths.id))
    },
  }
}

/** What is stored of a key. Its 256 random bits need no salt and no slow hash (ASVS 5 6.5.2). */
export function hashOf (key: string): string {
  return createHash('sha256').update(key).digest('hex')
}

function checksumOf (text: string): string {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(crc32(text))
  return inBase62(bytes, lengths.checksum)
}

/** The UUID that these digits hold; undefined for a number that is none, or too large. */
function idIn (text: string): string | undefined {
  const hex = [...text].reduce((number, digit) => number * 62n + BigInt(digits.indexOf(digit)), 0n).toString(16)
  if (hex.length > 32) return
  return hex.padStart(32, '0').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}

/** A number of these bytes, with zeros before it. */
function inBase62 (bytes: Buffer, length: number): string {
  let rest = BigInt(`0x${bytes.toString('hex')}`)
  const text: string[] = []
  for (let place = 0; place < length; place++) {
    text.unshift(digits[Number(rest % 62n)]!)
    rest /= 62n
  }
  return text.join('')
}
