// Made by `npm run generate` of the options.ts of each folder: what is written here by hand is lost.
import type { Duration } from '../checks/durations.ts'
import type { Location } from '../transport/options.ts'
import type { Permission } from '../users/permissions.ts'
import type { GuardCheck } from './options.ts'

/** The options of `app.accounts.guard(options)`. Anything not named here is refused. */
export interface GuardOptions {
  /** Which kind of token is required. Default `'access'`. */
  type?: 'access' | 'refresh' | 'any'
  /**
   * Also lets requests without a token in, with `request.user` null; `'or-expired'` those with an expired token too.
   * Any other invalid token is still refused. Cannot be combined with `fresh`, `acr`, `roles`, `permission`, `verified`
   * or `check`. Default `false`.
   */
  optional?: true | false | 'or-expired'
  /**
   * The password must have been checked at most this long ago; `true` is 10 minutes. Otherwise 401
   * `ACCOUNTS_TOKEN_STALE`, with the challenge of RFC 9470. A refresh does not make a session fresher. Default `false`.
   */
  fresh?: boolean | Duration
  /**
   * The level of authentication that is required: two factors, or a passkey. Otherwise 401 `ACCOUNTS_TOKEN_WEAK`, with
   * the challenge of RFC 9470. Needs the option `factors` or `passkeys`. Default any.
   */
  acr?: 'aal2' | 'phr'
  /** The user must have all of these roles. Otherwise 403 `ACCOUNTS_FORBIDDEN`. Default `[]`. */
  roles?: string[]
  /** What the roles of the user must permit. Otherwise 403 `ACCOUNTS_FORBIDDEN`. Default none. */
  permission?: Permission
  /** The user's address must be verified. Otherwise 403 `ACCOUNTS_EMAIL_UNVERIFIED`. Default `false`. */
  verified?: boolean
  /**
   * Whether a session that an admin has borrowed is let in. Otherwise 403 `ACCOUNTS_IMPERSONATED`, as such a session
   * also gets where `fresh` or `acr` is required: nobody has proved in it that they are the user. Default `true`.
   */
  impersonated?: boolean
  /**
   * `(user, request) => boolean`, or a promise of it: only `true` lets the signed-in user in. Otherwise 403
   * `ACCOUNTS_FORBIDDEN`. If it throws, the answer is a 500 without details. Default none.
   */
  check?: GuardCheck
  /**
   * Where this route looks for tokens, in this order. The first place that holds a token decides. A guard that reads
   * bodies must be a `preValidation` or `preHandler` hook. Default those of the app; for refresh tokens the body first.
   */
  locations?: Location[]
  /**
   * How revocation is checked. `'cached'` uses memory. `'strict'` reads the database at every request: for money and
   * administration. `'stateless'` checks only the token, even if it was revoked, and `request.user` is `{ id }`.
   * Default `'cached'`.
   */
  consistency?: 'cached' | 'strict' | 'stateless'
  /**
   * Whether API keys let requests in too. Not together with `optional`, `consistency: 'stateless'` or refresh tokens. A
   * key is never fresh and has no level: it is refused where `fresh` or `acr` is asked for. Needs the option `keys`.
   * Default `keys.everywhere`.
   */
  keys?: boolean
  /**
   * What an API key must be for, all of it, as `keys.scopes` names it; else it is 403 `ACCOUNTS_FORBIDDEN`. Somebody
   * who is signed in may do what every key may. Default `[]`.
   */
  scopes?: string[]
}
