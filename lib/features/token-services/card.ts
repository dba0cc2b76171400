import { feature } from '../feature.ts'
import type { IntrospectionSettings } from './options.ts'

/** What code and other services do with tokens: issue, verify, revoke, ask about them, and get the keys. */
export const tokenServices = feature({
  name: 'token-services',
  needs: {},
  open: (spine, settings: IntrospectionSettings) => import('./open.ts').then(({ open }) => open(spine, settings)),
})
