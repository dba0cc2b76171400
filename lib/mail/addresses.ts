import { readEmail } from '../users/identifiers.ts'

/** Whom a mail comes from, or goes to. */
export interface Mailbox {
  /** What mail programs show before the address. Empty for none. */
  name: string
  address: string
}

/** `Name <address>`, or an address alone. */
const form = /^(?:([^<>"\\,;:@()\p{C}]{1,64}) )?<([^<>]+)>$/u

/**
 * Reads `accounts@example.com`, or `Example <accounts@example.com>`. Undefined for anything else: a name with
 * characters that would have to be quoted is none.
 */
export function readMailbox (text: string): Mailbox | undefined {
  const [, name = '', address = text] = form.exec(text) ?? []
  try {
    return { name: name.trim(), address: readEmail(address) }
  } catch {}
}

/**
 * The address if a mail may go to it, as it was written. Asked right before a mail is sent, also of an address from the
 * database: a library that is given other text might send to somebody else.
 */
export function mailableAddress (address: string): string | undefined {
  try {
    return readEmail(address) === address && !/[\r\n\0<>"]/.test(address) ? address : undefined
  } catch {}
}

/** An address as an event or a log may tell of it: the first letter, and the domain. Of what is none nothing. */
export function maskedAddress (address: string): string {
  return mailableAddress(address)?.replace(/^(.)[^@]*@/u, '$1…@') ?? '…'
}
