import { inTransactionOf, type InTransaction } from '../../database/transactions.ts'
import { OptionsInvalid } from '../../http/errors.ts'
import { knownOptions } from '../../http/service-options.ts'
import { isId } from '../../tokens/claims.ts'
import { NotFound } from '../../users/errors.ts'
import type { Spine } from '../spine.ts'
import type { Factors } from './factors.ts'
import type { FactorOverview, Overview } from './overview.ts'
import type { Reset, Which } from './reset.ts'

/** What `factors.reset` removes. */
export interface ResetWhich {
  totp?: boolean
  passkeys?: boolean
  recovery_codes?: boolean
  /** Remembered browsers. */
  devices?: boolean
}

/** Second factors of users, with the option `factors` or `passkeys`. Unknown options throw `OptionsInvalid`. */
export interface FactorServices {
  /**
   * Returns the second factors of a user, as `GET /factors` does.
   * @throws {NotFound}
   */
  of: (userId: string, options?: InTransaction) => Promise<FactorOverview>
  /**
   * Removes factors of a user, all if none is named, and ends all sessions: for users who have lost them. Verify who
   * asks for it.
   * @throws {NotFound}
   * @throws {LastCredential} if the user has no password and signs in with passkeys
   */
  reset: (userId: string, which?: ResetWhich, options?: InTransaction) => Promise<void>
  /**
   * Replaces the recovery codes of a user and returns the new ones, only this once.
   * @throws {NotFound}
   * @throws {FactorMissing} if the user has no factor that they could replace
   */
  regenerateRecoveryCodes: (userId: string, options?: InTransaction) => Promise<string[]>
}

interface ServiceParts {
  factors: Factors
  overview: Overview
  reset: Reset
}

export function createFactorServices (
  { database, users: { lookUp } }: Spine, { factors, overview, reset }: ServiceParts
): FactorServices {
  return {
    async of (userId, options = {}) {
      const { em } = knownOptions('factors.of', ['em'], options)
      const user = await lookUp.byId(userId, em)
      if (!user) throw new NotFound()
      return inTransactionOf(database, em)((tx) => overview.of(tx, user))
    },

    async reset (userId, which, options = {}) {
      const { em } = knownOptions('factors.reset', ['em'], options)
      const names = [...factors.methods.map(({ shown: { name } }) => name), 'devices']
      const unknown = Object.keys(which ?? {}).find((name) => !names.includes(name))
      if (unknown !== undefined) throw new OptionsInvalid(`factors.reset() knows no ${unknown}`)
      await reset(userId, which as Which | undefined, { em })
    },

    async regenerateRecoveryCodes (userId, options = {}) {
      const { em } = knownOptions('factors.regenerateRecoveryCodes', ['em'], options)
      if (!isId(userId)) throw new NotFound()
      return factors.regenerate!(userId, { em })
    },
  }
}
