import { createHmac } from 'node:crypto'
import type { Provider, ProviderClaims, ProviderOptions } from '../provider.ts'
import { bySecretInBody, providerOf, requireSecret, subjectIn, textIn } from './common.ts'

/** What `facebook()` is given. */
export interface FacebookOptions extends ProviderOptions {
  clientSecret: string
  /** Of the Graph API. Default `'v23.0'`. */
  version?: string
}

/**
 * Facebook, which is asked who it is, with a proof that the token was given to this app. It does not say whether an
 * address is verified, so it vouches for none.
 * @throws {OptionsInvalid} for options that are not
 */
export function facebook (options: FacebookOptions): Provider {
  const { clientId, clientSecret, version = 'v23.0' } = options
  const secret = requireSecret('Facebook', clientSecret)
  const graph = `https://graph.facebook.com/${version}`
  return providerOf({
    id: 'facebook',
    name: 'Facebook',
    issuer: 'https://www.facebook.com',
    endpoints: {
      authorization: `https://www.facebook.com/${version}/dialog/oauth`, token: `${graph}/oauth/access_token`,
    },
    scope: ['public_profile', 'email'],
    authenticate: bySecretInBody(clientId, secret),
    async describe (ask, accessToken) {
      const proof = createHmac('sha256', secret).update(accessToken).digest('hex')
      return await ask(`${graph}/me?fields=id,name,email&appsecret_proof=${proof}`) as ProviderClaims
    },
    personOf: (claims) => ({ subject: subjectIn(claims, 'id'), email: textIn(claims, 'email'), isVouched: false }),
  }, options)
}
