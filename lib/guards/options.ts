import { Type } from '@sinclair/typebox'
import { inSeconds, type Duration } from '../checks/durations.ts'
import { OptionsInvalid } from '../http/errors.ts'
import type { AnyRequest } from '../http/request.ts'
import { faultsIn, filled } from '../checks/faults.ts'
import { LocationsSchema } from '../options-schema.ts'
import { sentence } from '../problems.ts'
import type { TokenClaims } from '../tokens/access-token.ts'
import type { TokenKind } from '../tokens/keyring.ts'
import type { Location, TransportSettings } from '../transport/options.ts'
import type { AccountsUser } from '../users/public-user.ts'

/** How much a guard asks of the database; see `GuardOptions`. */
export type Consistency = 'cached' | 'strict' | 'stateless'

/** The options of `app.accounts.guard(options)`. Anything not named here is refused. */
export interface GuardOptions {
  /** Which kind of token lets a request in. Default `'access'`. */
  type?: TokenKind | 'any'
  /**
   * Lets requests without a token in too, with `request.user` null; `'or-expired'` those with an expired one as well.
   * A token that is there and bad is still refused. Default false.
   */
  optional?: boolean | 'or-expired'
  /** The password must have been checked no longer ago than this; `true` is 10 minutes. Default false. */
  fresh?: boolean | Duration
  /** The user must have all of these roles. Default none. */
  roles?: string[]
  /** Decides about the signed-in user: only `true` lets the request in. Default nobody is asked. */
  check?: (user: AccountsUser, request: AnyRequest) => boolean | Promise<boolean>
  /** Where this route looks for tokens, in this order. Default the `locations` of the app; for refresh tokens the body before them. */
  locations?: Location[]
  /**
   * `'strict'` reads the session at every request; `'cached'` may know from memory that it goes on; `'stateless'` looks
   * at nothing but the token, whatever was revoked, and `request.user` is then `{ id }`: of the app's own it asks
   * `verifyClaims` and `check`, and not `isRevoked`. Default `'cached'`.
   */
  consistency?: Consistency
}

/** What the settings say of who is let in. */
export interface AuthenticationSettings extends Pick<TransportSettings, 'locations'> {
  /** The name of the accounts, and so of `app[name]`. */
  name: string
  /** The property of requests that holds the user. */
  decoratorName: string
  /** A look at the claims of a token that is not revoked: anything but `true` refuses it. */
  verifyClaims?: (claims: TokenClaims, request?: AnyRequest) => boolean | Promise<boolean>
  /** One more list of revoked tokens: anything but `false` refuses the token. */
  isRevoked?: (claims: TokenClaims, request?: AnyRequest) => boolean | Promise<boolean>
}

/** The options of one guard, checked and filled. */
export interface GuardSettings {
  kind: TokenKind | 'any'
  optional: boolean | 'or-expired'
  /** Undefined: however long ago. */
  freshForSeconds: number | undefined
  roles: string[]
  check: GuardOptions['check']
  locations: Location[]
  consistency: Consistency
  /** The name of the accounts that the guard belongs to. */
  instance: string
}

/** What `fresh: true` means, and `request.auth.fresh`. */
export const usuallyFreshForSeconds = 600

/** Checks and fills the options of a guard: the defaults stand here and nowhere else. */
export const GuardOptionsSchema = Type.Object({
  type: Type.Unsafe<TokenKind | 'any'>({ enum: ['access', 'refresh', 'any'], default: 'access' }),
  optional: Type.Unsafe<boolean | 'or-expired'>({ enum: [true, false, 'or-expired'], default: false }),
  fresh: Type.Unsafe<boolean | Duration>({ fresh: true, default: false }),
  roles: Type.Array(Type.String({ minLength: 1 }), { default: [] }),
  check: Type.Optional(Type.Unsafe<GuardOptions['check']>({ callable: true })),
  locations: Type.Optional(LocationsSchema()),
  consistency: Type.Unsafe<Consistency>({ enum: ['cached', 'strict', 'stateless'], default: 'cached' }),
}, { additionalProperties: false })

/**
 * Fills the options of a guard of the accounts `instance`, which look at `usual` places.
 * @throws {OptionsInvalid} `ACCOUNTS_OPTIONS_INVALID`, where the route is written
 */
export function readGuardOptions (given: GuardOptions, instance: string, usual: Location[]): GuardSettings {
  const options = { ...given }
  const faults = faultsIn(GuardOptionsSchema, options)
  if (faults.length > 0) throw new OptionsInvalid(`in the options of a guard ${faults.map(sentence).join('; ')}`)

  const { type, optional, fresh, roles, check, locations, consistency } = filled(GuardOptionsSchema, options) as Required<GuardOptions>
  if (optional && (fresh || roles.length > 0 || given.check)) {
    throw new OptionsInvalid("a guard's options.optional lets anybody in, so it does not go with fresh, roles or check")
  }
  if (consistency === 'stateless' && (type !== 'access' || roles.length > 0)) {
    throw new OptionsInvalid("a guard's options.consistency 'stateless' reads no user and no session, so it does not go with roles or refresh tokens")
  }
  if (type === 'refresh' && given.locations?.every((place) => place === 'protocol')) {
    throw new OptionsInvalid("a guard's options.locations 'protocol' has access tokens alone")
  }
  const freshForSeconds = fresh === true ? usuallyFreshForSeconds : fresh === false ? undefined : inSeconds(fresh)
  const places = given.locations ? locations : type === 'access' ? usual : [...new Set<Location>(['body', ...usual])]
  return { kind: type, optional, freshForSeconds, roles, check, locations: places, consistency, instance }
}
