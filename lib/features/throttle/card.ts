import { feature } from '../feature.ts'
import { ThrottleBucket } from './entity.ts'
import { throttleCounters } from './events.ts'
import type { ThrottleSettings } from './options.ts'
import { pruneOfThrottle } from './prune.ts'
import type { Limits } from './limits.ts'

/** Nobody is held up. */
const unlimited: Limits = {
  guess: async (_, find, check) => check(await find(), true),
  guessFactor: async (_request, _of, check) => check(),
  register: async (_, prepare, act) => act(await prepare()),
  fail: async () => {},
  known: async () => undefined,
  askForMail: async () => {},
  mailTo: async () => 0,
  guessCode: async () => ({ isJudged: true }),
  forgetGuess: async () => {},
  remember: (granted) => granted,
}

/** Limits on guessing. */
export const throttle = feature({
  name: 'throttle',
  needs: {},
  entities: [ThrottleBucket],
  prunes: [pruneOfThrottle],
  counters: throttleCounters,
  off: { when: ({ throttle }: ThrottleSettings) => throttle === false, face: unlimited },
  open: (spine, settings) => import('./open.ts').then(({ open }) => open(spine, settings)),
})
