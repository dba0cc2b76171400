import { feature } from '../feature.ts'
import { throttle } from '../throttle/card.ts'
import { ApiKey } from './entity.ts'
import { keyCounters, keyData } from './events.ts'
import { keyMigrations } from './migrations.ts'
import type { KeySettings } from './options.ts'

/** API keys, by which programs act for a user. */
export const apiKeys = feature({
  name: 'api-keys',
  needs: { throttle },
  entities: [ApiKey],
  migrations: keyMigrations,
  counters: keyCounters,
  eventData: keyData,
  off: { when: ({ apiKeys }: KeySettings) => apiKeys === undefined, face: undefined },
  open: (spine, settings, needs) => import('./open.ts').then(({ open }) => open(spine, settings, needs)),
})
