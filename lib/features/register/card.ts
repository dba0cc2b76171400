import { feature } from '../feature.ts'
import { email } from '../email/card.ts'
import { mail } from '../mail/card.ts'
import { passwords } from '../passwords/card.ts'
import { throttle } from '../throttle/card.ts'
import type { RegisterSettings } from './needs.ts'

/** Registration: an account that its user opens. */
export const register = feature({
  name: 'register',
  needs: { throttle, mail, email, passwords },
  open: (spine, settings: RegisterSettings, needs) =>
    import('./open.ts').then(({ open }) => open(spine, settings, needs)),
})
