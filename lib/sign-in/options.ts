import type { AccountsTypes } from '../host/types.ts'
import type { AnyRequest } from '../http/request.ts'
import type { SessionData } from '../sessions/data.ts'
import type { TokenSettings } from '../tokens/options.ts'
import type { TransportSettings } from '../transport/options.ts'
import type { AccountsUser } from '../users/public-user.ts'

/** What `claims` is told of the session that a token is made for. */
export interface ClaimsSession {
  data: SessionData | null
}

/** What `claims` gives: as `AccountsTypes` says, or anything. */
export type CustomClaims = AccountsTypes extends { claims: infer Claims } ? Claims : Record<string, unknown>

/** What the settings say of answers with tokens. */
export interface SignInSettings extends
  Pick<TokenSettings, 'keys' | 'access' | 'refresh'>, Pick<TransportSettings, 'transport' | 'cookies'> {
  /** More claims for access tokens, asked for each time one is made. */
  claims?: (user: AccountsUser, request: AnyRequest | undefined, session: ClaimsSession) => CustomClaims | Promise<CustomClaims>
}
