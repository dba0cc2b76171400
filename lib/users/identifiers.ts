import { createHash } from 'node:crypto'
import { domainToASCII } from 'node:url'
import { InputInvalid } from '../http/errors.ts'
import { isId } from '../tokens/claims.ts'

const mostNameLength = 64
const mostEmailLength = 254

/**
 * Characters that cannot be seen (U+2800 is a Braille sign of no dots), or that change how their neighbours are seen.
 */
const invisible = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]/u
/** Characters that this version of Unicode has not assigned: another version may fold and normalise them otherwise. */
const unassigned = /\p{Cn}/u
const localPart = /^[^\s@,;:<>()[\]\\"]{1,64}$/u
const domain = /^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/

/**
 * A user's name as it is stored: NFKC, trimmed, 1 to 64 code points. It must not look like an address or an id, so that
 * to look for a user by either never finds somebody else.
 * @throws {InputInvalid} `ACCOUNTS_INPUT_INVALID`
 */
export function readUsername (text: string): string {
  const name = canonical(text)

  if (name === '' || [...name].length > mostNameLength) {
    throw new InputInvalid(`body/username must have 1 to ${mostNameLength} characters`)
  }
  if (name.includes('@')) throw new InputInvalid('body/username must not hold an @')
  if (isId(name.toLowerCase())) throw new InputInvalid('body/username must not look like an id')
  if (invisible.test(name)) throw new InputInvalid('body/username must not hold control or invisible characters')
  if (unassigned.test(name)) {
    throw new InputInvalid('body/username must not hold characters that are not assigned in Unicode')
  }
  return name
}

/**
 * An e-mail address as it is stored: normalised before it is split (a wide ＠ is an @), with its domain in ASCII.
 * @throws {InputInvalid} `ACCOUNTS_INPUT_INVALID`
 */
export function readEmail (text: string): string {
  const email = canonical(text)
  const [local = '', host = '', ...more] = email.split('@')

  const isVisible = ![invisible, unassigned].some((characters) => characters.test(local))
  const isAddress = more.length === 0 && email.length <= mostEmailLength && localPart.test(local) && isVisible &&
    domain.test(host)
  if (!isAddress) throw new InputInvalid('body/email must be an e-mail address')
  return email
}

/**
 * The key that two spellings of one name or address share: the SHA-256 of the folded text. Works on any text, so that a
 * login can look up whatever was typed.
 */
export function identifierKey (text: string): string {
  const folded = canonical(text).toLowerCase().toUpperCase().toLowerCase().normalize('NFKC')
  return createHash('sha256').update(folded).digest('hex')
}

/** NFKC, trimmed, and after a single @ the domain in ASCII, as DNS knows it. */
function canonical (text: string): string {
  const address = /^([^@]*)@([\p{L}\p{M}\p{N}.\u3002-]+)$/u
  return text.normalize('NFKC').trim().replace(address, (_, local, host) => `${local}@${domainToASCII(host)}`)
}
