import type { AskProvider, Provider, ProviderClaims, ProviderOptions } from '../provider.ts'
import { bySecretInBody, providerOf, requireSecret, subjectIn, textIn } from './common.ts'
import { requireUrl } from './oidc.ts'

/** What `github()` is given. */
export interface GithubOptions extends ProviderOptions {
  clientSecret: string
  /** Of a GitHub Enterprise Server of your own, such as `https://github.example.com`. */
  server?: string
}

/**
 * GitHub, which has no OpenID: it is asked who it is. It vouches for the primary address, if it says that this is
 * verified.
 * @throws {OptionsInvalid} for options that are not
 */
export function github (options: GithubOptions): Provider {
  const { clientId, clientSecret, server = 'https://github.com' } = options
  requireUrl('github: server', server)
  const { origin } = new URL(server)
  const api = origin === 'https://github.com' ? 'https://api.github.com' : `${origin}/api/v3`
  return providerOf({
    id: 'github',
    name: 'GitHub',
    issuer: `${origin}/login/oauth`,
    endpoints: {
      authorization: `${origin}/login/oauth/authorize`,
      token: `${origin}/login/oauth/access_token`,
    },
    scope: ['read:user', 'user:email'],
    authenticate: bySecretInBody(clientId, requireSecret('GitHub', clientSecret)),
    describe: (ask) => describe(ask, api),
    personOf: (claims) => ({
      subject: subjectIn(claims, 'id'),
      email: textIn(claims, 'email'),
      isVouched: claims.email_verified === true,
    }),
  }, options)
}

/** The user, whose public address says nothing, with the primary one in its place. */
async function describe (ask: AskProvider, api: string): Promise<ProviderClaims> {
  const headers = { accept: 'application/vnd.github+json', 'x-github-api-version': '2022-11-28' }
  const user = await ask(`${api}/user`, headers) as ProviderClaims
  const addresses = await ask(`${api}/user/emails`, headers) as ProviderClaims[]
  const primary = addresses.find((each) => each.primary === true)
  return { ...user, email: primary?.email, email_verified: primary?.verified }
}
