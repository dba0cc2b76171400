import { feature } from '../feature.ts'
import { throttle } from '../throttle/card.ts'
import type { PasswordSettings } from './options.ts'

/** Passwords: a login, another password, and the password once more. */
export const passwords = feature({
  name: 'passwords',
  needs: { throttle },
  open: (spine, settings: PasswordSettings, needs) =>
    import('./open.ts').then(({ open }) => open(spine, settings, needs)),
})
