import type { TObject } from '@sinclair/typebox'
import { msLeft, withTimeout } from '../http/deadline.ts'
import { ask } from '../host/ask.ts'
import type { AnyReply, AnyRequest } from '../http/request.ts'
import type { OwnData } from '../sessions/data.ts'
import type { Session } from '../sessions/entity.ts'
import { areCustomClaims } from '../tokens/claims.ts'
import type { RefreshChoice, TokenPair, Tokens } from '../tokens/tokens.ts'
import { setCookies } from '../transport/keep.ts'
import type { TokenTransport } from '../transport/transport.ts'
import type { AccountsUser, PublicFields, PublicUsers } from '../users/public-user.ts'
import type { SignInSettings } from './options.ts'
import { tokenResponseSchema } from './schema.ts'

/** The response that contains the tokens of a session and its user. */
export interface TokenResponse extends TokenPair {
  user: AccountsUser
}

/** The response for a session whose tokens are in cookies, and not in the body. */
export interface CookieResponse extends Pick<TokenPair, 'token_type' | 'expires_in' | 'refresh_expires_in'> {
  /** For the header `X-CSRF-Token` of requests that change something. */
  csrf_token: string
  user: AccountsUser
}

/** An answer that is ready and not sent: its session may still have to be stored. */
export interface Grant {
  body: TokenResponse | CookieResponse
  cookies: string[]
}

/** How a session's tokens are made. */
export interface Granting {
  /** The schema of the answer. */
  TokenResponseSchema: TObject
  /**
   * The tokens of a session, for its client. `claims` are the host's, from `customClaims`. `isKept` says that the
   * browser has just brought this refresh token in a cookie: it is not sent again, since a slow answer would put it
   * over a newer one.
   * @throws {TokenTooLarge} where a cookie could not hold it
   */
  grant: (session: Session, claims: object, choice?: RefreshChoice, isKept?: boolean) => Grant
  /**
   * The claims that the host adds to the access tokens of a session. Called before anything is written, since it may
   * fail.
   * @throws {Unavailable} where it takes longer than a request may
   */
  customClaims: (session: { user: PublicFields, data: unknown }, request?: AnyRequest) => Promise<object>
}

export interface GrantParts {
  tokens: Tokens
  transport: Pick<TokenTransport, 'cookies' | 'csrf'>
  publicUsers: PublicUsers
  ownData: OwnData
}

/** The refresh token of a login and of a reauthentication, which has no parent. */
const first: RefreshChoice = { parent: null }

export function createGranting (
  { tokens, transport: { cookies, csrf }, publicUsers, ownData }: GrantParts, settings: SignInSettings
): Granting {
  const { claims: giveClaims } = settings

  return {
    TokenResponseSchema: tokenResponseSchema(settings, publicUsers.schema),

    grant (session, claims, choice = first, isKept = false) {
      const pair = tokens.issue(session, claims, choice)
      const user = publicUsers.of(session.user)
      if (session.transport === 'body') return { body: { ...pair, user }, cookies: [] }

      const value = csrf.valueFor(session.id, session.ver)
      const { token_type: type, expires_in: seconds, refresh_expires_in: refreshSeconds } = pair
      return {
        body: { token_type: type, expires_in: seconds, refresh_expires_in: refreshSeconds, csrf_token: value, user },
        cookies: cookies.bring(pair, value, session.transport === 'cookie', isKept),
      }
    },

    async customClaims ({ user, data }, request) {
      if (!giveClaims) return {}
      return withTimeout(msLeft(), ask(async () => {
        const copy = structuredClone(publicUsers.of(user))
        const custom = await giveClaims(copy, request, { data: ownData.of({ data }) }) ?? {}
        // As JSON, like in the token: what cannot be JSON fails here, where nothing is written yet.
        const written: unknown = JSON.parse(JSON.stringify(custom))
        if (!areCustomClaims(written, settings)) {
          throw new TypeError('claims() must give an object without names of claims that are reserved')
        }
        return written
      }))
    },
  }
}

/** Sends a grant, once its session is stored. Without cookies it needs no reply. */
export function deliver (reply: AnyReply | undefined, { body, cookies }: Grant): Grant['body'] {
  if (reply && cookies.length > 0) setCookies(reply, cookies)
  return body
}
