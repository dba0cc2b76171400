import type { AccountsOptions } from '../../types/options.ts'
import { defineCommand } from './command.ts'
import { moment, table } from './table.ts'
import { targetFlags, withAccounts } from './target.ts'
import { find } from './user.ts'

export const identities = defineCommand({
  name: 'user identities',
  takes: 'USER',
  summary: 'Lists the identities of a user at other providers.',
  flags: targetFlags,
  run: async ([who], target) => {
    const { google } = await import('./plugin.ts')
    // For accounts whose options are not given: what is stored of identities does not depend on them.
    const somewhere: AccountsOptions = {
      providers: [google({ clientId: 'none', clientSecret: 'none' })], providerFlow: { url: 'https://example.com' },
    }
    return withAccounts(target, async ({ users, identities }) => {
      const user = await find(users, who!)
      const found = await identities.list(user.id)
      const rows = found.map(({ id, provider, subject, email, createdAt, lastUsedAt }) =>
        [id, provider, subject, email ?? '–', moment(createdAt), moment(lastUsedAt)])
      return {
        result: { identities: found },
        text: table([['id', 'provider', 'subject', 'address', 'linked', 'last used'], ...rows]),
      }
    }, ({ providers = [] }) => providers.length > 0 ? {} : somewhere)
  },
})
