import type { MailSettings } from '../../mail/options.ts'
import { feature } from '../feature.ts'
import { mail } from '../mail/card.ts'

type Settings = { mail: MailSettings | undefined }

/** The page that shows the mails of development, which are kept in place of being sent. */
export const outbox = feature({
  name: 'outbox',
  needs: { mail },
  // In production an app that sends no mails does not start.
  off: { when: ({ mail }: Settings) => !mail || Boolean(mail.send ?? mail.smtp), face: undefined },
  open: (spine, _, needs) => import('./open.ts').then(({ open }) => open(spine, needs)),
})
