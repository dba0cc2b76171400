import { ask } from '../host/ask.ts'
import { joinDeadline } from '../http/deadline.ts'
import { ClaimsRefused } from './errors.ts'
import { TokenRevoked } from '../sessions/errors.ts'
import { clientOf, type AnyRequest } from '../http/request.ts'
import type { Sessions } from '../sessions/sessions.ts'
import { numericDate, provedBy, type AccessClaims, type SharedClaims, type TokenClaims } from '../tokens/claims.ts'
import type { Proved } from '../tokens/levels.ts'
import type { VerifiedToken } from '../tokens/tokens.ts'
import type { FactorNeeds } from '../users/factor-needs.ts'
import type { AccountsUser, PublicFields } from '../users/public-user.ts'
import type { Users } from '../users/users.ts'
import type { AuthenticationSettings, Consistency } from './options.ts'

/** The user of a token, and what the token says of how that was proved. */
export interface Bearer {
  user: AccountsUser
  /**
   * When all was last proved that the account asks for: seconds since 1970. -Infinity in a borrowed session, whose user
   * has proved nothing.
   */
  authTime: number
  /** How well, and by which methods. Undefined where there are no levels. */
  proved: Proved | undefined
  /** Undefined for a guard that reads no user. */
  needs: FactorNeeds | undefined
}

/** When it was proved who has this token: never by the user, in a borrowed session. */
export function authTimeOf ({ auth_time: authTime = -Infinity }: Pick<AccessClaims, 'auth_time'>): number {
  return authTime
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

/** What a token of before says of how it was proved who has it. */
const leastProved: Proved = { acr: 'aal1', amr: [] }

export function createAdmission (
  sessions: Sessions,
  { publicUsers, needsOf }: Pick<Users, 'publicUsers' | 'needsOf'>,
  { isRevoked, verifyClaims, hasLevels }: AuthenticationSettings
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

  /** Claims that say it are given as they are: a guarded request makes no object for it. */
  function provedIn (claims: AccessClaims): Proved | undefined {
    if (!hasLevels) return
    return claims.acr && claims.amr ? claims as Proved : leastProved
  }

  function bearing (user: PublicFields, needs: FactorNeeds, claims: AccessClaims): Bearer {
    return { user: publicUsers.of(user), authTime: authTimeOf(claims), proved: provedIn(claims), needs }
  }

  /** Reads the session and its user in one query. */
  async function bearerOf (token: VerifiedToken, request?: AnyRequest): Promise<Bearer> {
    if (token.kind === 'access') {
      const { claims } = token
      const user = await sessions.useStrictly(claims)
      return bearing(user, needsOf(user), claims)
    }
    const session = await sessions.inspect(token.claims, request && clientOf(request))
    const { user, authTime } = session
    const proved = hasLevels ? provedBy(session) : undefined
    return { user: publicUsers.of(user), authTime: numericDate(authTime), proved, needs: needsOf(user) }
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
        const user = { id: claims.sub } as AccountsUser
        return { user, authTime: authTimeOf(claims), proved: provedIn(claims), needs: undefined }
      }
      if (asksHost) {
        await sessions.requireUnrevoked(claims)
        await askHost(claims, request)
      }
      const user = await sessions.use(claims)
      return bearing(user, user, claims)
    },
    askHost,
  }
}
