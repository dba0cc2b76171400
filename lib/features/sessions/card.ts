import { feature } from '../feature.ts'
import { throttle } from '../throttle/card.ts'

/** Sessions: new tokens for a refresh token, a logout, and where one is signed in. */
export const sessions = feature({
  name: 'sessions',
  needs: { throttle },
  open: (...given) => import('./open.ts').then(({ open }) => open(...given)),
})
