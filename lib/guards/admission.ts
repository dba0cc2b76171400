import { ask } from '../host/ask.ts'
import { joinDeadline } from '../http/deadline.ts'
import { ClaimsRefused } from './errors.ts'
import { TokenRevoked } from '../sessions/errors.ts'
import { clientOf, type AnyRequest } from '../http/request.ts'
import type { Sessions } from '../sessions/sessions.ts'
import { numericDate, type SharedClaims, type TokenClaims } from '../tokens/claims.ts'
import type { VerifiedToken } from '../tokens/tokens.ts'
import type { AccountsUser, PublicUsers } from '../users/public-user.ts'
import type { AuthenticationSettings, Consistency } from './options.ts'

/** The user of a token. */
export interface Bearer {
  user: AccountsUser
  /** When the password was last checked: seconds since 1970. */
  authTime: number
}

export interface Admission {
  /**
   * Checks what a verified token does not say of itself: first that it is not revoked, then that the host accepts its
   * claims, then that its user may come in.
   * @throws {TokenRevoked | TokenInvalid | ClaimsRefused | RefreshReused} a 401
   */
  admit: (token: VerifiedToken, consistency: Consistency, request?: AnyRequest) => Promise<Bearer>
  /**
   * Asks the host's `isRevoked` and `verifyClaims`, in this order.
   * @throws {TokenRevoked | ClaimsRefused}
   */
  askHost: (claims: SharedClaims, request?: AnyRequest) => Promise<void>
}

export function createAdmission (
  sessions: Sessions, publicUsers: PublicUsers, { isRevoked, verifyClaims }: AuthenticationSettings
): Admission {
  const asksHost = Boolean(isRevoked ?? verifyClaims)
  const judgeClaims = verifyClaims && (async (claims: TokenClaims, request?: AnyRequest) => {
    if (await ask(() => verifyClaims(claims, request)) !== true) throw new ClaimsRefused()
  })

  async function askHost (shared: SharedClaims, request?: AnyRequest): Promise<void> {
    const claims = shared as TokenClaims
    if (isRevoked && await ask(() => isRevoked(claims, request)) !== false) throw new TokenRevoked()
    await judgeClaims?.(claims, request)
  }

  /** Reads the session and its user in one query. */
  async function bearerOf (token: VerifiedToken, request?: AnyRequest): Promise<Bearer> {
    if (token.kind === 'access') {
      const user = await sessions.useStrictly(token.claims)
      return { user: publicUsers.of(user), authTime: token.claims.auth_time }
    }
    const { user, authTime } = await sessions.inspect(token.claims, request && clientOf(request))
    return { user: publicUsers.of(user), authTime: numericDate(authTime) }
  }

  return {
    async admit (token, consistency, request) {
      const isInDoubt = consistency === 'cached' && sessions.revocations.mayBeForgotten(token.claims)
      if (token.kind === 'refresh' || consistency === 'strict' || isInDoubt) {
        const bearer = await joinDeadline(() => bearerOf(token, request))
        if (asksHost) await askHost(token.claims, request)
        return bearer
      }

      const { claims } = token
      if (consistency === 'stateless') {
        await judgeClaims?.(claims as TokenClaims, request)
        return { user: { id: claims.sub } as AccountsUser, authTime: claims.auth_time }
      }
      if (asksHost) {
        await sessions.requireUnrevoked(claims)
        await askHost(claims, request)
      }
      return { user: publicUsers.of(await sessions.use(claims)), authTime: claims.auth_time }
    },
    askHost,
  }
}
