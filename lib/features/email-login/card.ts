import type { MailSettings } from '../../mail/options.ts'
import { feature } from '../feature.ts'
import { mail } from '../mail/card.ts'
import { throttle } from '../throttle/card.ts'
import type { EmailLoginSettings } from './options.ts'

type Settings = EmailLoginSettings & { mail: MailSettings | undefined }

/** Signing in by a mail, without a password. */
export const emailLogin = feature({
  name: 'email-login',
  needs: { throttle, mail },
  off: { when: ({ mail, routes }: Settings) => !mail || !routes.emailLogin, face: undefined },
  open: (spine, _: Settings, needs) => import('./open.ts').then(({ open }) => open(spine, needs)),
})
