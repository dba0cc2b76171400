import type { Wording } from '../http/wording.ts'
import type { Sessions } from '../sessions/sessions.ts'
import type { Tokens } from '../tokens/tokens.ts'
import type { TokenTransport } from '../transport/transport.ts'
import type { Users } from '../users/users.ts'
import { createAdmission, type Admission } from './admission.ts'
import { createGuardMakers, type Guard, type OwnGuardOptions } from './guard.ts'
import type { GuardOptions } from './guard-options.ts'
import type { KeyAccess } from './key-access.ts'
import { createAuthOfKeys } from './key-auth.ts'
import type { AuthenticationSettings } from './options.ts'
import { createAuthOfRequests } from './request-auth.ts'

/** Makes guards, and has the usual ones. */
export interface Guards {
  /**
   * A hook that lets in whom the options describe.
   * @throws {OptionsInvalid} `ACCOUNTS_OPTIONS_INVALID`, where the route is written
   */
  guard: (options?: GuardOptions) => Guard
  /** Lets in a good access token. */
  authenticate: Guard
  /** Lets in a good refresh token, without spending it. */
  authenticateRefresh: Guard
  /**
   * A guard for our own routes: it looks in the header or a cookie, and `csrf.methods` does not change its rules. It
   * refuses borrowed sessions where it does not say otherwise.
   */
  ownGuard: (options: OwnGuardOptions) => Guard
  /** A guard for our own routes that lets in a good access token. */
  ownAuthenticate: Guard
  admission: Admission
  keyAccess: KeyAccess
}

interface GuardsParts {
  tokens: Tokens
  sessions: Sessions
  users: Users
  transport: TokenTransport
  wording: Wording
}

export function createGuards (
  { tokens, sessions, users, transport, wording }: GuardsParts, settings: AuthenticationSettings
): Guards {
  const { csrf, locator, ownLocations } = transport
  const admission = createAdmission(sessions, users, settings)
  const keyAccess: KeyAccess = { door: undefined }
  const Auth = createAuthOfRequests(sessions.signals, wording, settings)
  const KeyAuth = createAuthOfKeys(sessions.signals, keyAccess, wording, settings)
  const { guard, ownGuard } = createGuardMakers({
    settings, tokens, locator, csrf, admission, keyAccess, Auth, KeyAuth, wording,
  })
  const own = (options: OwnGuardOptions = {}) =>
    ownGuard({ impersonated: false, keys: false, ...options, locations: ownLocations })

  return {
    guard,
    authenticate: guard(),
    authenticateRefresh: guard({ type: 'refresh' }),
    ownGuard: own,
    ownAuthenticate: own(),
    admission,
    keyAccess,
  }
}
