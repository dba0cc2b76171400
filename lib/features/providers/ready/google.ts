import type { Provider, ProviderOptions } from '../provider.ts'
import { bySecretInBody, providerOf, requireSecret, subjectIn, textIn } from './common.ts'

/** What `google()` is given. */
export interface GoogleOptions extends ProviderOptions {
  clientSecret: string
}

/**
 * Google. It vouches for addresses of gmail.com, and for those of a Workspace (`hd`), which Google itself serves: any
 * other may have got another owner since Google asked.
 * @throws {OptionsInvalid} for options that are not
 */
export function google (options: GoogleOptions): Provider {
  const { clientId, clientSecret } = options
  return providerOf({
    id: 'google',
    name: 'Google',
    issuer: 'https://accounts.google.com',
    scope: ['openid', 'email', 'profile'],
    authenticate: bySecretInBody(clientId, requireSecret('Google', clientSecret)),
    personOf (claims) {
      const email = textIn(claims, 'email')
      const isServed = /@gmail\.com$/i.test(email ?? '') || textIn(claims, 'hd') !== undefined
      return { subject: subjectIn(claims), email, isVouched: isServed && claims.email_verified === true }
    },
  }, options)
}
