import { inSeconds, isDuration, type Duration } from '../../checks/durations.ts'
import { transactionOf, type InTransaction } from '../../database/transactions.ts'
import { OptionsInvalid } from '../../http/errors.ts'
import { knownOptions } from '../../http/service-options.ts'
import type { Mailing } from '../../mail/mail.ts'
import { ProofInvalid } from '../../one-time/errors.ts'
import { isOwnPurpose, type Purpose } from '../../one-time/purposes.ts'
import { NotFound } from '../../users/errors.ts'
import type { Spine } from '../spine.ts'

/** What somebody has proved. */
export interface Proved {
  userId: string
  data: Record<string, unknown>
}

/** More of a proof that is made. */
export interface ProofOptions extends InTransaction {
  /** How long it is good, up to 30 days. Default an hour. */
  expiresIn?: Duration
  /** What `use` gives back. It is stored as it is. */
  data?: Record<string, unknown>
}

/**
 * Links of the app's own that are good once, for one purpose, such as `join-team`. The database holds nothing that
 * opens them. Options that they do not know are `OptionsInvalid`, and so is every call where mail is off.
 */
export interface ProofServices {
  /**
   * Makes a token for a user. Three of a purpose are good at a time; another address of the user, and whatever ends all
   * sessions, makes it void.
   * @throws {NotFound} for who is not there, or is disabled
   * @throws {OptionsInvalid} for a purpose of ours, or one that is not up to 16 small letters, digits and dashes
   */
  make: (
    purpose: string, user: string | { id: string }, options?: ProofOptions
  ) => Promise<{ token: string, expiresAt: Date }>
  /**
   * Uses a token up, and gives whose it is: of many at once one alone succeeds, and the others of that purpose and user
   * are void. In a transaction it is as if unused until that is committed.
   * @throws {ProofInvalid} for a token that does not hold, whatever the reason
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
