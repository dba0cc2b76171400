import type { FastifyBaseLogger } from 'fastify'
import { Unavailable } from '../../http/errors.ts'
import { SealKeyMissing, type Seal } from '../../secrets/seal.ts'
import type { ProviderTokens } from './client.ts'
import type { IdentityRow, Use } from './rows.ts'

/** Reads and writes the tokens of providers as rows have them. */
export interface StoredTokens {
  /** Tokens, sealed for the row of this id. None where they are longer than a column holds, which the log says. */
  seal: (tokens: ProviderTokens, id: string) => Pick<Use, 'tokens' | 'keyId'>
  /**
   * The tokens of a row that has some.
   * @throws {Unavailable} where no key opens them. The log says why
   */
  open: (row: Pick<IdentityRow, 'id' | 'tokens'>) => ProviderTokens
}

/** A `text` of MySQL and MariaDB holds 65,535 bytes. */
const mostLength = 65_535

/** What rows have where no tokens are kept. */
export const noTokens = { tokens: null, keyId: null }

export function createStoredTokens (seal: Seal, name: string, log: FastifyBaseLogger): StoredTokens {
  const placeOf = (row: string) => ({ purpose: 'provider-tokens', table: `${name}_identities`, row })

  return {
    seal (tokens, id) {
      const sealed = seal.seal(JSON.stringify(tokens), placeOf(id))
      if (sealed.length <= mostLength) return { tokens: sealed, keyId: seal.keyId }
      log.warn(`The tokens of a provider are too long to be kept, of the identity ${id}`)
      return noTokens
    },

    open ({ id, tokens }) {
      try {
        return JSON.parse(seal.open(tokens!, placeOf(id)).plain.toString()) as ProviderTokens
      } catch (cause) {
        const why = cause instanceof SealKeyMissing
          ? `the key ${cause.keyId} is not among those of encryptionKey`
          : 'they were not sealed for this row, or are damaged'
        log.error(`The tokens of a provider cannot be read, of the identity ${id}: ${why}`)
        throw new Unavailable({ cause })
      }
    },
  }
}
