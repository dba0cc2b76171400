import { feature } from '../feature.ts'
import { impersonationData } from './events.ts'
import { impersonationOff } from './off.ts'
import type { ImpersonationSettings } from './options.ts'

/** Borrowed sessions: an admin acts as a user, under their own name. */
export const impersonation = feature({
  name: 'impersonation',
  needs: {},
  eventData: impersonationData,
  off: {
    when: ({ lendsSessions }: ImpersonationSettings) => !lendsSessions,
    face: undefined,
    services: { users: impersonationOff },
  },
  open: (spine, settings) => import('./open.ts').then(({ open }) => open(spine, settings)),
})
