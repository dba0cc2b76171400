import { feature } from '../feature.ts'
import { mail } from '../mail/card.ts'
import { passwords } from '../passwords/card.ts'
import { throttle } from '../throttle/card.ts'
import { users } from '../users/card.ts'
import type { ClosingSettings } from './options.ts'

/** Accounts that their users close, at once or after a time in which they may have second thoughts. */
export const closing = feature({
  name: 'closing',
  needs: { throttle, passwords, users, mail },
  open: (spine, settings: ClosingSettings, needs) =>
    import('./open.ts').then(({ open }) => open(spine, settings, needs)),
})
