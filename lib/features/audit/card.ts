import type { EventSettings } from '../../events/options.ts'
import { feature } from '../feature.ts'
import type { EventServices } from './services.ts'

/** The events that are kept: to look through them, and to see that nobody has changed them. */
export const audit = feature<EventSettings, {}, undefined, { events: EventServices }, 'events'>({
  name: 'audit',
  needs: {},
  open: (spine, settings) => import('./open.ts').then(({ open }) => open(spine, settings)),
})
