import { askNow } from '../host/ask.ts'
import type { User } from './entity.ts'
import type { AccountsUser, PublicFields, PublicUsers } from './public-user.ts'

/** Whether a user must have two factors. Called when a user is read, not at every request. It has to be fast. */
export type RequiresFactor = (user: AccountsUser) => boolean

/** What the settings say of who needs a second factor. */
export interface FactorNeedSettings {
  /** Whether there are second factors. */
  hasFactors: boolean
  /** Undefined where that is nobody. */
  requiresFactor: RequiresFactor | undefined
}

/** What is known of a user's second factors on every request. */
export interface FactorNeeds {
  /** Whether one is on, so that a first factor alone signs nobody in. */
  hasFactor: boolean
  /** Whether the app lets this user in by two factors alone. */
  needsFactor: boolean
}

/** Where there are no second factors, nobody has or needs one, whatever their row says. */
export type FactorNeedsOf = (user: PublicFields & Pick<User, 'mfaAt'>) => FactorNeeds

export function createFactorNeeds (
  publicUsers: PublicUsers, { hasFactors, requiresFactor }: FactorNeedSettings
): FactorNeedsOf {
  return (user) => ({
    hasFactor: hasFactors && user.mfaAt !== null,
    needsFactor: requiresFactor !== undefined && askNow(() => requiresFactor(publicUsers.of(user))),
  })
}
