import { Type } from '@sinclair/typebox'
import { inSeconds, isDuration, type Duration } from '../../checks/durations.ts'
import { Callable, DurationSchema, Kept, TrueOr } from '../../checks/kinds.ts'
import type { Filled } from '../../checks/slice.ts'
import type { RequestSource } from '../../http/request.ts'
import type { options as secretOptions } from '../../secrets/options.ts'
import { canSign, hmacSecretsAmong, type Key } from '../../tokens/key.ts'
import type { RequiresFactor } from '../../users/factor-needs.ts'
import type { AccountsUser } from '../../users/public-user.ts'
import { RouteSchema } from '../routes.ts'
import type { FactorReason } from './events.ts'

export const options = {
  factors: TrueOr({
    issuer: Type.Optional(Type.String({
      minLength: 1,
      maxLength: 64,
      pattern: '^[^:\\p{C}]+$',
      usual: 'the host of the first of `passkeys.origins`, else `issuer`',
      description: 'The name of your app in authenticator apps.',
    })),
    requireFor: Kept<string[] | RequiresFactor>('string[] | RequiresFactor', {
      default: [],
      holds: (value: unknown) => typeof value === 'function' || isListOfRoles(value),
      must: 'be a list of roles, or a function',
      description: 'Who must have two factors: a list of roles, or `(user) => boolean`, which runs when a user is ' +
        'read and must be fast. A user without one sets it up at the next sign-in ' +
        '([how](factors.md#who-needs-one)).',
    }),
    remember: Type.Unsafe<Duration | false>({
      holds: (value: unknown) => value === false || isDuration(value),
      must: "be false or a duration such as '30d'",
      tsType: 'Duration | false',
      default: false,
      description: 'How long a browser can be remembered with `remember_device`, so that it is not asked for a ' +
        'second factor. Only with tokens in cookies.',
    }),
    ticket: DurationSchema('5m', {
      most: 3600, description: 'How much time a user has between the first and the second factor, up to an hour.',
    }),
    recoveryCodes: Type.Integer({
      minimum: 4, maximum: 20, default: 10, description: 'How many recovery codes a user gets.',
    }),
  }, {
    usual: 'off',
    description: 'Second factors: authenticator apps and recovery codes ([second factors](factors.md)).',
  }),
}

/** What of a user's factors has changed. */
export interface FactorsChanged {
  /**
   * Which factor: `'totp'`, `'passkey'` or `'recovery'`. Where they were reset, by whom: `'user'`, `'admin'` for an
   * admin or code, or `'address'` for the address of before, which has taken the account back.
   */
  what: FactorReason
  change: 'factor-added' | 'factor-removed' | 'factors-reset'
}

/** Called when the second factors of a user have changed. For changes by code the source is null. */
export type OnFactorsChanged = (user: AccountsUser, changed: FactorsChanged, source: RequestSource | null) => unknown

export const hooks = {
  onFactorsChanged: Callable<OnFactorsChanged>('OnFactorsChanged', {
    description: 'The second factors of a user have changed: `{ what, change }` says which, and how. Use it to ' +
      'notify the user (ASVS 5 6.3.7); with `mail` the plugin already sends a mail.',
  }),
}

export const routes = {
  factors: RouteSchema('/factors', true, '`GET /factors` and everything below it, with `factors` or `passkeys`.', {
    method: 'GET', issues: true, isOfUse: (_, { factors, passkeys }) => Boolean(factors || passkeys),
  }),
}

/** What the settings say of second factors. */
export type FactorSettings = ReturnType<typeof read> & { hasFactors: boolean }

type Given = Filled<typeof options & Pick<typeof secretOptions, 'encryptionKey'>>

export function problems ({ factors, encryptionKey }: Given, keys: Key[]): string[] {
  if (!factors) return []
  const cannotSeal = canSign(keys) && encryptionKey === undefined && hmacSecretsAmong(keys).length === 0
  return [
    ...cannotSeal
      ? ['factors needs encryptionKey (or ACCOUNTS_ENCRYPTION_KEY) where secret has pairs of keys alone: it seals ' +
        'the seeds of authenticator apps']
      : [],
    ...factors !== true && isRequiredBy(factors) && factors.remember !== false
      ? ['factors.remember does not go with factors.requireFor']
      : [],
  ]
}

function isRequiredBy ({ requireFor }: { requireFor: string[] | RequiresFactor }): boolean {
  return typeof requireFor === 'function' || requireFor.length > 0
}

/** What authenticator apps may call the app, beside its `issuer`. */
interface Pages {
  passkeys?: { origins?: string[] } | false | undefined
}

export function read (given: Filled<typeof options> & Pages) {
  if (!given.factors) return { factors: undefined, requiresFactor: undefined }
  const { issuer = hostOf(given), requireFor, remember, ticket, recoveryCodes } = given.factors as Exclude<
    Filled<typeof options>['factors'], boolean | undefined>
  const rememberSeconds = remember === false ? undefined : inSeconds(remember)
  return {
    factors: { issuer, ticketSeconds: inSeconds(ticket), rememberSeconds, recoveryCodes },
    requiresFactor: requiresBy(requireFor),
  }
}

/** Of the first page of `passkeys`, whose users know it better than `issuer`. */
function hostOf ({ passkeys }: Pages): string | undefined {
  const [origin] = (passkeys || {}).origins ?? []
  return origin && new URL(origin).hostname
}

function requiresBy (requireFor: string[] | RequiresFactor): RequiresFactor | undefined {
  if (typeof requireFor === 'function') return (user) => requireFor(user) === true
  if (requireFor.length === 0) return undefined
  return ({ roles }: AccountsUser) => requireFor.some((role) => roles.includes(role))
}

function isListOfRoles (value: unknown): boolean {
  return Array.isArray(value) && value.every((role) => typeof role === 'string' && role !== '')
}
