import { OptionsInvalid } from '../../../http/errors.ts'
import type { AskProvider, Provider, ProviderClaims, ProviderOptions, ProviderPerson } from '../provider.ts'
import { byNothing, bySecretInBody, bySecretInHeader, providerOf } from './common.ts'
import { requireUrl } from './oidc.ts'

/** What a provider of OAuth 2 without OpenID is given that has no function of its own. */
export interface OauthOptions extends ProviderOptions {
  id: string
  /** The URL of its endpoint for authorization. */
  authorization: string
  /** The URL of its endpoint for tokens. */
  token: string
  scope: string[]
  /** Default none. */
  clientSecret?: string
  /** Where the secret goes. Default `'body'`. */
  secretIn?: 'header' | 'body'
  /** Asks the provider who it is: `ask(url)` brings the access token along, and gives what the JSON says. */
  describe: (ask: AskProvider, accessToken: string) => Promise<ProviderClaims>
  /**
   * Who it is, by what `describe` gave: `subject` is the provider's own name for them, which never changes. Say
   * `isVouched` only where the provider says itself that the address is theirs.
   */
  person: (claims: ProviderClaims) => ProviderPerson
  /** Whose identities they are, as a URL. Default the origin of `authorization`. */
  issuer?: string
}

/**
 * Any provider of OAuth 2 (RFC 6749). It is told by its answer who it is and not by a signature, so its endpoints must
 * be its own.
 * @throws {OptionsInvalid} for options that are not
 */
export function oauth (options: OauthOptions): Provider {
  const { id, authorization, token, scope, clientId, clientSecret, secretIn = 'body', describe, person } = options
  requireUrl('oauth: authorization', authorization)
  requireUrl('oauth: token', token)
  const { issuer = new URL(authorization).origin } = options
  requireUrl('oauth: issuer', issuer)
  if (typeof describe !== 'function' || typeof person !== 'function') {
    throw new OptionsInvalid('oauth: describe and person are needed')
  }
  return providerOf({
    id,
    name: id,
    issuer,
    endpoints: { authorization, token },
    scope,
    authenticate: clientSecret === undefined
      ? byNothing(clientId)
      : (secretIn === 'header' ? bySecretInHeader : bySecretInBody)(clientId, clientSecret),
    describe,
    personOf: person,
  }, options)
}
