import { Type } from '@sinclair/typebox'
import { inSeconds, isDuration, type Duration } from '../checks/durations.ts'
import { OptionsInvalid } from '../http/errors.ts'
import type { AnyRequest } from '../http/request.ts'
import { faultsIn, filled } from '../checks/faults.ts'
import { Callable, OneOf } from '../checks/kinds.ts'
import { sentence } from '../checks/sentences.ts'
import { settled, type Filled } from '../checks/slice.ts'
import type { HttpSettings } from '../http/options.ts'
import type { TokenClaims } from '../tokens/access-token.ts'
import type { TokenKind } from '../tokens/keyring.ts'
import { LocationsSchema, type Location, type TransportSettings } from '../transport/options.ts'
import type { AccountsUser } from '../users/public-user.ts'

/** How much a guard asks of the database; see `GuardOptions`. */
export type Consistency = 'cached' | 'strict' | 'stateless'

/** Decides about the signed-in user: only `true` lets the request in. */
export type GuardCheck = (user: AccountsUser, request: AnyRequest) => boolean | Promise<boolean>

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
  check?: GuardCheck
  /** Where this route looks for tokens, in this order. Default the `locations` of the app; for refresh tokens the body before them. */
  locations?: Location[]
  /**
   * `'strict'` reads the session at every request; `'cached'` may know from memory that it goes on; `'stateless'` looks
   * at nothing but the token, whatever was revoked, and `request.user` is then `{ id }`: of the app's own it asks
   * `verifyClaims` and `check`, and not `isRevoked`. Default `'cached'`.
   */
  consistency?: Consistency
}

/** Judges the claims of a token. */
export type VerifyClaims = (claims: TokenClaims, request?: AnyRequest) => boolean | Promise<boolean>

/** Says whether a token is on a list of revoked ones. */
export type IsRevoked = (claims: TokenClaims, request?: AnyRequest) => boolean | Promise<boolean>

export const options = {
  decoratorName: Type.String({
    pattern: '^[A-Za-z_$][\\w$]*$',
    default: 'user',
    description: 'The property of requests that holds the user. If you register @fastify/jwt yourself, do it before, or give ' +
      'another name here: it claims `request.user` too, and ends with "The decorator \'user\' has already been added!"',
  }),
  verifyClaims: Callable<VerifyClaims>('VerifyClaims', {
    description: '`(claims, request) => boolean`, or a promise of it: a look at the claims of a token that is not revoked, before ' +
      'its user is looked up. Anything but `true` is 401 `ACCOUNTS_CLAIMS_REFUSED`. It judges the token alone, so guards ' +
      "that are `'stateless'` ask it too.",
  }),
  isRevoked: Callable<IsRevoked>('IsRevoked', {
    description: '`(claims, request) => boolean`, or a promise of it: one more list of revoked tokens. Anything but `false` is ' +
      "401 `ACCOUNTS_TOKEN_REVOKED`. Guards that are `'stateless'` ask no list.",
  }),
}

/** What the settings say of who is let in. */
export type AuthenticationSettings = ReturnType<typeof read> & Pick<TransportSettings, 'locations'> & Pick<HttpSettings, 'name'>

/** What every request has of its own. */
const reservedProperties = ['auth', 'body', 'headers', 'id', 'log', 'params', 'query', 'raw', 'server']

export function problems ({ decoratorName }: Filled<typeof options>): string[] {
  if (!reservedProperties.includes(decoratorName)) return []
  return [`decoratorName must not be ${decoratorName}, which is there already`]
}

export function read (given: Filled<typeof options>) {
  return settled(options, given)
}

/** The options of one guard, checked and filled. */
export interface GuardSettings {
  kind: TokenKind | 'any'
  optional: boolean | 'or-expired'
  /** Undefined: however long ago. */
  freshForSeconds: number | undefined
  roles: string[]
  check: GuardCheck | undefined
  locations: Location[]
  consistency: Consistency
  /** The name of the accounts that the guard belongs to. */
  instance: string
}

/** What `fresh: true` means, and `request.auth.fresh`. */
export const usuallyFreshForSeconds = 600

/** Checks and fills the options of a guard: the defaults stand here and nowhere else. */
export const GuardOptionsSchema = Type.Object({
  type: OneOf<TokenKind | 'any'>(['access', 'refresh', 'any'], { default: 'access' }),
  optional: OneOf<boolean | 'or-expired'>([true, false, 'or-expired'], { default: false }),
  fresh: Type.Unsafe<boolean | Duration>({
    holds: (value: unknown) => typeof value === 'boolean' || isDuration(value),
    must: "be true, false or a duration such as '10m'",
    default: false,
  }),
  roles: Type.Array(Type.String({ minLength: 1 }), { default: [] }),
  check: Callable<GuardCheck>('GuardCheck', {}),
  locations: Type.Optional(LocationsSchema()),
  consistency: OneOf<Consistency>(['cached', 'strict', 'stateless'], { default: 'cached' }),
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
