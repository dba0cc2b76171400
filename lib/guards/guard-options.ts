// Made by `npm run generate` of the options.ts of each folder: what is written here by hand is lost.
import type { Duration } from '../checks/durations.ts'
import type { Location } from '../transport/options.ts'
import type { GuardCheck } from './options.ts'

/** The options of `app.accounts.guard(options)`. Anything not named here is refused. */
export interface GuardOptions {
  /** Which kind of token lets a request in. Default `'access'`. */
  type?: 'access' | 'refresh' | 'any'
  /**
   * Lets requests without a token in too, with `request.user` null; `'or-expired'` those with an expired one as well. A
   * token that is there and bad is still refused. Not together with `fresh`, `acr`, `roles`, `verified` or `check`.
   * Default `false`.
   */
  optional?: true | false | 'or-expired'
  /**
   * The password must have been checked no longer ago than this; `true` is 10 minutes. Else it is 401
   * `ACCOUNTS_TOKEN_STALE`, with the challenge of RFC 9470. A refresh makes a session no fresher. Default `false`.
   */
  fresh?: boolean | Duration
  /**
   * How well it must have been proved who it is: by two factors, or by a passkey. Else it is 401 `ACCOUNTS_TOKEN_WEAK`,
   * with the challenge of RFC 9470. Needs the option `factors` or `passkeys`. Default any.
   */
  acr?: 'aal2' | 'phr'
  /** The user must have all of these roles; else it is 403 `ACCOUNTS_FORBIDDEN`. Default `[]`. */
  roles?: string[]
  /**
   * The user's address must have been proved to be theirs; else it is 403 `ACCOUNTS_EMAIL_UNVERIFIED`. Default `false`.
   */
  verified?: boolean
  /**
   * `(user, request) => boolean`, or a promise of it, decides about the signed-in user: only `true` lets the request
   * in; else it is 403 `ACCOUNTS_FORBIDDEN`. One that throws is a 500 that says nothing. Default none.
   */
  check?: GuardCheck
  /**
   * Where this route looks for tokens, in this order. The first place that holds a token decides. A guard that looks
   * into bodies stands in `preValidation` or `preHandler`. Default those of the app; for refresh tokens the body before
   * them.
   */
  locations?: Location[]
  /**
   * How it is known that the session goes on. `'cached'` may know it from memory. `'strict'` reads it at every request:
   * for money and administration. `'stateless'` looks at nothing but the token, whatever was revoked, and
   * `request.user` is then `{ id }`. Default `'cached'`.
   */
  consistency?: 'cached' | 'strict' | 'stateless'
}
