import { Type } from '@sinclair/typebox'
import { Kept } from '../checks/kinds.ts'
import { named } from '../checks/sentences.ts'
import type { Filled, Loose } from '../checks/slice.ts'
import { readSealKey } from './seal.ts'
import { problemOfSecrets } from './weakness.ts'

/** What is stored is encrypted with it: bytes, as text or not. */
export type EncryptionKey = string | Buffer

export const options = {
  encryptionKey: Type.Optional(Kept<EncryptionKey | EncryptionKey[]>('EncryptionKey | EncryptionKey[]', {
    env: 'ACCOUNTS_ENCRYPTION_KEY',
    usual: 'the HMAC secrets of `secret`; none with pairs of keys alone',
    description: 'Encrypts stored data that has to be read again, such as seeds of authenticator apps: a string or ' +
      'Buffer of 32 random bytes or more (`openssl rand -base64 48`). In a list the first key encrypts, and all ' +
      'decrypt ([keys](keys.md#what-is-stored-encrypted)).',
  })),
}

/** What the settings say of what is stored encrypted. */
export type SealSettings = ReturnType<typeof read>

/** What is wrong with the keys. The words never hold one. */
export function faults ({ encryptionKey }: Loose<typeof options>): string[] {
  const problem = encryptionKey === undefined
    ? undefined
    : problemOfSecrets(named(options, 'encryptionKey'), 'key', encryptionKey)
  return problem === undefined ? [] : [problem]
}

/** `sealKeys`: the first seals, all open. There is none where there are neither keys for it nor HMAC secrets. */
export function read ({ encryptionKey }: Filled<typeof options>, hmacSecrets: Buffer[]) {
  const secrets = encryptionKey === undefined ? hmacSecrets : [encryptionKey].flat()
  return { sealKeys: secrets.map((secret) => readSealKey(Buffer.from(secret))) }
}
