import type { FastifyBaseLogger } from 'fastify'
import { Unavailable } from '../../http/errors.ts'
import { SealKeyMissing, type Place, type Seal } from '../../secrets/seal.ts'
import type { Success, TotpRow } from './rows.ts'

/** Reads and writes seeds as rows have them. */
export interface Seeds {
  /** The key that seals. */
  keyId: string
  /** A seed, sealed for the row of this user. */
  seal: (seed: Buffer, userId: string) => Pick<TotpRow, 'sealed' | 'keyId'>
  /**
   * The seed of a row, and what the row is to have from now on: the same, or the seed sealed anew where an older key
   * has opened it.
   * @throws {Unavailable} where no key opens it: who cannot be judged is not let in. The log says why
   */
  open: (row: Pick<TotpRow, 'sealed' | 'keyId'>, userId: string) => { seed: Buffer } & Pick<Success, 'sealed' | 'keyId'>
}

/** Where the seed of a user is, in the tables of the accounts `name`. */
function placeOfSeed (name: string, userId: string): Place {
  return { purpose: 'totp', table: `${name}_totp`, row: userId }
}

export function createSeeds (seal: Seal, name: string, log: FastifyBaseLogger): Seeds {
  function sealed (seed: Buffer, userId: string) {
    return { sealed: seal.seal(seed, placeOfSeed(name, userId)), keyId: seal.keyId }
  }

  return {
    keyId: seal.keyId,
    seal: sealed,

    open (row, userId) {
      try {
        const { plain: seed, isOld } = seal.open(row.sealed, placeOfSeed(name, userId))
        return { seed, ...isOld ? sealed(seed, userId) : { sealed: row.sealed, keyId: row.keyId } }
      } catch (cause) {
        const why = cause instanceof SealKeyMissing
          ? `the key ${cause.keyId} is not among those of encryptionKey`
          : 'it was not sealed for this row, or is damaged'
        log.error(`The codes of an authenticator app cannot be judged, of the user ${userId}: ${why}`)
        throw new Unavailable({ cause })
      }
    },
  }
}
