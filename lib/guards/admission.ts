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
  const asksHost = Boolean(isRevoked ?? verifyClaims)

  async function askHost (shared: SharedClaims, request?: AnyRequest): Promise<void> {
    const claims = shared as TokenClaims
    if (isRevoked && await ask(() => isRevoked(claims)) !== false) throw new TokenRevoked()
    if (verifyClaims && await ask(() => verifyClaims(claims, request)) !== true) throw new TokenInvalid()
  }

  async function bearerOf (token: VerifiedToken, consistency: Consistency, request?: AnyRequest): Promise<Bearer> {
    if (token.kind === 'refresh') {
      const { user, authTime } = await sessions.inspect(token.claims, request && clientOf(request))
      return { user: publicUsers.of(user), authTime: numericDate(authTime) }
    }
    const { claims } = token
    if (consistency === 'stateless') return { user: { id: claims.sub } as AccountsUser, authTime: claims.auth_time }

    const user = await (consistency === 'strict' ? sessions.useStrictly(claims) : sessions.use(claims))
    return { user: publicUsers.of(user), authTime: claims.auth_time }
  }

  return {
    async admit (token, consistency, request) {
      const bearer = await bearerOf(token, consistency, request)
      if (asksHost) await askHost(token.claims, request)
      return bearer
    },
    askHost,
  }
}
