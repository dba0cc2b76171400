import { Type, type Static } from '@sinclair/typebox'
import { inSeconds, isDuration, type Duration } from '../checks/durations.ts'
import { OptionsInvalid } from '../http/errors.ts'
import type { AnyRequest } from '../http/request.ts'
import { faultsIn, filled } from '../checks/faults.ts'
import { Callable, OneOf } from '../checks/kinds.ts'
import { sentence } from '../checks/sentences.ts'
import { settled, type Filled } from '../checks/slice.ts'
import type { HttpSettings } from '../http/options.ts'
import type { TokenClaims } from '../tokens/claims.ts'
import type { TokenKind } from '../tokens/keyring.ts'
import type { Level } from '../tokens/levels.ts'
import type { TokenSettings } from '../tokens/options.ts'
import { LocationsSchema, type Location, type TransportSettings } from '../transport/options.ts'
import type { PermissionSettings } from '../users/options.ts'
import { createPermissions, permissionNames, type Permission } from '../users/permissions.ts'
import type { AccountsUser } from '../users/public-user.ts'

/** How a guard checks whether a session is active: in memory, in the database, or only by the token. */
export type Consistency = 'cached' | 'strict' | 'stateless'

/** Decides about the signed-in user: only `true` lets the request in. */
export type GuardCheck = (user: AccountsUser, request: AnyRequest) => boolean | Promise<boolean>

/** Judges the claims of a token. */
export type VerifyClaims = (claims: TokenClaims, request?: AnyRequest) => boolean | Promise<boolean>

/** Whether a token is on the app's own list of revoked ones. */
export type IsRevoked = (claims: TokenClaims, request?: AnyRequest) => boolean | Promise<boolean>

export const options = {
  decoratorName: Type.String({
    pattern: '^[A-Za-z_$][\\w$]*$',
    default: 'user',
    description: 'The property of requests that holds the user. If you register @fastify/jwt yourself, register it ' +
      'first, or choose another name here: it also claims `request.user`, and fails with "The decorator \'user\' ' +
      'has already been added!"',
  }),
  verifyClaims: Callable<VerifyClaims>('VerifyClaims', {
    description: '`(claims, request) => boolean`, or a promise of it: checks the claims of a token that is not ' +
      'revoked, before its user is read. Anything but `true` is 401 `ACCOUNTS_CLAIMS_REFUSED`. It only needs the ' +
      "token, so `'stateless'` guards call it too.",
  }),
  isRevoked: Callable<IsRevoked>('IsRevoked', {
    description: '`(claims, request) => boolean`, or a promise of it: an additional list of revoked tokens. ' +
      "Anything but `false` is 401 `ACCOUNTS_TOKEN_REVOKED`. `'stateless'` guards do not call it.",
  }),
}

/** What the settings say of who is let in. */
export type AuthenticationSettings =
  ReturnType<typeof read> & Pick<TransportSettings, 'locations'> & Pick<HttpSettings, 'name'> &
  Pick<TokenSettings, 'hasLevels' | 'lendsSessions'> & PermissionSettings & {
    /** Undefined where there are no API keys. */
    apiKeys?: ApiKeyRules | undefined
  }

/** What guards have to know of API keys. */
export interface ApiKeyRules {
  /** What keys may be for. */
  scopes: string[]
  /** Whether guards take keys that do not say it. */
  everywhere: boolean
}

/** Properties of requests that are taken. */
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
  /** How long ago the password may have been checked. Undefined for any time. */
  freshForSeconds: number | undefined
  /** How well it must have been proved who it is. Undefined for any level. */
  acr: Level | undefined
  roles: string[]
  /** What the user must be permitted, and the roles that give it. Undefined where that is nothing. */
  permission: { name: Permission, roles: ReadonlySet<string> } | undefined
  /** Whether the user's address must have been proved to be theirs. */
  verified: boolean
  /** Whether a session lets in that an admin has borrowed. */
  impersonated: boolean
  check: GuardCheck | undefined
  locations: Location[]
  consistency: Consistency
  /** Whether API keys let requests in. */
  keys: boolean
  /** What an API key must be for, all of it. */
  scopes: string[]
  /** The name of the accounts that the guard belongs to. */
  instance: string
}

