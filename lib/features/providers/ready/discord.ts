import type { Provider, ProviderClaims, ProviderOptions } from '../provider.ts'
import { bySecretInBody, providerOf, requireSecret, subjectIn, textIn } from './common.ts'

/** What `discord()` is given. */
export interface DiscordOptions extends ProviderOptions {
  clientSecret: string
  /** Whether an address is trusted that Discord says is verified. Default false. */
  trustEmail?: boolean
}

/**
 * Discord, which is asked who it is.
 * @throws {OptionsInvalid} for options that are not
 */
export function discord (options: DiscordOptions): Provider {
  const { clientId, clientSecret, trustEmail = false } = options
  return providerOf({
    id: 'discord',
    name: 'Discord',
    issuer: 'https://discord.com',
    endpoints: {
      authorization: 'https://discord.com/oauth2/authorize', token: 'https://discord.com/api/oauth2/token',
    },
    scope: ['identify', 'email'],
    authenticate: bySecretInBody(clientId, requireSecret('Discord', clientSecret)),
    describe: async (ask) => await ask('https://discord.com/api/users/@me') as ProviderClaims,
    personOf: (claims) => ({
      subject: subjectIn(claims, 'id'),
      email: textIn(claims, 'email'),
      isVouched: trustEmail && claims.verified === true,
    }),
  }, options)
}
