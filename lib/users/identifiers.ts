import { createHash } from 'node:crypto'
import { domainToASCII } from 'node:url'
import { InputInvalid } from '../http/errors.ts'
import { isId } from '../tokens/claims.ts'

const mostNameLength = 64
const mostEmailLength = 254

/** Characters that cannot be seen (U+2800 is a Braille sign of no dots), or that change how their neighbours are seen. */
const invisible = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]/u
/** What this version of Unicode has not assigned, noncharacters included: another version folds and normalises it otherwise. */
const unassigned = /\p{Cn}/u
const localPart = /^[^\s@,;:<>()[\]\\"]{1,64}$/u
const domain = /^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/

/**
 * A user's name as it is stored: NFKC, trimmed, 1 to 64 code points, and never something that reads as an address, or
 * as an id: who looks for a user by either must not find somebody else.
 * @throws {InputInvalid} `ACCOUNTS_INPUT_INVALID`
 */
export function readUsername (text: string): string {
  const name = canonical(text)

  if (name === '' || [...name].length > mostNameLength) throw new InputInvalid(`body/username must have 1 to ${mostNameLength} characters`)
  if (name.includes('@')) throw new InputInvalid('body/username must not hold an @')
  if (isId(name.toLowerCase())) throw new InputInvalid('body/username must not look like an id')
  if (invisible.test(name)) throw new InputInvalid('body/username must not hold control or invisible characters')
  if (unassigned.test(name)) throw new InputInvalid('body/username must not hold characters that are not assigned in Unicode')
  return name
}

/**
 * An e-mail address as it is stored: normalised before it is looked at (a wide ＠ is an @), its domain in ASCII.
 * @throws {InputInvalid} `ACCOUNTS_INPUT_INVALID`
 */
export function readEmail (text: string): string {
  const email = canonical(text)
  const [local = '', host = '', ...more] = email.split('@')

  const isAddress = more.length === 0 && email.length <= mostEmailLength && localPart.test(local) && ![invisible, unassigned].some((characters) => characters.test(local)) && domain.test(host)
  if (!isAddress) throw new InputInvalid('body/email must be an e-mail address')
  return email
}

/**
 * What makes two spellings of a name or an address the same one: SHA-256 of it, folded. Works on any text, so that a
 * login can look up whatever was typed.
 */
export function identifierKey (text: string): string {
  const folded = canonical(text).toLowerCase().toUpperCase().toLowerCase().normalize('NFKC')
  return createHash('sha256').update(folded).digest('hex')
}

/** One spelling: NFKC, trimmed, and what follows an only @ as the domain that DNS knows. */
function canonical (text: string): string {
  return text.normalize('NFKC').trim().replace(/^([^@]*)@([\p{L}\p{M}\p{N}.\u3002-]+)$/u, (_, local, host) => `${local}@${domainToASCII(host)}`)
}