/**
 * Whether a guard lets in who has borrowed a session. Nobody has proved to be its user, so none does that asks for a
 * proof.
 */
export function isOpenToBorrowed ({ kind, impersonated, freshForSeconds, acr }: GuardSettings): boolean {
  return kind === 'refresh' || (impersonated && freshForSeconds === undefined && acr === undefined)
}

/** The time that `fresh: true` means, and `request.auth.fresh`. */
export const usuallyFreshForSeconds = 600

/** Checks and fills the options of a guard: the defaults stand here and nowhere else. */
export const GuardOptionsSchema = Type.Object({
  type: OneOf<TokenKind | 'any'>(['access', 'refresh', 'any'], {
    default: 'access', description: 'Which kind of token is required.',
  }),
  optional: OneOf<boolean | 'or-expired'>([true, false, 'or-expired'], {
    default: false,
    description: "Also lets requests without a token in, with `request.user` null; `'or-expired'` those with an " +
      'expired token too. Any other invalid token is still refused. Cannot be combined with `fresh`, `acr`, ' +
      '`roles`, `permission`, `verified` or `check`.',
  }),
  fresh: Type.Unsafe<boolean | Duration>({
    holds: (value: unknown) => typeof value === 'boolean' || isDuration(value),
    must: "be true, false or a duration such as '10m'",
    tsType: 'boolean | Duration',
    default: false,
    description: 'The password must have been checked at most this long ago; `true` is 10 minutes. Otherwise 401 ' +
      '`ACCOUNTS_TOKEN_STALE`, with the challenge of RFC 9470. A refresh does not make a session fresher.',
  }),
  acr: Type.Optional(OneOf<'aal2' | 'phr'>(['aal2', 'phr'], {
    usual: 'any',
    description: 'The [level](factors.md#levels) of authentication that is required: two factors, or a passkey. ' +
      'Otherwise 401 `ACCOUNTS_TOKEN_WEAK`, with the challenge of RFC 9470. Needs the option `factors` or ' +
      '`passkeys`.',
  })),
  roles: Type.Array(Type.String({ minLength: 1 }), {
    default: [], description: 'The user must have all of these roles. Otherwise 403 `ACCOUNTS_FORBIDDEN`.',
  }),
  permission: Type.Optional(Type.Unsafe<Permission>({
    enum: permissionNames,
    tsType: 'Permission',
    usual: 'none',
    description: 'What the roles of the user must permit ([permissions](admin.md#permissions)). Otherwise 403 ' +
      '`ACCOUNTS_FORBIDDEN`.',
  })),
  verified: Type.Boolean({
    default: false,
    description: "The user's address must be verified ([how](email.md)). Otherwise 403 `ACCOUNTS_EMAIL_UNVERIFIED`.",
  }),
  impersonated: Type.Boolean({
    default: true,
    description: 'Whether a session that an [admin has borrowed](impersonation.md) is let in. Otherwise 403 ' +
      '`ACCOUNTS_IMPERSONATED`, as such a session also gets where `fresh` or `acr` is required: nobody has proved ' +
      'in it that they are the user.',
  }),
  check: Callable<GuardCheck>('GuardCheck', {
    description: '`(user, request) => boolean`, or a promise of it: only `true` lets the signed-in user in. ' +
      'Otherwise 403 `ACCOUNTS_FORBIDDEN`. If it throws, the answer is a 500 without details.',
  }),
  locations: Type.Optional(LocationsSchema({
    usual: 'those of the app; for refresh tokens the body first',
    description: 'Where this route looks for tokens, in this order ([places](#places)). The first place that holds ' +
      'a token decides. A guard that reads bodies must be a `preValidation` or `preHandler` hook.',
  })),
  consistency: OneOf<Consistency>(['cached', 'strict', 'stateless'], {
    default: 'cached',
    description: "How revocation is checked. `'cached'` uses memory ([how](sessions.md#revocation)). `'strict'` " +
      "reads the database at every request: for money and administration. `'stateless'` checks only the token, " +
      'even if it was revoked, and `request.user` is `{ id }` ([what that means](#stateless)).',
  }),
  keys: Type.Optional(Type.Boolean({
    usual: '`keys.everywhere`',
    description: 'Whether [API keys](api-keys.md) let requests in too. Not together with `optional`, ' +
      "`consistency: 'stateless'` or refresh tokens. A key is never fresh and has no level: it is refused where " +
      '`fresh` or `acr` is asked for. Needs the option `keys`.',
  })),
  scopes: Type.Array(Type.String({ minLength: 1 }), {
    default: [],
    description: 'What an API key must be for, all of it, as `keys.scopes` names it; else it is 403 ' +
      '`ACCOUNTS_FORBIDDEN`. Somebody who is signed in may do what every key may.',
  }),
}, { additionalProperties: false })

