import { apiKeys } from '../api-keys/card.ts'
import { feature } from '../feature.ts'
import type { ExportSettings } from './options.ts'

/** All that is kept of a user, for that user (GDPR, article 20). */
export const exportFeature = feature({
  name: 'export',
  needs: { apiKeys },
  open: (spine, settings: ExportSettings, needs) =>
    import('./open.ts').then(({ open }) => open(spine, settings, needs)),
})
