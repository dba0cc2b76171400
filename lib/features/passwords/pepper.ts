import { createHmac, createSecretKey, type KeyObject } from 'node:crypto'
import { derive } from '../../secrets/derive.ts'

/** A secret that passwords are mixed with, which no copy of the database holds. */
export interface Pepper {
  /** Says in stored hashes which pepper it was. */
  id: string
  key: KeyObject
}

/** What was made with a pepper stands as `pepper:id:` before the hash. */
const form = /^pepper:([\w-]{8}):/

export function readPepper (secret: string | Buffer): Pepper {
  const bytes = Buffer.from(secret)
  return {
    id: derive(bytes, 'pepper-id').toString('base64url').slice(0, 8),
    key: createSecretKey(derive(bytes, 'pepper')),
  }
}

/** A hash as it is stored. */
export function label (phc: string, pepper: Pepper | undefined): string {
  return pepper ? `pepper:${pepper.id}:${phc}` : phc
}

/** The reverse; nothing for a hash whose pepper is not among these. */
export function unlabel (stored: string, peppers: Pepper[]): { phc: string, pepper: Pepper | undefined } | undefined {
  const [start = '', id] = form.exec(stored) ?? []
  const pepper = peppers.find((pepper) => pepper.id === id)
  return start === '' || pepper ? { phc: stored.slice(start.length), pepper } : undefined
}

/** What is hashed in place of the password: text of 43 characters, which no hasher cuts short. */
export function seasoned (password: string, { key }: Pepper): string {
  return createHmac('sha256', key).update(password).digest('base64url')
}
