import type { Provider, ProviderOptions } from '../provider.ts'
import { bySecretInBody, providerOf, requireSecret, subjectIn, textIn } from './common.ts'

/** What `linkedin()` is given. */
export interface LinkedinOptions extends ProviderOptions {
  clientSecret: string
  /** Whether an address is trusted that LinkedIn says is verified. Default false. */
  trustEmail?: boolean
}

/**
 * LinkedIn, by OpenID. It refuses PKCE from clients with a secret, and puts no nonce into ID tokens: the state alone,
 * and the secret, bind its answer to the request.
 * @throws {OptionsInvalid} for options that are not
 */
export function linkedin (options: LinkedinOptions): Provider {
  const { clientId, clientSecret, trustEmail = false } = options
  return providerOf({
    id: 'linkedin',
    name: 'LinkedIn',
    issuer: 'https://www.linkedin.com/oauth',
    scope: ['openid', 'profile', 'email'],
    authenticate: bySecretInBody(clientId, requireSecret('LinkedIn', clientSecret)),
    usesPkce: false,
    usesNonce: false,
    asksUserInfo: true,
    personOf: (claims) => ({
      subject: subjectIn(claims),
      email: textIn(claims, 'email'),
      isVouched: trustEmail && claims.email_verified === true,
    }),
  }, options)
}