/** The type of `GuardOptionsSchema`, of which the interface `GuardOptions` is generated. */
type GivenOptions = Partial<Static<typeof GuardOptionsSchema>>

/**
 * Checks and fills the options of a guard of accounts with these settings.
 * @throws {OptionsInvalid} `ACCOUNTS_OPTIONS_INVALID`, where the route is written
 */
export function readGuardOptions (
  given: GivenOptions,
  { name: instance, locations: usual, hasLevels, apiKeys, admin }: AuthenticationSettings
): GuardSettings {
  const options = { ...given }
  const faults = faultsIn(GuardOptionsSchema, options)
  if (faults.length > 0) throw new OptionsInvalid(`in the options of a guard ${faults.map(sentence).join('; ')}`)

  const whole = filled(GuardOptionsSchema, options) as Required<GivenOptions>
  const { type, optional, fresh, acr, roles, permission, verified, impersonated, check, locations, consistency } = whole
  if (acr && !hasLevels) {
    throw new OptionsInvalid("a guard's options.acr needs the option factors or passkeys")
  }
  if (optional && (fresh || acr || roles.length > 0 || permission || verified || given.check)) {
    throw new OptionsInvalid("a guard's options.optional lets anybody in, " +
      'so it does not go with fresh, acr, roles, permission, verified or check')
  }
  if (consistency === 'stateless' && (type !== 'access' || roles.length > 0 || permission || verified)) {
    throw new OptionsInvalid("a guard's options.consistency 'stateless' reads no user and no session, " +
      'so it does not go with roles, permission, verified or refresh tokens')
  }
  if (type === 'refresh' && given.locations?.every((place) => place === 'protocol')) {
    throw new OptionsInvalid("a guard's options.locations 'protocol' has access tokens alone")
  }
  const mayTakeKeys = !optional && type === 'access' && consistency !== 'stateless'
  requireFitting(whole, mayTakeKeys, apiKeys)
  const freshForSeconds = fresh === true ? usuallyFreshForSeconds : fresh === false ? undefined : inSeconds(fresh)
  const places = given.locations ? locations : type === 'access' ? usual : [...new Set<Location>(['body', ...usual])]
  return {
    kind: type,
    optional,
    freshForSeconds,
    acr,
    roles,
    permission: permission && { name: permission, roles: createPermissions(admin.roles).rolesWith(permission) },
    verified,
    impersonated,
    check,
    locations: places,
    consistency,
    keys: Boolean(apiKeys && (whole.keys ?? apiKeys.everywhere) && mayTakeKeys && !fresh && !acr),
    scopes: whole.scopes,
    instance,
  }
}

/** Refuses options about API keys that can never let one in. */
function requireFitting (
  { keys, scopes }: Pick<GivenOptions, 'keys'> & { scopes: string[] }, mayTakeKeys: boolean,
  apiKeys: ApiKeyRules | undefined
): void {
  const unknown = scopes.find((scope) => !apiKeys?.scopes.includes(scope))
  const rules: [isBroken: boolean, problem: string][] = [
    [!apiKeys && (keys === true || scopes.length > 0), 'keys and scopes need the option keys'],
    [keys === true && !mayTakeKeys, "keys does not go with optional, refresh tokens or consistency 'stateless'"],
    [scopes.length > 0 && !(keys ?? apiKeys?.everywhere), 'scopes are of API keys, and need keys: true'],
    [unknown !== undefined, `scopes has ${unknown}, which is not among keys.scopes`],
  ]
  const broken = rules.find(([isBroken]) => isBroken)
  if (broken) throw new OptionsInvalid(`in the options of a guard ${broken[1]}`)
}
