import { apiKeys } from '../api-keys/card.ts'
import { feature } from '../feature.ts'
import type { IntrospectionSettings } from './options.ts'

/** What code and other services do with tokens: issue, verify, revoke, ask about them, and get the keys. */
export const tokenServices = feature({
  name: 'token-services',
  needs: { apiKeys },
  open: (spine, settings: IntrospectionSettings, needs) =>
    import('./open.ts').then(({ open }) => open(spine, settings, needs)),
})
