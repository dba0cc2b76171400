import type { Factors } from '../factors/factors.ts'
import type { RecoveryCodes } from '../recovery-codes/recovery-codes.ts'
import type { Spine } from '../spine.ts'
import type { Limits } from '../throttle/limits.ts'
import type { Challenges } from './challenge.ts'
import type { PasskeySettings } from './options.ts'
import type { Proving } from './proving.ts'
import type { Rows } from './rows.ts'
import type { Verifier } from './verifier.ts'

/** What the routes of passkeys are made of. */
export interface PasskeyParts {
  spine: Spine
  settings: NonNullable<PasskeySettings['passkeys']>
  throttle: Limits
  factors: Factors
  recoveryCodes: RecoveryCodes
  rows: Rows
  challenges: Challenges
  verifier: Verifier
  proving: Proving
  /** What authenticators know a user by. */
  handleOf: (userId: string) => string
}
