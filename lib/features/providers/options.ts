import { Type } from '@sinclair/typebox'
import { Callable, Group, Kept, OneOf, text } from '../../checks/kinds.ts'
import { loopback } from '../../checks/loopback.ts'
import type { Filled } from '../../checks/slice.ts'
import type { RequestSource } from '../../http/request.ts'
import type { OnRegister } from '../../sessions/options.ts'
import { canSign, hmacSecretsAmong, type Key } from '../../tokens/key.ts'
import type { AccountsUser } from '../../users/public-user.ts'
import { RouteSchema } from '../routes.ts'
import type { Provider } from './provider.ts'

/** What of the identities of a user has changed. */
export interface IdentityLinked {
  /** The provider's id. */
  provider: string
  /** The address that the provider says. */
  email: string | null
}

/** Told of a user who has an identity more. Code asks from nowhere. */
export type OnIdentityLinked = (user: AccountsUser, linked: IdentityLinked, source: RequestSource | null) => unknown

export const hooks = {
  onIdentityLinked: Callable<OnIdentityLinked>('OnIdentityLinked', {
    description: 'A user has an identity more at another provider, by which they sign in: `{ provider, email }`. For ' +
      'a notice of your own (ASVS 5 6.3.7); with `mail` users are told by mail already.',
  }),
}

/** Where browsers may be sent with what signs somebody in. */
function isDestination (value: string): boolean {
  if (!URL.canParse(value)) return false
  const { protocol, origin, search, hash, username } = new URL(value)
  const isBare = search === '' && hash === '' && username === ''
  // Schemes of apps have a dot, as RFC 8252 §7.1 has them: nobody else's code runs in them.
  const isOfApp = /^[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+:$/.test(protocol)
  return isBare && (protocol === 'https:' || loopback.test(origin) || isOfApp)
}

/** Where the app is: an origin, and the path that a proxy takes away. */
function isHome (value: string): boolean {
  if (!URL.canParse(value) || value.endsWith('/')) return false
  const { protocol, origin, pathname, href } = new URL(value)
  const isSafe = protocol === 'https:' || loopback.test(origin)
  return isSafe && href === (pathname === '/' ? `${value}/` : value) && !/[?#]/.test(value) && !href.includes('@')
}

export const options = {
  providers: Type.Optional(Kept<Provider[]>('Provider[]', {
    usual: 'none',
    holds: (value: unknown) => Array.isArray(value) && value.every((each) =>
      typeof Object(each).id === 'string' && typeof Object(each).personOf === 'function'),
    must: 'be a list of what fastify-jwt-accounts/providers makes',
    description: 'Other providers by which users sign in, made by `fastify-jwt-accounts/providers`. It needs the ' +
      'package openid-client.',
  })),
  linking: OneOf(['verified', 'signed-in'], {
    default: 'verified',
    description: 'Whether an address that is proved on both sides links ([who is it?](providers.md#who-is-it)).',
  }),
  providerFlow: Group({
    url: Type.Optional(Type.String({
      ...text(isHome,
        "be a URL such as 'https://app.example.com', with https or of localhost, without a slash at the end"),
      env: 'ACCOUNTS_PROVIDER_URL',
      usual: 'the first of `passkeys.origins`; else needed with `providers`',
      description: 'Where the app is reached from outside: providers send browsers back to the prefix below it.',
    })),
    returnTo: Type.Array(Type.String(text(isDestination,
      "be a URL with https, of localhost, or of an app's own scheme such as 'com.example.app:/signed-in'")), {
      default: [],
      maxItems: 64,
      description: 'Where browsers may go at the end, beside paths of the app itself. The origin and the path have ' +
        'to be these, and the query may be any.',
    }),
  }, { description: 'The way to `providers` and back.' }),
}

export const routes = {
  providers: RouteSchema('/providers', true, '`GET /providers` and what is below it, with `providers`.', {
    method: 'GET', issues: true, isOfUse: withProviders,
  }),
  identities: RouteSchema('/identities', true, '`/identities` and what is below it, with `providers`.', {
    method: 'GET', issues: true, isOfUse: withProviders,
  }),
}

function withProviders (_: unknown, { providers = [] }: Given): boolean {
  return providers.length > 0
}

/** What of passkeys says where the app is. */
interface Pages {
  passkeys?: { origins?: string[] } | false | undefined
}

type Given = Filled<typeof options> & Pages

/** What the settings say of other providers. */
export interface ProviderSettings extends ReturnType<typeof read> {
  routes: Record<string, string>
  hooks: { onRegister?: OnRegister }
}

export function problems ({ encryptionKey, ...given }: Given & { encryptionKey?: unknown }, keys: Key[]): string[] {
  const { providers = [] } = given
  if (providers.length === 0) return []
  const ids = providers.map(({ id }) => id)
  const cannotSeal = canSign(keys) && encryptionKey === undefined && hmacSecretsAmong(keys).length === 0
  const rules: [isBroken: boolean, problem: string][] = [
    [new Set(ids).size < ids.length, 'providers must have different ids'],
    [urlOf(given) === undefined, 'providerFlow.url is needed with providers: where the app is reached from outside'],
    [cannotSeal, 'providers needs encryptionKey (or ACCOUNTS_ENCRYPTION_KEY) where secret has pairs of keys alone: ' +
      'it seals what travels to providers and back'],
  ]
  return rules.filter(([isBroken]) => isBroken).map(([, problem]) => problem)
}

export function read (given: Given) {
  const { providers = [], linking, providerFlow: { returnTo } } = given
  return { providers, linking, providerFlow: { url: urlOf(given) ?? '', returnTo } }
}

/** A page of `passkeys` is one of the app. */
function urlOf ({ providerFlow: { url }, passkeys }: Given): string | undefined {
  return url ?? (passkeys || {}).origins?.find((origin) => origin.startsWith('http'))
}
