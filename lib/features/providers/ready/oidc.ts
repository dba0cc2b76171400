import { loopback } from '../../../checks/loopback.ts'
import { OptionsInvalid } from '../../../http/errors.ts'
import type { Provider, ProviderOptions } from '../provider.ts'
import { byNothing, bySecretInBody, bySecretInHeader, providerOf, subjectIn, textIn } from './common.ts'

/** What a provider of OpenID is given that has no function of its own. */
export interface OidcOptions extends ProviderOptions {
  id: string
  /** Its issuer, as a URL: what its metadata are found below, at `/.well-known/openid-configuration`. */
  issuer: string
  /** Default none: for clients that have none there, which PKCE alone protects. */
  clientSecret?: string
  /** Where the secret goes. Default `'header'` (`client_secret_basic`). */
  secretIn?: 'header' | 'body'
  /**
   * Whether an address is trusted that the provider says is verified (`email_verified`). Only of a provider that checks
   * this itself: by an address that is trusted people come into the accounts that have it. Default false.
   */
  trustEmail?: boolean
  /** Whether user info is asked for beside the ID token, which may say no address. Default true. */
  userInfo?: boolean
}

/**
 * Any provider of OpenID Connect, by discovery (OpenID Connect Discovery 1.0).
 * @throws {OptionsInvalid} for options that are not
 */
export function oidc (options: OidcOptions): Provider {
  const { id, issuer, clientId, clientSecret, secretIn = 'header', trustEmail = false, userInfo = true } = options
  requireUrl('oidc: issuer', issuer)
  return providerOf({
    id,
    name: id,
    issuer,
    scope: ['openid', 'profile', 'email'],
    authenticate: clientSecret === undefined
      ? byNothing(clientId)
      : (secretIn === 'header' ? bySecretInHeader : bySecretInBody)(clientId, clientSecret),
    asksUserInfo: userInfo,
    stepUpParameters: { prompt: 'login', max_age: '300' },
    personOf: (claims) => ({
      subject: subjectIn(claims),
      email: textIn(claims, 'email'),
      isVouched: trustEmail && claims.email_verified === true,
    }),
  }, options)
}

/**
 * Nobody on the way may change what a provider says.
 * @throws {OptionsInvalid} for what is no URL with TLS, or of this machine
 */
export function requireUrl (name: string, value: unknown): void {
  const url = typeof value === 'string' && URL.canParse(value) ? new URL(value) : undefined
  if (url && (url.protocol === 'https:' || loopback.test(url.origin))) return
  throw new OptionsInvalid(`${name} must be a URL with https, or of localhost`)
}
