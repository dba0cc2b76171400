import type { Provider, ProviderOptions } from '../provider.ts'
import { bySecretInBody, providerOf, requireSecret, subjectIn, textIn } from './common.ts'
import { requireUrl } from './oidc.ts'

/** What `gitlab()` is given. */
export interface GitlabOptions extends ProviderOptions {
  clientSecret: string
  /** Of a GitLab of your own. Default `https://gitlab.com`. */
  server?: string
  /** Whether an address is trusted that GitLab says is verified. Default false. */
  trustEmail?: boolean
}

/**
 * GitLab, by OpenID.
 * @throws {OptionsInvalid} for options that are not
 */
export function gitlab (options: GitlabOptions): Provider {
  const { clientId, clientSecret, server = 'https://gitlab.com', trustEmail = false } = options
  requireUrl('gitlab: server', server)
  return providerOf({
    id: 'gitlab',
    name: 'GitLab',
    issuer: server.replace(/\/$/, ''),
    scope: ['openid', 'profile', 'email'],
    authenticate: bySecretInBody(clientId, requireSecret('GitLab', clientSecret)),
    asksUserInfo: true,
    personOf: (claims) => ({
      subject: subjectIn(claims),
      email: textIn(claims, 'email'),
      isVouched: trustEmail && claims.email_verified === true,
    }),
  }, options)
}
