import { inSeconds, isDuration, type Duration } from '../../checks/durations.ts'
import { transactionOf, type InTransaction } from '../../database/transactions.ts'
import { OptionsInvalid } from '../../http/errors.ts'
import { knownOptions } from '../../http/service-options.ts'
import type { Mailing } from '../../mail/mail.ts'
import { ProofInvalid } from '../../one-time/errors.ts'
import { isOwnPurpose, type Purpose } from '../../one-time/purposes.ts'
import { NotFound } from '../../users/errors.ts'
import type { Spine } from '../spine.ts'

/** The result of `proofs.use`. */
export interface Proved {
  userId: string
  data: Record<string, unknown>
}

/** Options of `proofs.make`. */
export interface ProofOptions extends InTransaction {
  /** How long the token is valid, up to 30 days. Default an hour. */
  expiresIn?: Duration
  /** Data that `use` returns. It is stored as it is. */
  data?: Record<string, unknown>
}

/**
 * Your own links that are valid once, for one purpose such as `join-team`. The database does not contain their tokens.
 * Unknown options throw `OptionsInvalid`, and so does every call if mail is off.
 */
export interface ProofServices {
  /**
   * Makes a token for a user. Three of a purpose are valid at a time. A changed address, and whatever ends all
   * sessions, invalidates it.
   * @throws {NotFound} if the user does not exist or is disabled
   * @throws {OptionsInvalid} for a reserved purpose, or one that is not up to 16 small letters, digits and dashes
   */
  make: (
    purpose: string, user: string | { id: string }, options?: ProofOptions
  ) => Promise<{ token: string, expiresAt: Date }>
  /**
   * Uses a token up, and returns whose it is. Of many at once only one succeeds, and other tokens of that purpose and
   * user become invalid. In a transaction it counts as used once that is committed.
   * @throws {ProofInvalid} for an invalid token, whatever the reason
   */
  use: (purpose: string, token: string, options?: InTransaction) => Promise<Proved>
}

const mostSeconds = 30 * 86_400

export function createProofServices (
  { database, users: { lookUp } }: Spine, { oneTimes }: Pick<Mailing, 'oneTimes'>
): ProofServices {
  function purposeOf (call: string, given: string): Purpose {
    if (!isOwnPurpose(given)) {
      throw new OptionsInvalid(`proofs.${call}() needs a purpose of your own: up to 16 small letters, digits and -`)
    }
    return given as Purpose
  }

  return {
    async make (given, user, options = {}) {
      const { em, expiresIn = '1h', data = {} } = knownOptions('proofs.make', ['em', 'expiresIn', 'data'], options)
      const purpose = purposeOf('make', given)
      if (!isDuration(expiresIn, { most: mostSeconds })) {
        throw new OptionsInvalid("proofs.make() needs an expiresIn such as '1h', up to 30 days")
      }
      const row = await transactionOf(database, em)(async (tx) => {
        const locked = await lookUp.locked(tx, typeof user === 'string' ? user : user.id)
        if (!locked || locked.disabledAt || locked.closesAt) throw new NotFound()
        const { email, emailKey } = locked
        const seconds = inSeconds(expiresIn)
        const wanted = { purpose, user: locked, address: email ?? '', addressKey: emailKey ?? '', seconds, data }
        return oneTimes.make(tx, { ...wanted, bindsEpoch: true })
      })
      return { token: oneTimes.tokenOf(row), expiresAt: row.expiresAt }
    },

    async use (given, token, options = {}) {
      const { em } = knownOptions('proofs.use', ['em'], options)
      const purpose = purposeOf('use', given)
      const row = await oneTimes.peek([purpose], String(token), em)
      if (!row) throw new ProofInvalid()
      return transactionOf(database, em)(async (tx) => {
        const locked = await lookUp.locked(tx, row.userId!)
        const isSame = locked && locked.epoch === row.epoch && (locked.emailKey ?? '') === row.addressKey
        if (!isSame || locked.disabledAt || locked.closesAt) throw new ProofInvalid()
        await oneTimes.use(tx, row)
        return { userId: locked.id, data: row.data! }
      })
    },
  }
}
