import { feature } from '../feature.ts'
import { email } from '../email/card.ts'
import { passwords } from '../passwords/card.ts'

/** Users: what one sees and changes of oneself, and what admins and code do. */
export const users = feature({
  name: 'users',
  needs: { email, passwords },
  open: (...given) => import('./open.ts').then(({ open }) => open(...given)),
})
