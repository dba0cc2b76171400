import { Callable } from '../checks/kinds.ts'
import { settled, type Filled } from '../checks/slice.ts'
import type { AccountsTypes } from '../host/types.ts'
import type { AnyRequest } from '../http/request.ts'
import type { SessionData } from '../sessions/data.ts'
import type { TokenSettings } from '../tokens/options.ts'
import type { TransportSettings } from '../transport/options.ts'
import type { AccountsUser } from '../users/public-user.ts'

/** The session that a token is made for, as `claims` is given it. */
export interface ClaimsSession {
  data: SessionData | null
}

/** The result of `claims`: the type in `AccountsTypes`, or any. */
export type CustomClaims = AccountsTypes extends { claims: infer Claims } ? Claims : Record<string, unknown>

/** Returns more claims for the access tokens of a user. */
export type GiveClaims = (
  user: AccountsUser, request: AnyRequest | undefined, session: ClaimsSession
) => CustomClaims | Promise<CustomClaims>

export const options = {
  claims: Callable<GiveClaims>('GiveClaims', {
    description: '`(user, request, { data }) => object`, or a promise of it: more claims for access tokens ' +
      '([types](recipes.md#fields-of-your-own-in-users)). Called whenever an access token is made, with the ' +
      '`sessions.data` of its session or null. Keep it fast: the login or refresh waits for it. Reserved claim ' +
      'names are refused. Everybody who holds the token can read the claims, and they have to stay small.',
  }),
}

/** What the settings say of answers with tokens. */
export type SignInSettings = ReturnType<typeof read> &
  Pick<TokenSettings, 'keys' | 'access' | 'refresh' | 'hasLevels' | 'lendsSessions'> &
  Pick<TransportSettings, 'transport' | 'cookies'>

export function read (given: Filled<typeof options>) {
  return settled(options, given)
}
