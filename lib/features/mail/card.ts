import type { MailSettings } from '../../mail/options.ts'
import { feature } from '../feature.ts'
import { throttle } from '../throttle/card.ts'
import type { MailHooks } from './options.ts'

type Settings = MailHooks & { mail: MailSettings | undefined }

/** Mails: how they are asked for, what they prove, and the services for code. */
export const mail = feature({
  name: 'mail',
  needs: { throttle },
  open: (spine, settings: Settings, needs) =>
    import('./open.ts').then(({ open }) => open(spine, settings, needs)),
})
