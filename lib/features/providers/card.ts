import { factors } from '../factors/card.ts'
import { feature } from '../feature.ts'
import { mail } from '../mail/card.ts'
import { register } from '../register/card.ts'
import { throttle } from '../throttle/card.ts'
import { Identity } from './entity.ts'
import { providerCounters } from './events.ts'
import { identityMigrations } from './migrations.ts'
import type { ProviderSettings } from './options.ts'

/** Other providers, by which users sign in (OpenID Connect, OAuth 2). */
export const providers = feature({
  name: 'providers',
  needs: { throttle, mail, factors, register },
  entities: [Identity],
  migrations: identityMigrations,
  counters: providerCounters,
  off: { when: ({ providers }: ProviderSettings) => providers.length === 0, face: undefined },
  open: (spine, settings, needs) =>
    import('./open.ts').then(({ open }) => open(spine, settings, needs)),
})
