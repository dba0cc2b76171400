import { inTransactionOf, type InTransaction } from '../../database/transactions.ts'
import { OptionsInvalid } from '../../http/errors.ts'
import { knownOptions } from '../../http/service-options.ts'
import { isId } from '../../tokens/claims.ts'
import { NotFound } from '../../users/errors.ts'
import type { Spine } from '../spine.ts'
import type { Factors } from './factors.ts'
import type { FactorOverview, Overview } from './overview.ts'
import type { Reset, Which } from './reset.ts'

/** What `factors.reset` takes away. */
export interface ResetWhich {
  totp?: boolean
  passkeys?: boolean
  recovery_codes?: boolean
  /** The browsers that are remembered. */
  devices?: boolean
}

/**
 * What code may do with second factors, with the option `factors` or `passkeys`. Options that they do not know are
 * `OptionsInvalid`.
 */
export interface FactorServices {
  /**
   * What a user has set up, as `GET /factors` answers it.
   * @throws {NotFound}
   */
  of: (userId: string, options?: InTransaction) => Promise<FactorOverview>
  /**
   * Takes factors of a user away, all where none is named, and ends all sessions: for who has lost them. Make sure who
   * asks for it.
   * @throws {NotFound}
   * @throws {LastCredential} where the user has no password, and passkeys are the way in
   */
  reset: (userId: string, which?: ResetWhich, options?: InTransaction) => Promise<void>
  /**
   * Makes new recovery codes, and gives them this once; the old ones are void.
   * @throws {NotFound}
   * @throws {FactorMissing} where the user has no factor that they could stand in for
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
