import type { MailSettings } from '../../mail/options.ts'
import { feature } from '../feature.ts'
import { mail } from '../mail/card.ts'
import { passwords } from '../passwords/card.ts'
import { register } from '../register/card.ts'
import { throttle } from '../throttle/card.ts'
import type { InvitationSettings } from './options.ts'

type Settings = InvitationSettings & { mail: MailSettings | undefined }

/** Invitations by mail: who accepts one has proved their address. */
export const invitations = feature({
  name: 'invitations',
  needs: { throttle, passwords, register, mail },
  open: (spine, settings: Settings, needs) => import('./open.ts').then(({ open }) => open(spine, settings, needs)),
})
