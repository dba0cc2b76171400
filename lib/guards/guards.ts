import type { Wording } from '../http/wording.ts'
import type { Sessions } from '../sessions/sessions.ts'
import type { Tokens } from '../tokens/tokens.ts'
import type { TokenTransport } from '../transport/transport.ts'
import type { Users } from '../users/users.ts'
import { createAdmission, type Admission } from './admission.ts'
import { createGuardMakers, type Guard } from './guard.ts'
import type { GuardOptions } from './guard-options.ts'
import type { AuthenticationSettings } from './options.ts'
import { createAuthOfRequests } from './request-auth.ts'

/** Who is let in. */
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
  /** For routes of ours, which no list of methods opens to other sites; it looks into the header or a cookie. */
  ownGuard: (options: GuardOptions) => Guard
  /** For routes of ours: lets in a good access token. */
  ownAuthenticate: Guard
  admission: Admission
}

/** What guards are made of. */
interface GuardParts {
  tokens: Tokens
  sessions: Sessions
  users: Users
  transport: TokenTransport
  wording: Wording
}

export function createGuards (
  { tokens, sessions, users, transport, wording }: GuardParts, settings: AuthenticationSettings
): Guards {
  const { csrf, locator, ownLocations } = transport
  const admission = createAdmission(sessions, users.publicUsers, settings)
  const Auth = createAuthOfRequests(sessions.signals, wording, settings)
  const { guard, ownGuard } = createGuardMakers({ settings, tokens, locator, csrf, admission, Auth, wording })
  const own = (options: GuardOptions = {}) => ownGuard({ ...options, locations: ownLocations })

  return {
    guard,
    authenticate: guard(),
    authenticateRefresh: guard({ type: 'refresh' }),
    ownGuard: own,
    ownAuthenticate: own(),
    admission,
  }
}
