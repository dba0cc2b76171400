import { feature } from '../feature.ts'
import { throttle } from '../throttle/card.ts'
import { factorCounters } from './events.ts'
import type { Factors } from './factors.ts'
import type { FactorSettings } from './options.ts'

/** Second factors, whatever they are: who is asked for one, and how it is proved, set up and taken away. */
export const factors = feature({
  name: 'factors',
  needs: { throttle },
  counters: factorCounters,
  off: { when: ({ hasFactors }: FactorSettings) => !hasFactors, face: undefined as Factors | undefined },
  open: (spine, settings, needs) => import('./open.ts').then(({ open }) => open(spine, settings, needs)),
})
