import type { MailSettings } from '../../mail/options.ts'
import { feature } from '../feature.ts'
import { factors } from '../factors/card.ts'
import { mail } from '../mail/card.ts'
import { throttle } from '../throttle/card.ts'
import type { Addresses } from './addresses.ts'
import type { EmailSettings } from './options.ts'

type Settings = EmailSettings & { mail: MailSettings | undefined, routes: Record<string, string> }

/** Addresses: how they are proved to be a user's, changed, and taken back. */
export const email = feature({
  name: 'email',
  needs: { throttle, factors, mail },
  off: { when: ({ mail }: Settings) => !mail, face: undefined as Addresses | undefined },
  open: (spine, settings: Settings, needs) => import('./open.ts').then(({ open }) => open(spine, settings, needs)),
})
