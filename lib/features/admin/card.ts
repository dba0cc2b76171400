import { feature } from '../feature.ts'

/** What admins end of other users: their sessions. */
export const admin = feature({
  name: 'admin',
  needs: {},
  off: { when: ({ routes }: { routes: Record<string, string> }) => routes.users === undefined, face: undefined },
  open: (spine) => import('./open.ts').then(({ open }) => open(spine)),
})
