import { feature } from '../feature.ts'
import type { DiscoverySettings } from './options.ts'

/** How verifiers that know nothing but the issuer find its keys (OpenID Connect Discovery 1.0, RFC 8414). */
export const discovery = feature({
  name: 'discovery',
  needs: {},
  off: { when: ({ discovery }: DiscoverySettings) => !discovery, face: undefined },
  open: (spine, settings) => import('./open.ts').then(({ open }) => open(spine, settings)),
})
