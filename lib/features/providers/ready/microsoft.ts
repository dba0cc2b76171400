import { OptionsInvalid } from '../../../http/errors.ts'
import type { Provider, ProviderOptions } from '../provider.ts'
import { bySecretInBody, providerOf, requireSecret, subjectIn, textIn } from './common.ts'

/** What `microsoft()` is given. */
export interface MicrosoftOptions extends ProviderOptions {
  clientSecret: string
  /**
   * Whose users may come: the id or the domain of one tenant, or `'common'`, `'organizations'` or `'consumers'` for
   * those of many.
   */
  tenant: string
}

/** In none of these does whoever runs the tenant of a user answer to the app. */
const ofMany = ['common', 'organizations', 'consumers']

/**
 * Microsoft (Entra ID). It vouches for the addresses of one tenant, which its admins give; of many only for those whose
 * domain Microsoft has seen to be the tenant's (the optional claim `xms_edov`), since an admin of any tenant may give
 * their users any address (nOAuth).
 * @throws {OptionsInvalid} for options that are not
 */
export function microsoft (options: MicrosoftOptions): Provider {
  const { clientId, clientSecret, tenant } = options
  if (typeof tenant !== 'string' || !/^[a-z0-9][a-z0-9.-]{0,252}$/i.test(tenant)) {
    throw new OptionsInvalid("Microsoft: tenant must be the id or the domain of a tenant, or 'common'")
  }
  const isOne = !ofMany.includes(tenant.toLowerCase())
  return providerOf({
    id: 'microsoft',
    name: 'Microsoft',
    issuer: `https://login.microsoftonline.com/${tenant}/v2.0`,
    scope: ['openid', 'profile', 'email'],
    authenticate: bySecretInBody(clientId, requireSecret('Microsoft', clientSecret)),
    stepUpParameters: { prompt: 'login' },
    personOf: (claims) => ({
      subject: subjectIn(claims),
      email: textIn(claims, 'email'),
      isVouched: isOne || claims.xms_edov === true || claims.xms_edov === 1,
    }),
  }, options)
}
