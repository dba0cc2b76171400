import type { Admission } from './guards/admission.ts'
import type { Guard } from './guards/guard.ts'
import type { GuardOptions } from './guards/guard-options.ts'
import type { Locator } from './transport/locate.ts'
import type { Issuing } from './sign-in/grant.ts'
import type { Hooks } from './sessions/options.ts'
import type { Security } from './openapi/document.ts'
import type { RevokeToken } from './features/token-services/services.ts'
import type { Keyring, TokenKind } from './tokens/keyring.ts'
import type { Endings } from './sessions/endings.ts'
import type { Sessions } from './sessions/sessions.ts'
import type { Settings } from './settings.ts'
import type { Location } from './transport/options.ts'
import type { Credentials } from './features/passwords/credentials.ts'
import type { OwnFields } from './users/fields.ts'
import type { LookUp } from './users/look-up.ts'
import type { Changes } from './features/users/changes.ts'
import type { Users } from './features/users/users.ts'
import type { Throttle } from './features/throttle/throttle.ts'

/** What a route may use. */
export interface Context extends Issuing {
  settings: Settings
  keyring: Keyring
  hooks: Hooks
  sessions: Sessions
  endings: Endings
  users: Users
  changes: Changes
  lookUp: LookUp
  credentials: Credentials
  throttle: Throttle
  fields: OwnFields
  locator: Locator
  admission: Admission
  /** Where refresh and logout look for a token. */
  refreshLocations: Location[]
  /** Ends what a token stands for: see `TokenServices.revoke`. */
  revokeToken: RevokeToken
  /** How the document says where a token may be. */
  securityOf: (kind: TokenKind | 'any', locations: Location[]) => Security
  /** The name of what clients of introspection authenticate with, in the document. */
  clientScheme: string
  /** Makes a guard that looks into the header or a cookie, so before the body is read. */
  guard: (options: GuardOptions) => Guard
  /** The one that lets in any good access token. */
  authenticate: Guard
}
