import type { MailSettings } from '../../mail/options.ts'
import { feature } from '../feature.ts'
import { mail } from '../mail/card.ts'
import { passwords } from '../passwords/card.ts'
import { throttle } from '../throttle/card.ts'

/** Another password for who has forgotten theirs, by a mail to their address. */
export const reset = feature({
  name: 'reset',
  needs: { throttle, mail, passwords },
  off: { when: ({ mail }: { mail: MailSettings | undefined }) => !mail, face: undefined },
  open: (spine, _, needs) => import('./open.ts').then(({ open }) => open(spine, needs)),
})
