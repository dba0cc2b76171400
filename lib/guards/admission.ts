import { ask } from '../callback.ts'
import { clientOf } from '../client.ts'
import { TokenInvalid, TokenRevoked } from '../errors.ts'
import type { AnyRequest } from '../options.ts'
import type { Sessions } from '../sessions/sessions.ts'
import type { Settings } from '../settings.ts'
import type { TokenClaims } from '../tokens/access-token.ts'
import { numericDate, type SharedClaims } from '../tokens/claims.ts'
import type { VerifiedToken } from '../tokens/tokens.ts'
import type { AccountsUser, PublicUsers } from '../users/public-user.ts'
import type { Consistency } from './options.ts'

/** Whom a token stands for. */
export interface Bearer {
  user: AccountsUser
  /** When the password was last checked: seconds since 1970. */
  authTime: number
}

export interface Admission {
  /**
   * What is to be known of a token beyond what it says of itself: that its session goes on, and that the host agrees.
   * @throws {TokenRevoked | TokenInvalid | RefreshReused} a 401
   */
  admit: (token: VerifiedToken, consistency: Consistency, request?: AnyRequest) => Promise<Bearer>
  /**
   * Asks the host's `isRevoked` and `verifyClaims`.
   * @throws {TokenRevoked | TokenInvalid}
   */
  askHost: (claims: SharedClaims, request?: AnyRequest) => Promise<void>
}

export function createAdmission (sessions: Sessions, publicUsers: PublicUsers, { isRevoked, verifyClaims }: Settings): Admission {
  async function askHost (shared: SharedClaims, request?: AnyRequest): Promise<void> {
    const claims = shared as TokenClaims
    if (isRevoked && await ask(() => isRevoked(claims)) !== false) throw new TokenRevoked()
    if (verifyClaims && await ask(() => verifyClaims(claims, request)) !== true) throw new TokenInvalid()
  }

  async function find (token: VerifiedToken, consistency: Consistency, request?: AnyRequest): Promise<Bearer> {
    if (token.kind === 'refresh') {
      const { user, authTime } = await sessions.inspect(token.claims, request && clientOf(request))
      return { user: publicUsers.of(user), authTime: numericDate(authTime) }
    }
    if (consistency === 'stateless') return { user: { id: token.claims.sub } as AccountsUser, authTime: token.claims.auth_time }
    const user = await (consistency === 'strict' ? sessions.useStrictly : sessions.use)(token.claims)
    return { user: publicUsers.of(user), authTime: token.claims.auth_time }
  }

  return {
    async admit (token, consistency, request) {
      const bearer = await find(token, consistency, request)
      await askHost(token.claims, request)
      return bearer
    },
    askHost,
  }
}
