import { feature } from '../feature.ts'
import type { PageSettings } from './open.ts'

/** A page on which admins look after accounts. */
export const adminPage = feature({
  name: 'admin-page',
  needs: {},
  off: { when: ({ routes }: PageSettings) => !routes.adminPage, face: undefined },
  open: (spine, settings: PageSettings) => import('./open.ts').then(({ open }) => open(spine, settings)),
})
