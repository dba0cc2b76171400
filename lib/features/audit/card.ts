import { feature } from '../feature.ts'

/** The events that are kept: to look through them, and to see that nobody has changed them. */
export const audit = feature({
  name: 'audit',
  needs: {},
  open: (spine) => import('./open.ts').then(({ open }) => open(spine)),
})
